"""What segments, stages, reasons and rules are called."""

from functools import cache
from html import escape

from attrs import evolve, frozen
from markupsafe import Markup

from ...domain.gating import Incumbent
from ..municipalities import reference

_TYPES = {
    "enebolig": "detached house",
    "tomannsbolig": "semi-detached house",
    "rekkehus": "terraced house",
    "leilighet": "apartment",
    "hytte": "cabin",
}
_FIFTHS = {
    "1": "cheapest fifth",
    "2": "second cheapest fifth",
    "3": "middle fifth",
    "4": "second dearest fifth",
    "5": "dearest fifth",
}
_REACH = {
    "usual": "usual homes",
    "near_edge": "homes near the edge of what was sold",
    "out_of_domain": "homes unlike any that was sold",
}
_STAGES = {
    "normalise": "readable sales of one unit",
    "match_unit": "matched with a property",
    "match_property": "property known",
    "merge": "newest sale of each home",
    "validate": "complete and plausible",
}
_REASONS = {
    "duplicate_turnover": "sent twice",
    "invalid:turnover_date": "no date that can be read",
    "outside_period": "outside the period",
    "multi_unit": "several units for one price",
    "invalid:price": "no price",
    "unmatched:unit": "unit unknown",
    "multi_property": "several properties on the unit",
    "unmatched:property": "property unknown",
    "resale_within_window": "sold again later in the period",
    "missing:floor_for_leilighet": "apartment without a floor",
    "invalid:realestate_type": "unknown type of home",
    "unsupported:realestate_type": "a type that is not valued (commercial)",
    "invalid:municipality_number": "no municipality number",
    "invalid:latlon": "impossible position",
    "invalid:built_year": "impossible year of building",
    "invalid:usable_area": "implausible usable area",
    "invalid:total_area": "implausible total area",
    "invalid:total_area_lt_bra": "total area below usable area",
    "invalid:floor": "implausible floor",
    "invalid:bedrooms": "implausible bedrooms",
    "invalid:rooms": "implausible rooms",
    "outlier:price_per_sqm": "implausible price for its size",
}
_DRIVERS = {
    "location": "where it is",
    "size": "how large it is",
    "age": "how old it is",
    "type": "what kind of home it is",
    "time": "when it is valued",
    "comparables": "what was paid for homes like it nearby",
}
METRICS = {
    "mae": "mean error",
    "mdape": "median error",
    "p90": "error that nine in ten stay below",
    "wape": "errors / prices",
}
_RULES = {"enough_rows": "enough sales", "beats_baseline": "better than the naive baseline"}
RATIOS = {
    "median_ratio": "Level: median ratio",
    "cod": "Scatter: COD",
    "prd": "Dear against cheap: PRD",
    "prb": "Dear against cheap: PRB",
}
SHORT_RATIOS = {"median_ratio": "median ratio", "cod": "COD", "prd": "PRD", "prb": "PRB"}
NOT_COMPARED = {
    Incumbent.NONE.value: "no version was active yet, so there is nothing to compare with",
    Incumbent.STUB.value: "the active version was a stub, which says nothing of any home",
    Incumbent.REPLACED.value: "the active version could not be read and was replaced, as asked",
    "no_intervals": "the model has no intervals",
}


@frozen
class Name:
    """What something is called, what that means, and its number or code if it has one."""

    text: str
    gloss: str | None = None
    code: str | None = None

    @property
    def plain(self) -> str:
        """In a picture."""
        return ", ".join(part for part in (self.text or self.code, self.gloss) if part)

    @property
    def english(self) -> str:
        """In a sentence."""
        return self.gloss or self.text

    @property
    def plural(self) -> str:
        """In a sentence about all of them."""
        return f"{self.gloss}s" if self.gloss else self.text or self.code or ""

    @property
    def title(self) -> Markup:
        """At the beginning of a line."""
        return Markup.escape(evolve(self, text=self.text[:1].upper() + self.text[1:]))

    def __html__(self) -> str:
        parts = [escape(self.text)] if self.text else []
        if self.gloss:
            parts.append(f"<small>{escape(self.gloss)}</small>")
        if self.code:
            parts.append(f"<code>{escape(self.code)}</code>")
        return " ".join(parts)


def of(family: str, key: str) -> Name:
    """The name of a segment of `by_realestate_type`, `by_municipality`, ...; of an unknown its key.

    Keys that are no words are codes: they are not read as numbers.
    """
    if family in ("by_municipality", "places"):
        known = reference().find(key)
        return Name(known.name if known else "", code=key)
    if family == "by_realestate_type":
        return Name(key, _TYPES.get(key)) if key in _TYPES else Name("", code=key)
    return _named({"by_price_fifth": _FIFTHS, "by_reach": _REACH}.get(family, {}), key)


def driver(key: str) -> Name:
    """A group of facts of an explanation."""
    return _named(_DRIVERS, key)


def stage(key: str) -> Name:
    """A stage of the funnel."""
    return _named(_STAGES, key)


def reason(key: str) -> Name:
    """Why a turnover was dropped."""
    fields = key.removeprefix("missing:")
    if key not in _REASONS and fields != key:
        return Name("missing: " + ", ".join(part.replace("_", " ") for part in fields.split(",")))
    return _named(_REASONS, key)


def rule(key: str, *, english: bool = False) -> Name:
    """A rule of the gate, as `overall_mae`; *english*: with types of homes as in a sentence."""
    segment, _, metric = key.rpartition("_")
    homes = of("by_realestate_type", segment).plural if english else segment
    about = "" if segment == "overall" else f" of {homes}"
    if key in _RULES:
        return Name(_RULES[key])
    if metric in METRICS:
        return Name(METRICS[metric] + about)
    return Name(f"intervals{about}") if metric == "coverage" else Name("", code=key)


@cache
def centres() -> tuple[tuple[float, float], ...]:
    """Where people live: latitude and longitude of every municipality, degrees."""
    return tuple((place.lat, place.lon) for place in reference().current)


def _named(known: dict[str, str], key: str) -> Name:
    if key in known:
        return Name(known[key])
    return Name("", code=key) if any(c.isdigit() for c in key) else Name(key)
