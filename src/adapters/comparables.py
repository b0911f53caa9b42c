"""Comparable sales: what was paid near a home, told by plain arrays of past sales."""

from collections.abc import Mapping
from functools import cached_property
from math import exp, inf, log, nan, sqrt
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import fields, frozen

from ..domain.places import CELL, Place
from ..domain.property import RealEstateType
from . import elementary
from .compiled import inlined
from .nearest import COLUMN, KM, Planted
from .table import BUILT, DAY, USABLE

Column = npt.NDArray[np.float64]
HALF_LIFE = 270.0
"""Days after which a sale counts half."""
NEAR = 0.03
"""km that are added to distances, so that a sale in the same building does not count alone."""
SIZES: Mapping[str, tuple[int, ...]] = {"same": (3, 8, 20, 50), "any": (3, 10, 40)}
"""How many of the nearest sales of the same type, and of any type, make a neighbourhood."""
LIKE_AREA, LIKE_YEARS = 0.25, 15.0
"""Differences in log area and in built year at which a sale counts 1/e as a home's like."""
_LOCAL = 20
_SPREAD = 8
"""The fewest whose spread is told."""

NAMES = tuple(
    f"{group}_{name}"
    for group, sizes in SIZES.items()
    for name in (
        *(f"{what}_{size}" for size in sizes for what in ("residual", "per_sqm", "distance")),
        *(f"spread_{size}" for size in sizes if size >= _SPREAD),
        *(f"like_{what}" for what in ("residual", "per_sqm", "weight")),
        *("area", "age", "built_year"),
    )
)
"""What is told of a home's neighbours, in this order."""

TOLD = {group: sum(name.startswith(f"{group}_") for name in NAMES) for group in SIZES}
"""How many columns a group has."""
_LIKES_AT = np.array([TOLD[group] - 6 for group in SIZES])
_MOST_SIZES = max(map(len, SIZES.values()))
_NUMBER = np.array([len(sizes) for sizes in SIZES.values()])
_SIZES = np.array([[*sizes, *[0] * (_MOST_SIZES - len(sizes))] for sizes in SIZES.values()])
_FRESH, _SOLD, _LOG_AREA, _BUILT, _PER_SQM, _RESIDUAL = range(6)
"""Of a sale, in a row as long as a line of the cache."""
LIKE, _WEIGHT = 2, 3
FACTS = 4
"""Of a neighbour, after COLUMN and KM: by how much it counts as a home's like, and as near."""


@inlined
def tell(
    homes: Any, home: int, group: int, sales: Any, newest: float, near: Any, told: Any, at: int
) -> None:
    """What the neighbours of a home tell, in the row *home* of *told* from the column *at* on.

    *near* has them, the nearest first, shape (homes, groups, MOST, FACTS). With none all is NaN
    but the weight of its like, which is 0.
    """
    number = _NUMBER[group]
    spreads, likes_at = at + 3 * number, at + _LIKES_AT[group]
    day, area, built = homes[DAY, home], log(homes[USABLE, home]), homes[BUILT, home]
    later = 2.0 ** ((newest - day) / HALF_LIFE)
    eighth = near[home, group, 7, KM]
    reach = (eighth if eighth < inf else 100.0) + 0.05
    weights, residuals, per_sqm = 0.0, 0.0, 0.0
    likes, like_residuals, like_per_sqm = 0.0, 0.0, 0.0
    areas, days, years = 0.0, 0.0, 0.0
    size = 0
    for j in range(_SIZES[group, number - 1]):
        km = near[home, group, j, KM]
        if km < inf:
            sale = int(near[home, group, j, COLUMN])
            since = day - sales[sale, _SOLD]
            fresh = sales[sale, _FRESH] * later if since > 0 else 1.0
            residual, paid = sales[sale, _RESIDUAL], sales[sale, _PER_SQM]
            larger, newer = sales[sale, _LOG_AREA] - area, sales[sale, _BUILT] - built
            weight = fresh / (km + NEAR)
            unlike = abs(larger) / LIKE_AREA + abs(newer) / LIKE_YEARS + km / reach
            like = fresh * exp(-unlike) + 1e-9
            near[home, group, j, LIKE] = like
            near[home, group, j, _WEIGHT] = weight
            weights += weight
            residuals += weight * residual
            per_sqm += weight * paid
            likes += like
            like_residuals += like * residual
            like_per_sqm += like * paid
            if j < _LOCAL:
                areas += weight * larger
                days += weight * max(since, 0.0)
                years += weight * newer
        if j + 1 == _SIZES[group, size]:
            size += 1
            mean = residuals / weights
            told[home, at] = mean
            told[home, at + 1] = per_sqm / weights
            told[home, at + 2] = log(km + 0.01) if km < inf else nan
            at += 3
            if j + 1 >= _SPREAD:
                squares = 0.0
                for i in range(j + 1):
                    if near[home, group, i, KM] < inf:
                        sale = int(near[home, group, i, COLUMN])
                        off = sales[sale, _RESIDUAL] - mean
                        squares += near[home, group, i, _WEIGHT] * off * off
                told[home, spreads] = sqrt(squares / weights)
                spreads += 1
        if j + 1 == _LOCAL:
            told[home, likes_at + 3] = areas / weights
            told[home, likes_at + 4] = days / weights
            told[home, likes_at + 5] = years / weights
    told[home, likes_at] = like_residuals / likes
    told[home, likes_at + 1] = like_per_sqm / likes
    told[home, likes_at + 2] = log(likes + 1e-12)


