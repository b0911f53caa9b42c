"""What a model says of homes, a column each: what they are worth, and how sure that is."""

from collections.abc import Mapping
from enum import Enum
from math import isfinite, nan
from typing import Any

from attrs import field, frozen

from .reach import Reaches

COVERAGES = (0.8, 0.9, 0.95)
"""Shares of sales that intervals are made to hold."""
COVERAGE = 0.9
"""That is meant where none is asked for, and that the gate looks at."""

HIGH_FSD, MEDIUM_FSD = 0.13, 0.20
"""Up to which confidence is high and medium: Freddie Mac's limits for its Home Value Explorer."""


def listed(column: Any) -> list[Any]:
    """A column as a list of plain values, whatever it is made of."""
    return column.tolist() if hasattr(column, "tolist") else list(column)


@frozen
class PriceInterval:
    """Whole NOK between which the price lies with the probability *coverage*."""

    lower: int
    upper: int
    coverage: float


@frozen(eq=False)
class Appraisal:
    """Prices in NOK, a column; and where the model can tell, how sure they are.

    *intervals* has (lower, upper) in NOK by coverage. *fsd*, the forecast standard deviation, is
    half the width of the interval that holds 68.27 % of sales, as a fraction of the price. Both may
    be NaN for a home. *reaches* tell how far homes are from what the model knows.
    """

    price: Any
    intervals: Mapping[float, tuple[Any, Any]] = field(factory=dict)
    fsd: Any = None
    reaches: Reaches | None = None

    def interval_of(self, row: int, coverage: float) -> PriceInterval | None:
        """That of one home, if it is known."""
        if coverage not in self.intervals:
            return None
        lower, upper = (float(bound[row]) for bound in self.intervals[coverage])
        if not (isfinite(lower) and isfinite(upper)):
            return None
        return PriceInterval(round(lower), round(upper), coverage)

    def fsd_of(self, row: int) -> float | None:
        """That of one home, if it is known."""
        found = nan if self.fsd is None else float(self.fsd[row])
        return found if isfinite(found) else None


class Confidence(Enum):
    """How sure an estimate is, in a word."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @classmethod
    def of(cls, fsd: float) -> "Confidence":
        """High up to HIGH_FSD, medium up to MEDIUM_FSD."""
        if fsd <= HIGH_FSD:
            return cls.HIGH
        return cls.MEDIUM if fsd <= MEDIUM_FSD else cls.LOW
