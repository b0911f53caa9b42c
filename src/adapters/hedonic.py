"""What homes are worth by their traits, their municipality and the time: a linear model of logs."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..domain.property import RealEstateType
from .market_index import MarketIndex

Column = npt.NDArray[np.float64]
DAYS_A_YEAR = 365.2425
TRAITS_PENALTY = 1.0
PLACE_PENALTY = 4.0
"""Sales that a municipality needs to count half of what they say: a random effect."""
STEP_PENALTY = 1_500.0
"""Variance of a sale over that of a week's step: 0.2 squared over 0.005 squared."""
OUTLYING = 2.0
"""Residuals beyond so many median ones weigh less, in proportion (Huber)."""


def age(homes: Mapping[str, Any]) -> Column:
    """Years at the sale or valuation."""
    year = 1 + np.asarray(homes["day"], dtype=np.float64) / DAYS_A_YEAR
    return np.asarray(year - homes["built_year"])


@frozen(eq=False)
class Hedonic:
    """Log NOK per m2 = traits times *coefficients* + the municipality's effect + the index."""

    coefficients: Column
    municipalities: Column
    effects: Column
    index: MarketIndex

    @classmethod
    def of(cls, sales: Mapping[str, Any]) -> Self:
        """Ridge regression, repeated once with outlying sales weighing less."""
        y = np.log(sales["price"] / sales["usable_area"])
        weeks = MarketIndex.weeks(sales["day"])
        x = np.hstack([traits(sales), weeks])
        penalty = np.full(x.shape[1], TRAITS_PENALTY)
        penalty[0] = 1e-9
        penalty[x.shape[1] - weeks.shape[1] :] = STEP_PENALTY
        codes, place = np.unique(sales["municipality_number"], return_inverse=True)
        weights = np.ones(len(y))
        for _ in range(2):
            beta, effects = _ridge(x, y, place, weights, penalty)
            off = np.abs(y - x @ beta - effects[place])
            weights = np.minimum(1, OUTLYING * np.median(off) / np.maximum(off, 1e-9))
            weights = np.maximum(weights, 1e-3)
        split = x.shape[1] - weeks.shape[1]
        first = np.array([float(np.min(sales["day"]))])
        return cls(beta[:split], codes, effects, MarketIndex(first, beta[split:]))

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

    def effect(self, homes: Mapping[str, Any]) -> Column:
        """Of each home's municipality; 0 where none was sold in it."""
        codes = np.asarray(homes["municipality_number"], dtype=np.float64)
        place = np.minimum(np.searchsorted(self.municipalities, codes), len(self.effects) - 1)
        return np.where(self.municipalities[place] == codes, self.effects[place], 0.0)

    def log_per_sqm(self, homes: Mapping[str, Any]) -> Column:
        """The log of NOK per m2 of usable area; the same bits for a home alone and among others."""
        return np.asarray(self.before_time(homes) + self.index.level(homes["day"]))

    def before_time(self, homes: Mapping[str, Any]) -> Column:
        """The same at the price level 1; the day still tells how old a home is."""
        worth = (traits(homes) * self.coefficients).sum(axis=1)
        return np.asarray(worth + self.effect(homes))


def traits(homes: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """The regressors, each of the size of 1, shape (homes, TRAITS); the first is constant."""
    area = np.log(homes["usable_area"]) - 4.5
    decades = np.clip(age(homes), -2, 150) / 50
    plot = np.minimum(np.log(homes["total_area"] / homes["usable_area"]), 3)
    columns = [np.ones(len(area))]
    columns += [area, *(np.maximum(area - knot, 0) for knot in (-0.7, -0.35, 0.0, 0.35, 0.7))]
    columns += [decades, *(np.maximum(decades - knot, 0) for knot in (0.1, 0.3, 0.8, 1.4))]
    columns += [plot, np.maximum(plot - 0.7, 0)]
    for kind in RealEstateType:
        flag = homes["realestate_type"] == kind.code
        columns += [flag, flag * area, flag * decades, flag * plot]
    for name in ("floor", "bedrooms", "rooms"):
        missing = np.isnan(homes[name])
        number = np.where(missing, 0, np.clip(homes[name], -2, 12))
        columns += [missing, number / 5, np.maximum(number - 2, 0) / 5]
        columns += [np.maximum(number - 4, 0) / 5]
        if name != "floor":
            columns.append(50 * number / homes["usable_area"])
    return np.column_stack(columns).astype(np.float64)


TRAITS = 1 + 6 + 5 + 2 + 4 * len(RealEstateType) + 4 + 5 + 5


def _ridge(x: Any, y: Any, place: Any, weights: Any, penalty: Any) -> tuple[Column, Column]:
    """Coefficients and effects of places; the effects are eliminated first, which is cheap."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(place.max() + 1))
    weighted = x * weights[:, None]
    sums = np.add.reduceat(weighted[order], starts, axis=0)
    totals = np.add.reduceat((weights * y)[order], starts)
    sizes = np.add.reduceat(weights[order], starts) + PLACE_PENALTY
    shared = sums / sizes[:, None]
    gram = weighted.T @ x - sums.T @ shared + np.diag(penalty)
    beta = np.linalg.solve(gram, weighted.T @ y - shared.T @ totals)
    return beta, (totals - sums @ beta) / sizes
