"""How assessments are judged: the figures of the IAAO Standard on Ratio Studies (2013).

The ratio of a sale is estimate / price.
"""

from collections.abc import Mapping
from typing import Literal

from attrs import fields, frozen

Band = tuple[float, float]
BANDS: Mapping[str, Band] = {
    "median_ratio": (0.90, 1.10),
    "cod": (5.0, 15.0),
    "prd": (0.98, 1.03),
    "prb": (-0.05, 0.05),
}
"""What the standard accepts of homes; COD in percent, of older and mixed areas."""
MIN_ROWS = 30
Status = Literal["good", "ok", "risk"]


@frozen
class Ratio:
    """A figure with its 95 % bootstrap interval."""

    value: float
    lower: float
    upper: float

    def status(self, band: Band, n: int) -> Status:
        """Good inside the band, ok if it may well be, else a risk; of too few sales, a risk."""
        low, high = band
        if n < MIN_ROWS or not self.lower <= self.upper:
            return "risk"
        if low <= self.value <= high:
            return "good"
        return "ok" if self.lower <= high and low <= self.upper else "risk"


@frozen
class RatioStudy:
    """The level and the uniformity of *n* estimates.

    median_ratio: the level. cod: mean absolute deviation from the median ratio in percent of it.
    prd: mean ratio / (sum of estimates / sum of prices), above 1 where dear homes are estimated
    lower. prb: the change of the ratio, as a share of the median, when the value doubles: slope of
    (ratio - median) / median on log2((price + estimate / median) / 2).
    """

    n: int
    median_ratio: Ratio
    cod: Ratio
    prd: Ratio
    prb: Ratio

    def statuses(self) -> dict[str, Status]:
        """By figure."""
        return {
            item.name: getattr(self, item.name).status(BANDS[item.name], self.n)
            for item in fields(type(self))
            if item.name in BANDS
        }
