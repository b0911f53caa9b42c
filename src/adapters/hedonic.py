"""What homes are worth by their traits, their municipality and the time: a linear model of logs."""

from collections.abc import Mapping
from functools import cached_property
from math import log
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..domain.property import RealEstateType
from . import elementary
from .compiled import compiled, inlined
from .market_index import WEEK, MarketIndex
from .table import BUILT, DAY, FLOOR, MUNICIPALITY, ROOMS, TOTAL, TYPE, USABLE, HomeTable

Column = npt.NDArray[np.float64]
DAYS_A_YEAR = 365.2425
TRAITS_PENALTY = 1.0
PLACE_PENALTY = 4.0
"""Sales that a municipality needs to count half of what they say: a random effect."""
STEP_PENALTY = 1_500.0
"""Variance of a sale over that of a week's step: 0.2 squared over 0.005 squared."""
OUTLYING = 2.0
"""Residuals beyond so many median ones weigh less, in proportion (Huber)."""


TRAITS = 1 + 6 + 5 + 2 + 4 * len(RealEstateType) + 4 + 5 + 5
_TYPES = len(RealEstateType)
_FIRST, _STEPS, _PLACES, _COEFFICIENTS = 0, 1, 2, 3
_AREA_KNOTS = np.array([-0.7, -0.35, 0.0, 0.35, 0.7])
_AGE_KNOTS = np.array([0.1, 0.3, 0.8, 1.4])
"""Where a packed model has its first day, how many steps and places, and its coefficients."""


def age(day: Any, built_year: Any) -> Any:
    """Years at the sale or valuation: numbers or columns."""
    return 1 + day / DAYS_A_YEAR - built_year


age_of_one = inlined(age)


@compiled("float64[:,::1](float64[:,::1], float64[::1])")
def tell(homes: Any, packed: Any) -> Any:
    """The traits of homes; then log NOK per m2 at the price level 1, and the log of that level.

    Shape (homes, TRAITS + 2).
    """
    steps, places = int(packed[_STEPS]), int(packed[_PLACES])
    levels = _COEFFICIENTS + TRAITS
    numbers = levels + steps + 1
    all_told = np.empty((homes.shape[1], TRAITS + 2))
    for home in range(homes.shape[1]):
        told = all_told[home]
        usable, kind = homes[USABLE, home], homes[TYPE, home]
        area = log(usable) - 4.5
        years = age_of_one(homes[DAY, home], homes[BUILT, home])
        decades = min(max(years, -2.0), 150.0) / 50
        plot = min(log(homes[TOTAL, home] / usable), 3.0)
        told[0], told[1] = 1.0, area
        for at in range(_AREA_KNOTS.size):
            told[2 + at] = max(area - _AREA_KNOTS[at], 0.0)
        told[7] = decades
        for at in range(_AGE_KNOTS.size):
            told[8 + at] = max(decades - _AGE_KNOTS[at], 0.0)
        told[12], told[13] = plot, max(plot - 0.7, 0.0)
        for code in range(_TYPES):
            at, flag = 14 + 4 * code, 1.0 if kind == code else 0.0
            told[at], told[at + 1] = flag, flag * area
            told[at + 2], told[at + 3] = flag * decades, flag * plot
        at = 14 + 4 * _TYPES
        for field in range(FLOOR, ROOMS + 1):
            given = homes[field, home]
            known = given == given
            number = min(max(given, -2.0), 12.0) if known else 0.0
            told[at], told[at + 1] = 0.0 if known else 1.0, number / 5
            told[at + 2], told[at + 3] = max(number - 2, 0.0) / 5, max(number - 4, 0.0) / 5
            at += 4
            if field != FLOOR:
                told[at] = 50 * number / usable
                at += 1
        worth = 0.0
        for at in range(TRAITS):
            worth += told[at] * packed[_COEFFICIENTS + at]
        low, high = numbers, numbers + places
        while low < high:
            middle = (low + high) // 2
            if packed[middle] < homes[MUNICIPALITY, home]:
                low = middle + 1
            else:
                high = middle
        if low < numbers + places and packed[low] == homes[MUNICIPALITY, home]:
            worth += packed[low + places]
        told[TRAITS] = worth
        week = (homes[DAY, home] - packed[_FIRST]) / WEEK
        told[TRAITS + 1] = packed[levels + int(min(week, float(steps)))] if week > 0 else 0.0
    return all_told


@frozen(eq=False, slots=False)
class Hedonic:
    """Log NOK per m2 = traits times *coefficients* + the municipality's effect + the index."""

    coefficients: Column
    municipalities: Column
    effects: Column
    index: MarketIndex

    @classmethod
    def of(cls, sales: Mapping[str, Any]) -> Self:
        """Ridge regression, repeated once with outlying sales weighing less."""
        from .ridge import ridge

        y = elementary.log(sales["price"] / sales["usable_area"])
        x, first = traits(sales), np.array([float(np.min(sales["day"]))])
        weeks = MarketIndex.weeks(sales["day"], first)
        penalty = np.full(TRAITS, TRAITS_PENALTY)
        penalty[0] = 1e-9
        codes, place = np.unique(sales["municipality_number"], return_inverse=True)
        weights = np.ones(len(y))
        for _ in range(2):
            beta, steps, effects = ridge(
                x, y, weeks, place, weights, penalty, STEP_PENALTY, PLACE_PENALTY
            )
            model = cls(beta, codes, effects, MarketIndex(first, steps))
            off = np.abs(y - model.log_per_sqm(sales))
            weights = np.minimum(1, OUTLYING * np.median(off) / np.maximum(off, 1e-9))
            weights = np.maximum(weights, 1e-3)
        return model

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Read and checked; ValueError, KeyError."""
        rows = [arrays[name] for name in ("coefficients", "municipalities", "effects")]
        for row in rows:
            if row.dtype != np.float64 or row.ndim != 1 or not np.isfinite(row).all():
                raise ValueError("the hedonic model is not of rows of finite numbers")
        coefficients, codes, effects = rows
        if len(coefficients) != TRAITS:
            raise ValueError("there is one coefficient a trait")
        if len(codes) != len(effects) or not len(codes) or (np.diff(codes) <= 0).any():
            raise ValueError("the municipalities are not sorted or lack effects")
        return cls(coefficients, codes, effects, MarketIndex.from_arrays(arrays))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return self.index.arrays() | {
            "coefficients": self.coefficients,
            "municipalities": self.municipalities,
            "effects": self.effects,
        }

    def log_per_sqm(self, homes: Mapping[str, Any]) -> Column:
        """The log of NOK per m2 of usable area; the same bits for a home alone and among others."""
        told = tell(HomeTable.of(homes).matrix, self.packed)
        return np.asarray(told[:, TRAITS] + told[:, TRAITS + 1])

    def before_time(self, homes: Mapping[str, Any]) -> Column:
        """The same at the price level 1; the day still tells how old a home is."""
        return np.asarray(tell(HomeTable.of(homes).matrix, self.packed)[:, TRAITS])

    @cached_property
    def packed(self) -> Column:
        """First day, how many steps and municipalities there are, coefficients, price levels,
        municipalities and their effects.
        """
        counts = [len(self.index.steps), len(self.effects)]
        rows = (self.index.first, counts, self.coefficients, self.index.levels)
        return np.concatenate([*rows, self.municipalities, self.effects])


def traits(homes: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """The regressors, each of the size of 1, shape (homes, TRAITS); the first is constant."""
    none = np.zeros(_COEFFICIENTS + TRAITS + 1)
    return np.asarray(tell(HomeTable.of(homes).matrix, none)[:, :TRAITS])
