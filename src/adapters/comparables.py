"""Comparable sales: what was paid near a home, told by plain arrays of past sales."""

from collections.abc import Mapping
from functools import cached_property
from math import exp, log, nan, sqrt
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import fields, frozen

from ..domain.property import RealEstateType
from .compiled import compiled
from .nearest import Planted
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

_MOST_SIZES = max(map(len, SIZES.values()))
_NUMBER = np.array([len(sizes) for sizes in SIZES.values()])
_SIZES = np.array([[*sizes, *[0] * (_MOST_SIZES - len(sizes))] for sizes in SIZES.values()])
_FRESH, _SOLD, _LOG_AREA, _BUILT, _PER_SQM, _RESIDUAL, _ROW = range(7)
"""Of a sale, in a row as long as a line of the cache."""
PLACE, DISTANCE, ALIKE, _WEIGHT = range(4)
"""Of a neighbour: which sale it is, km, and by how much it counts as a home's like, and as near."""


@compiled(
    "int64(float64[:,::1], int64, int64, float64[:,::1], int64[::1], int64, float64,"
    " float64[:,::1], float64[::1], int64)"
)
def tell(
    homes: Any, home: int, group: int, sales: Any, columns: Any, found: int, newest: float,
    near: Any, told: Any, at: int,
) -> int:  # fmt: skip
    """What the neighbours of a home tell, from *at* on; where that ends.

    *columns* of the trees are *found*, the nearest first, with their km in *near*, shape
    (MOST, 4). With none all is NaN but the weight of its like, which is 0.
    """
    number, most = _NUMBER[group], _SIZES[group, _NUMBER[group] - 1]
    day, area, built = homes[DAY, home], log(homes[USABLE, home]), homes[BUILT, home]
    later = 2.0 ** ((newest - day) / HALF_LIFE)
    reach = (near[7, DISTANCE] if found > 7 else 100.0) + 0.05
    weights = residuals = per_sqm = 0.0
    likes = like_residuals = like_per_sqm = 0.0
    areas = days = years = 0.0
    spreads, size = at + 3 * number, 0
    likes_at = spreads
    for j in range(number):
        likes_at += 1 if _SIZES[group, j] >= _SPREAD else 0
    for j in range(most):
        km = nan
        if j < found:
            sale, km = columns[j], near[j, DISTANCE]
            since = day - sales[sale, _SOLD]
            fresh = sales[sale, _FRESH] * later if since > 0 else 1.0
            larger, newer = sales[sale, _LOG_AREA] - area, sales[sale, _BUILT] - built
            weight = fresh / (km + NEAR)
            unlike = abs(larger) / LIKE_AREA + abs(newer) / LIKE_YEARS + km / reach
            like = fresh * exp(-unlike) + 1e-9
            near[j, PLACE], near[j, ALIKE], near[j, _WEIGHT] = sales[sale, _ROW], like, weight
            weights += weight
            residuals += weight * sales[sale, _RESIDUAL]
            per_sqm += weight * sales[sale, _PER_SQM]
            likes += like
            like_residuals += like * sales[sale, _RESIDUAL]
            like_per_sqm += like * sales[sale, _PER_SQM]
            if j < _LOCAL:
                areas += weight * larger
                days += weight * max(since, 0.0)
                years += weight * newer
        if j + 1 == _LOCAL:
            told[likes_at + 3] = areas / weights
            told[likes_at + 4] = days / weights
            told[likes_at + 5] = years / weights
        if j + 1 == _SIZES[group, size]:
            mean = residuals / weights
            told[at], told[at + 1], told[at + 2] = mean, per_sqm / weights, log(km + 0.01)
            at += 3
            size += 1
            if j + 1 >= _SPREAD:
                squares = 0.0
                for i in range(min(j + 1, found)):
                    squares += near[i, _WEIGHT] * (sales[columns[i], _RESIDUAL] - mean) ** 2
                told[spreads] = sqrt(squares / weights)
                spreads += 1
    told[likes_at] = like_residuals / likes
    told[likes_at + 1] = like_per_sqm / likes
    told[likes_at + 2] = log(likes + 1e-12)
    return likes_at + 6


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
        place = self.planted.places
        rows = np.zeros((len(place), 8))
        rows[:, _FRESH] = np.exp2((self.day[place] - self.newest) / HALF_LIFE)
        rows[:, _SOLD], rows[:, _LOG_AREA] = self.day[place], self.log_area[place]
        rows[:, _BUILT], rows[:, _PER_SQM] = self.built_year[place], self.per_sqm[place]
        rows[:, _RESIDUAL], rows[:, _ROW] = self.residual[place], place
        return rows