@frozen(eq=False, slots=False)
class Comparables:
    """Past sales, one entry each.

    Degrees, day ordinals, type codes, log of m2, years; *per_sqm* is the log of the price per m2 at
    the level of the newest sale's day, *residual* what is left of it by the hedonic model.
    """

    lat: Column
    lon: Column
    day: Column
    realestate_type: Column
    log_area: Column
    built_year: Column
    per_sqm: Column
    residual: Column

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Read and checked; ValueError, KeyError."""
        past = cls(**{item.name: arrays[f"sales_{item.name}"] for item in fields(cls)})
        for item in fields(cls):
            row = getattr(past, item.name)
            if row.dtype != np.float64 or row.ndim != 1 or not np.isfinite(row).all():
                raise ValueError(f"{item.name} of the sales is not a row of finite numbers")
            if len(row) != len(past.lat) or not len(row):
                raise ValueError("there are no sales, or they differ in length")
        if not np.isin(past.realestate_type, [kind.code for kind in RealEstateType]).all():
            raise ValueError("a sale is of no type")
        return past

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {f"sales_{item.name}": getattr(self, item.name) for item in fields(type(self))}

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """Of the sale in each column of their trees."""
        return np.asarray(self.planted.points[3], dtype=np.int64)

    def cells(self) -> list[Place]:
        """Where they are, from south to north, then from west to east."""
        where = np.floor(np.column_stack([self.lat, self.lon]) / CELL)
        cells, sales = np.unique(where, axis=0, return_counts=True)
        centres = ((cells + 0.5) * CELL).round(5)
        return [
            Place(lat, lon, n)
            for (lat, lon), n in zip(centres.tolist(), sales.tolist(), strict=True)
        ]

    @cached_property
    def newest(self) -> float:
        """The day of the newest sale."""
        return float(self.day.max())

    @cached_property
    def planted(self) -> Planted:
        """Their trees: one for each type by its code, then one for all."""
        every = np.arange(len(self.lat))
        kinds = [every[self.realestate_type == kind.code] for kind in RealEstateType]
        return Planted.of(self.lat, self.lon, [*kinds, every])

    @cached_property
    def told(self) -> npt.NDArray[np.float64]:
        """What is told of them, a row for each column of their trees."""
        place = self.places
        rows = np.zeros((len(place), 8))
        rows[:, _FRESH] = elementary.exp(log(2) * (self.day[place] - self.newest) / HALF_LIFE)
        rows[:, _SOLD], rows[:, _LOG_AREA] = self.day[place], self.log_area[place]
        rows[:, _BUILT], rows[:, _PER_SQM] = self.built_year[place], self.per_sqm[place]
        rows[:, _RESIDUAL] = self.residual[place]
        return rows
