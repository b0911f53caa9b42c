"""Whether a version is good, where it is weak, and what became of it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from math import nan
from typing import Literal

from attrs import frozen

from ...domain import coverage, ratio_study, segments
from ...domain.appraisal import COVERAGE
from ...domain.model import Kind, Status
from ...domain.property import RealEstateType
from . import names
from .figure import Figure
from .names import Name

Standing = Literal["good", "ok", "risk", "few"]
MARKS: Mapping[Standing, str] = {"good": "●", "ok": "◆", "risk": "▲", "few": "○"}
WORDS: Mapping[Standing, str] = {
    "good": "good",
    "ok": "ok",
    "risk": "risk",
    "few": "too few",
}
FAMILIES = ("by_realestate_type", "by_price_fifth", "by_municipality", "by_reach")


def standing(figure: Figure) -> Standing:
    """Of anything with n and mdape; of too few sales nothing can be told."""
    n, mdape = figure["n"].raw or 0, figure["mdape"].raw
    if n < segments.MIN_ROWS:
        return "few"
    return segments.status_of(n, nan if mdape is None else mdape)


def standing_of_coverage(figure: Figure) -> Standing:
    """Of one of the figures in `coverage`."""
    return _told(figure, (figure["n"].raw or 0) < coverage.MIN_ROWS)


def standing_of_ratio(study: Figure, name: str) -> Standing:
    """Of a figure of a ratio study."""
    return _told(study[name], (study["n"].raw or 0) < ratio_study.MIN_ROWS)


def _told(figure: Figure, few: bool) -> Standing:
    if few:
        return "few"
    told: Standing = "good" if figure["status"].raw == "good" else "risk"
    return "ok" if figure["status"].raw == "ok" else told


@frozen
class Segment:
    """Sales of a kind, and how far off their estimates were."""

    family: str
    key: str
    figure: Figure

    @property
    def name(self) -> Name:
        """What it is called."""
        return names.of(self.family, self.key)

    @property
    def standing(self) -> Standing:
        """How far its estimates can be relied on."""
        return standing(self.figure)


_IN_ORDER = (*(kind.value for kind in RealEstateType), "usual", "near_edge", "out_of_domain")


def _place(segment: Segment) -> tuple[int, int, str]:
    """Where it stands among its like; storage keeps no order."""
    if segment.family in ("by_municipality", "places"):
        return 0, -(segment.figure["n"].raw or 0), segment.key
    known = segment.key in _IN_ORDER
    return (_IN_ORDER.index(segment.key) if known else len(_IN_ORDER)), 0, segment.key


def best_first(segments: Iterable[Segment]) -> list[Segment]:
    """Those with enough sales to tell, by their median error."""
    told = [s for s in segments if s.standing != "few" and s.figure["mdape"].raw is not None]
    return sorted(told, key=lambda segment: segment.figure["mdape"].raw)


def is_of_a_type(rule: str) -> bool:
    """Whether a rule of the gate is about one type of home; such a one may stay undecided."""
    return rule.partition("_")[0] in _IN_ORDER


def _risks(figure: Figure, covered: Figure) -> list[str]:
    study = figure["ratios"]
    found = [
        words
        for ratio, words in names.SHORT_RATIOS.items()
        if study and standing_of_ratio(study, ratio) == "risk"
    ]
    if covered and standing_of_coverage(covered) == "risk":
        found.append("intervals")
    return found


def _off(covered: Figure) -> float:
    """How far from the share that was wanted."""
    return abs(float(covered["covered"].raw) - float(covered["wanted"].raw))


@frozen(slots=False)
class Summary:
    """What a reader is told first."""

    status: Status
    kind: Kind
    figures: Figure

    @property
    def evaluated(self) -> bool:
        """Whether anything was measured."""
        return bool(self.figures["overall"])

    @property
    def standing(self) -> Standing:
        """Of all estimates together."""
        return standing(self.figures["overall"])

    @property
    def refused(self) -> bool:
        """Whether the gate kept it out."""
        return self.status is Status.REJECTED

    def segments(self, family: str) -> list[Segment]:
        """Those of a family: in their own order, municipalities those with the most sales first."""
        found = [Segment(family, key, figure) for key, figure in self.figures[family].named()]
        return sorted(found, key=_place)

    @cached_property
    def weakest(self) -> list[Segment]:
        """The type, fifth and municipality with the largest median error, in this order.

        Too small ones do not count. Of municipalities all do that had a sale, where that is known.
        """
        found = []
        places = "places" if self.figures["residuals"]["places"] else "by_municipality"
        for family in ("by_realestate_type", "by_price_fifth", places):
            told = self.places() if family == "places" else self.segments(family)
            told = best_first(told)
            if len(told) > 1:
                found.append(told[-1])
        return found

    @cached_property
    def worst_held(self) -> tuple[Segment, Figure] | None:
        """The segment whose intervals held worst, and how; none where all are good.

        A risk is worse than what is ok, then what is farther from what was wanted, on either side.
        """
        told = [s for s in self._told_covered if standing_of_coverage(s[1]) != "good"]
        return max(
            told,
            key=lambda item: (standing_of_coverage(item[1]) == "risk", _off(item[1])),
            default=None,
        )

    @property
    def weakness(self) -> Standing:
        """The worst of the standings of both."""
        told: list[Standing] = [segment.standing for segment in self.weakest]
        if self.worst_held:
            told.append(standing_of_coverage(self.worst_held[1]))
        ranked: tuple[Standing, ...] = ("risk", "ok", "good")
        return next((standing for standing in ranked if standing in told), "few")

    @property
    def outside(self) -> list[tuple[Name, list[str]]]:
        """What is a risk beside the errors: of all homes, and of types of home."""
        told = [(Name("all homes"), self.figures["overall"])]
        told += [(s.name, s.figure) for s in self.segments("by_realestate_type")]
        found = [(name, _risks(figure, self.covered(figure))) for name, figure in told]
        return [(name, risks) for name, risks in found if risks]

    @cached_property
    def few(self) -> list[Segment]:
        """Segments that had too few sales to tell."""
        found = [s for family in FAMILIES for s in self.segments(family)]
        return [segment for segment in found if segment.standing == "few"]

    @property
    def few_kinds(self) -> list[Segment]:
        """Those of them that are a type or a reach; municipalities are too many to name first."""
        return [s for s in self.few if s.family in ("by_realestate_type", "by_reach")]

    def places(self) -> list[Segment]:
        """Municipalities, those with the most sales first."""
        places = self.figures["residuals"]["places"]
        found = [Segment("places", key, figure) for key, figure in places.named()]
        return sorted(found, key=_place)

    def covered(self, figure: Figure) -> Figure:
        """How the intervals that are published by default did, of the metrics of a segment."""
        return next(
            (told for told in figure["coverage"] if told["wanted"].raw == COVERAGE), Figure(None)
        )

    @property
    def checks(self) -> list[Figure]:
        """What the gate's rules said."""
        return list(self.figures["verdict"]["checks"])

    def outcomes(self, outcome: str) -> list[Figure]:
        """The rules with an outcome."""
        return [check for check in self.checks if check["outcome"].raw == outcome]

    @property
    def blocking(self) -> list[Figure]:
        """The rules that kept it out."""
        kept = self.figures["verdict"]["blocking"].raw or ()
        return [check for check in self.checks if check["rule"].raw in kept]

    @property
    def let_through(self) -> list[Figure]:
        """The rules that keep a model out where they cannot be decided, and here did not."""
        if self.refused or not self.figures["verdict"]["accept_inconclusive"].raw:
            return []
        undecided = self.outcomes("inconclusive")
        return [check for check in undecided if not is_of_a_type(check["rule"].raw)]

    @property
    def undecided(self) -> list[Figure]:
        """The other rules that could not be decided; they keep no model out."""
        told = [*self.blocking, *self.let_through]
        return [check for check in self.outcomes("inconclusive") if check not in told]

    @property
    def idle(self) -> list[list[Figure]]:
        """The rules that do not apply, together with those that do not for the same reason."""
        found: dict[str, list[Figure]] = {}
        for check in self.outcomes("not_applicable"):
            found.setdefault(str(check["figures"]["reason"].raw), []).append(check)
        return list(found.values())

    @property
    def compared(self) -> list[Figure]:
        """The rules for which it was measured beside the version before."""
        return [check for check in self.checks if check["figures"]["active"]]

    @property
    def degradations(self) -> list[Figure]:
        """Those of them for which the change is known."""
        return [check for check in self.compared if check["figures"]["degradation"]]

    @property
    def known_places(self) -> list[Segment]:
        """Municipalities with enough sales to tell, the most accurate first."""
        return best_first(self.places())

    @property
    def covered_segments(self) -> list[tuple[Segment, Figure]]:
        """What the default intervals held, by segment."""
        found = [(s, self.covered(s.figure)) for family in FAMILIES for s in self.segments(family)]
        return [(segment, figure) for segment, figure in found if figure["n"].raw]

    @property
    def least_covered(self) -> tuple[Segment, Figure] | None:
        """The segment whose intervals hold the smallest share; too small ones do not count."""
        return min(self._told_covered, key=lambda item: item[1]["covered"].raw, default=None)

    @property
    def _told_covered(self) -> list[tuple[Segment, Figure]]:
        found = [s for s in self.covered_segments if s[1]["covered"].raw is not None]
        return [s for s in found if standing_of_coverage(s[1]) != "few"]

    def studies(self, *families: str) -> list[tuple[Name, Figure]]:
        """The ratio studies, overall and of the segments of families."""
        found = [(Name("all homes"), self.figures["overall"]["ratios"])]
        for family in families:
            found += [(s.name, s.figure["ratios"]) for s in self.segments(family)]
        return [(name, study) for name, study in found if study]

    @property
    def drivers(self) -> list[tuple[str, Figure]]:
        """Groups of facts, the strongest first."""
        found = self.figures["drivers"].named()
        return sorted(found, key=lambda driver: (-(driver[1]["mean"].raw or 0), driver[0]))

    @property
    def largest_drop(self) -> tuple[str, Figure] | None:
        """The reason for which most turnovers were dropped at a stage."""
        found = [drop for stage in self.figures["funnel"] for drop in stage["dropped"].named()]
        return max(found, key=lambda drop: drop[1].raw, default=None)
