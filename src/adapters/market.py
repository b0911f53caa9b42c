"""What is known of the market at a moment, and what it says of homes: the features of a model."""

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..domain.explanation import ComparableSale
from . import elementary
from .comparables import FACTS, LIKE, Comparables
from .features import FEATURES, see
from .hedonic import Hedonic
from .nearest import COLUMN, KM
from .table import LAT, LON, TYPE, HomeTable

Columns = Mapping[str, Any]
Matrix = npt.NDArray[np.float64]
Column = npt.NDArray[np.float64]
WARM_UP = 0.08
"""The share of the sales that come first: only the market of later ones is known well enough."""


@frozen(eq=False)
class Market:
    """Past sales and what a hedonic model makes of them."""

    hedonic: Hedonic
    comparables: Comparables

    @classmethod
    def of(cls, sales: Columns) -> Self:
        """All that *sales* (at least one) tell; nobody's price but theirs is in it."""
        hedonic = Hedonic.of(sales)
        per_sqm = elementary.log(sales["price"] / sales["usable_area"])
        day = np.asarray(sales["day"], dtype=np.float64)
        level = hedonic.index.level
        past = Comparables(
            lat=sales["lat"],
            lon=sales["lon"],
            day=day,
            realestate_type=sales["realestate_type"],
            log_area=elementary.log(sales["usable_area"]),
            built_year=sales["built_year"],
            per_sqm=per_sqm - level(day) + level(day.max()),
            residual=per_sqm - hedonic.log_per_sqm(sales),
        )
        return cls(hedonic, past)

    @classmethod
    def from_arrays(cls, arrays: Columns) -> Self:
        """Read and checked; ValueError, KeyError."""
        return cls(Hedonic.from_arrays(arrays), Comparables.from_arrays(arrays))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return self.hedonic.arrays() | self.comparables.arrays()

    def see(self, homes: Columns) -> tuple[Matrix, Column]:
        """The matrix of FEATURES, missing is NaN, and log NOK per m2 by the hedonic model.

        Shapes (homes, len(FEATURES)) and (homes,). The only definition there is of them.
        """
        table = HomeTable.of(homes)
        return self.features(table), self.hedonic.log_per_sqm(table)

    def features(self, homes: Columns) -> Matrix:
        """The matrix alone."""
        return self._look(HomeTable.of(homes))[0]

    def most_alike(self, homes: Columns, most: int) -> tuple[Any, Column]:
        """Places of the sales that count most as a home's like, and km to them, in that order.

        Of its type, and none from after the valuation. Shape (homes, most); none is 0, inf.
        """
        table = HomeTable.of(homes)
        near = self._look(table)[1][:, 0]
        sale = self.comparables.places[near[:, :, COLUMN].astype(np.int64)]
        distance = near[:, :, KM]
        known = np.isfinite(distance) & (self.comparables.day[sale] <= table["day"][:, None])
        weight = np.where(known, near[:, :, LIKE], 0.0)
        order = np.argsort(-weight, axis=1, kind="stable")[:, :most]
        sale, distance, weight = (
            np.take_along_axis(row, order, axis=1) for row in (sale, distance, weight)
        )
        return np.where(weight > 0, sale, 0), np.where(weight > 0, distance, np.inf)

    def _look(self, homes: HomeTable) -> tuple[Matrix, Matrix]:
        """The matrix of FEATURES, and the neighbours that it was made of (comparables.tell)."""
        past, matrix = self.comparables, homes.matrix
        near = past.planted.near(matrix[LAT], matrix[LON], matrix[TYPE], FACTS)
        return see(matrix, past.told, past.newest, near), near

    def paid(self, sale: Any) -> Any:
        """NOK, of the sales in these places."""
        past, level = self.comparables, self.hedonic.index.level
        per_sqm = past.per_sqm[sale] - level(past.day.max()) + level(past.day[sale])
        return elementary.exp(per_sqm + past.log_area[sale])

    def comparable_sales(self, homes: Columns, most: int) -> list[tuple[ComparableSale, ...]]:
        """Of each home those that count most (most_alike), at most so many."""
        sale, distance = self.most_alike(homes, most)
        past, level = self.comparables, self.hedonic.index.level
        price, day = self.paid(sale), past.day[sale]
        adjusted = price * elementary.exp(level(homes["day"])[:, None] - level(day))
        area, lat, lon = elementary.exp(past.log_area[sale]), past.lat[sale], past.lon[sale]
        columns = (price, day, distance, area, adjusted, lat, lon)
        return [
            tuple(_sale(*one) for one in zip(*rows, strict=True) if isfinite(one[2]))
            for rows in zip(*(column.tolist() for column in columns), strict=True)
        ]


def _sale(
    price: float, day: float, km: float, area: float, adjusted: float, lat: float, lon: float
) -> ComparableSale:
    """To 10 m, 0.1 m2 and 0.00001 degrees, which is a metre."""
    return ComparableSale(
        price=round(price),
        sold_on=date.fromordinal(int(day)),
        distance_km=round(km, 2),
        usable_area=round(area, 1),
        adjusted_price=round(adjusted),
        lat=round(lat, 5),
        lon=round(lon, 5),
    )


@frozen(eq=False)
class Seen:
    """Rows of a dataset, and what the market of earlier sales said of them."""

    rows: npt.NDArray[np.int64]
    features: Matrix
    hedonic: npt.NDArray[np.float64]


def as_known_then(sales: Columns, vintages: int) -> Seen:
    """Sales with their features, each by a market of sales from earlier days only.

    Time is cut into at most *vintages* parts, between days and with about as many sales each. The
    market that the sales of one part see is that of all parts before it, so it is as stale as one
    that a model serves with. The first sales have no market: they are left out.
    """
    day = np.asarray(sales["day"])
    rows, found = [np.empty(0, np.int64)], [np.empty((0, len(FEATURES)))]
    hedonic = [np.empty(0)]
    starts = vintage_starts(day, vintages)
    for start, end in zip(starts, [*starts[1:], np.inf], strict=False):
        now = np.flatnonzero((day >= start) & (day < end))
        market = Market.of({name: column[day < start] for name, column in sales.items()})
        homes = {name: column[now] for name, column in sales.items()}
        rows.append(now)
        x, per_sqm = market.see(homes)
        found.append(x)
        hedonic.append(per_sqm)
    return Seen(np.concatenate(rows), np.concatenate(found), np.concatenate(hedonic))


def vintage_starts(day: Any, vintages: int) -> list[int]:
    """The days on which parts of the time begin; none begins with the first sale's day."""
    ordered = np.sort(day)
    shares = np.linspace(WARM_UP, 1, vintages, endpoint=False)
    starts = np.unique(ordered[(shares * len(ordered)).astype(np.int64)])
    return [int(start) for start in starts if start > ordered[0]]
