"""How the price level moved in time."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

Column = npt.NDArray[np.float64]
WEEK = 7.0
MOST_WEEKS = 5_000


@frozen(eq=False)
class MarketIndex:
    """The price level as a random walk from week to week, in logs.

    *steps* are the changes with which the second and each later week since the day *first* begins.
    Before the first week the level is 0. After the last sale it stays where it was: the best
    guess of a random walk, and the rule for valuations of later days.
    """

    first: Column
    steps: Column

    @staticmethod
    def weeks(days: Any, first: Column) -> npt.NDArray[np.int64]:
        """In which week from *first* on days are, 0 in the first; before it they are negative."""
        week: Column = np.floor((np.asarray(days, dtype=np.float64) - first) / WEEK)
        return week.astype(np.int64)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Read and checked; ValueError, KeyError."""
        index = cls(arrays["index_first"], arrays["index_steps"])
        for row in (index.first, index.steps):
            if row.dtype != np.float64 or row.ndim != 1 or not np.isfinite(row).all():
                raise ValueError("the index is not a row of finite numbers")
        if len(index.first) != 1 or len(index.steps) > MOST_WEEKS:
            raise ValueError("the index has one first day and a step a week")
        return index

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {"index_first": self.first, "index_steps": self.steps}

    @property
    def levels(self) -> Column:
        """The log of the price level in each week."""
        return np.concatenate([[0.0], np.cumsum(self.steps)])

    def level(self, days: Any) -> Column:
        """The log of the price level on each day (ordinals)."""
        week = self.weeks(days, self.first)
        return self.levels[np.clip(week, 0, len(self.steps))]
