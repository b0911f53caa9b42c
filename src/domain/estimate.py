"""What a home is asked to be valued for, and what is answered."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum

from attrs import frozen

from .appraisal import Confidence, PriceInterval
from .explanation import Explanation
from .property import Property
from .rules import Fault, faults
from .turnover import add_months

CURRENCY = "NOK"


class OnInvalid(Enum):
    """What to do with a batch that has an invalid property."""

    FAIL = "fail"
    SKIP = "skip"


@frozen
class Home:
    """A property to value, with the faults of what could not be read of it."""

    property_id: str
    home: Property
    valuation_date: date
    unreadable: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, property_id: str, features: object, valuation_date: date) -> "Home":
        """Read the features strictly (Property.parse)."""
        home, unreadable = Property.parse(features)
        return cls(property_id, home, valuation_date, id_faults(property_id) + unreadable)

    @property
    def values(self) -> dict[str, float]:
        """The row that the rules look at."""
        return self.home.values(year=self.valuation_date.year)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All that is wrong with it; what was given but not readable is not also missing."""
        found = list(self.unreadable)
        known_bad = {fault.field for fault in self.unreadable}
        if any(fault.code == "invalid_type:property" for fault in self.unreadable):
            return self.unreadable
        for fault in faults(self.values):
            fields = [name for name in fault.field.split(",") if name not in known_bad]
            if fault.code.startswith("missing:") and fault.code != "missing:floor_for_leilighet":
                if fields:
                    joined = ",".join(fields)
                    found.append(Fault(joined, f"missing:{joined}", fault.message))
            elif fields:
                found.append(fault)
        return tuple(found)


def id_faults(property_id: str) -> tuple[Fault, ...]:
    """A property id has 1 to 64 printable ASCII characters."""
    if 1 <= len(property_id) <= 64 and property_id.isascii() and property_id.isprintable():
        return ()
    message = "must be 1 to 64 printable ASCII characters"
    return (Fault("property_id", "invalid:property_id", message),)


@frozen
class PriceEstimate:
    """A home's estimated price in whole NOK, and by m2 of usable area.

    *fsd*, the forecast standard deviation, is a fraction of the price. A model that does not know
    how far off it is has no interval, fsd and confidence. *explanation* is there if asked for.
    """

    property_id: str
    estimated_price: int
    price_per_sqm: int
    model_version: str
    valuation_date: date
    warnings: tuple[str, ...] = ()
    interval: PriceInterval | None = None
    fsd: float | None = None
    confidence: Confidence | None = None
    currency: str = CURRENCY
    explanation: Explanation | None = None


@frozen(eq=False)
class Estimates:
    """Estimates of homes that are columns: of each figure a list, as in PriceEstimate.

    What stands in a row that is *refused* means nothing.
    """

    model_version: str
    coverage: float
    estimated_price: Sequence[int]
    price_per_sqm: Sequence[int]
    interval: Sequence[tuple[int, int] | None]
    fsd: Sequence[float | None]
    warnings: Sequence[tuple[str, ...]]
    refused: Mapping[int, "tuple[Fault, ...]"]

    def of(self, row: int, home: Home) -> "PriceEstimate | Refusal":
        """That of the home in this row."""
        if row in self.refused:
            return Refusal(home.property_id, self.refused[row])
        bounds, fsd = self.interval[row], self.fsd[row]
        return PriceEstimate(
            home.property_id,
            self.estimated_price[row],
            self.price_per_sqm[row],
            self.model_version,
            home.valuation_date,
            self.warnings[row],
            bounds and PriceInterval(*bounds, self.coverage),
            fsd,
            None if fsd is None else Confidence.of(fsd),
        )


@frozen
class Refusal:
    """A home that is not valued, and why."""

    property_id: str
    faults: tuple[Fault, ...]


@frozen
class ValuationDates:
    """How far from the sales that a model knows a valuation may be, after them or before."""

    warn_months: int = 6
    max_months: int = 18

    def look(
        self, day: date, newest: date | None, oldest: date | None = None
    ) -> tuple[tuple[Fault, ...], tuple[str, ...]]:
        """The faults and the warnings of a valuation on *day*; sales from *oldest* to *newest*."""
        if newest is not None and day > add_months(newest, self.max_months):
            return (self._fault(f"after the newest sale ({newest})"),), ()
        if oldest is not None and day < add_months(oldest, -self.max_months):
            return (self._fault(f"before the oldest sales ({oldest})"),), ()
        if newest is not None and day > add_months(newest, self.warn_months):
            return (), ("stale:valuation_date",)
        if oldest is not None and day < add_months(oldest, -self.warn_months):
            return (), ("near_edge:valuation_date",)
        return (), ()

    def _fault(self, how_far: str) -> Fault:
        message = f"is more than {self.max_months} months {how_far} that the model knows"
        return Fault("valuation_date", "out_of_domain:valuation_date", message)
