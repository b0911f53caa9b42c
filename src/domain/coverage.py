"""How many sales fell inside the intervals that were made for them."""

from typing import Literal

from attrs import frozen

Status = Literal["good", "ok", "risk"]

MIN_ROWS = 30
"""With fewer sales than these the figures are chance."""
GOOD_WITHIN = 0.02
"""How far the share may be from what was wanted to be good."""
OK_WITHIN = 0.03
"""How near the share's interval has to come to it to be ok."""


@frozen
class Coverage:
    """Of *n* sales the share *covered* by intervals that were made to cover the share *wanted*.

    *lower* and *upper* bound the true share: the exact 95 % binomial interval (Clopper and Pearson,
    1934). *width* is the mean of (upper - lower) / estimate of the intervals.
    """

    n: int
    wanted: float
    covered: float
    lower: float
    upper: float
    width: float

    def meets(self, tolerance: float) -> bool:
        """Whether the true share may well be within *tolerance* of what was wanted."""
        return self.lower <= self.wanted + tolerance and self.upper >= self.wanted - tolerance

    @property
    def status(self) -> Status:
        """Good within 2 points of what was wanted, ok if it may be within 3; else a risk."""
        if self.n < MIN_ROWS or not self.meets(OK_WITHIN):
            return "risk"
        off = round(abs(self.covered - self.wanted), 9)  # 0.92 - 0.9 is more than 0.02
        return "good" if off <= GOOD_WITHIN else "ok"
