"""Whether a version is good, where it is weak, and what became of it."""

from collections.abc import Mapping
from functools import cached_property
from math import nan
from typing import Literal

from attrs import frozen

from ...domain import coverage, ratio_study, segments
from ...domain.appraisal import COVERAGE
from ...domain.model import Kind, Status
from . import names
from .figure import Figure
from .names import Name

Standing = Literal["good", "ok", "risk", "few"]
MARKS: Mapping[Standing, str] = {"good": "●", "ok": "◆", "risk": "▲", "few": "○"}
WORDS: Mapping[Standing, str] = {
    "good": "good",
    "ok": "ok",
    "risk": "risk",
    "few": "too few to tell",
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
        """Those of a family, in the order of metrics.json."""
        return [Segment(family, key, figure) for key, figure in self.figures[family].named()]

    @cached_property
    def weakest(self) -> list[Segment]:
        """Of every family the segment with the largest median error; too small ones do not count.

        Of municipalities all count that had a sale, where that is known. The worst comes first.
        """
        found = []
        places = "places" if self.figures["residuals"]["places"] else "by_municipality"
        for family in ("by_realestate_type", "by_price_fifth", places):
            told = self.places() if family == "places" else self.segments(family)
            told = [segment for segment in told if segment.standing != "few"]
            told = [segment for segment in told if segment.figure["mdape"].raw is not None]
            if len(told) > 1:
                found.append(max(told, key=lambda segment: segment.figure["mdape"].raw))
        return sorted(found, key=lambda segment: -segment.figure["mdape"].raw)

    @cached_property
    def few(self) -> list[Segment]:
        """Segments that had too few sales to tell."""
        found = [s for family in FAMILIES for s in self.segments(family)]
        return [segment for segment in found if segment.standing == "few"]

    def places(self) -> list[Segment]:
        """Municipalities, those with the most sales first."""
        places = self.figures["residuals"]["places"]
        found = [Segment("places", key, figure) for key, figure in places.named()]
        return sorted(found, key=lambda segment: -segment.figure["n"].raw)

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
        told = [place for place in self.places() if place.standing != "few"]
        return sorted(told, key=lambda place: place.figure["mdape"].raw)

    @property
    def covered_segments(self) -> list[tuple[Segment, Figure]]:
        """What the default intervals held, by segment."""
        found = [(s, self.covered(s.figure)) for family in FAMILIES for s in self.segments(family)]
        return [(segment, figure) for segment, figure in found if figure["n"].raw]

    @property
    def least_covered(self) -> tuple[Segment, Figure] | None:
        """The segment whose intervals hold the smallest share; too small ones do not count."""
        told = [s for s in self.covered_segments if standing_of_coverage(s[1]) != "few"]
        return min(told, key=lambda item: item[1]["covered"].raw, default=None)

    def studies(self, *families: str) -> list[tuple[Name, Figure]]:
        """The ratio studies, overall and of the segments of families."""
        found = [(Name("all homes"), self.figures["overall"]["ratios"])]
        for family in families:
            found += [(s.name, s.figure["ratios"]) for s in self.segments(family)]
        return [(name, study) for name, study in found if study]

    @property
    def largest_drop(self) -> tuple[str, Figure] | None:
        """The reason for which most turnovers were dropped at a stage."""
        found = [drop for stage in self.figures["funnel"] for drop in stage["dropped"].named()]
        return max(found, key=lambda drop: drop[1].raw, default=None)
