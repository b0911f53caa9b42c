"""Comparable sales: what was paid near a home, told by plain arrays of past sales."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import fields, frozen
from scipy.spatial import cKDTree

from ..domain.property import RealEstateType

Column = npt.NDArray[np.float64]
EARTH_RADIUS = 6371.0088
"""km; distances are chords, which are a home's way to its neighbours within any country."""
HALF_LIFE = 270.0
"""Days after which a sale counts half."""
NEAR = 0.03
"""km that are added to distances, so that a sale in the same building does not count alone."""
SIZES: Mapping[str, tuple[int, ...]] = {"same": (3, 8, 20, 50), "any": (3, 10, 40)}
"""How many of the nearest sales of the same type, and of any type, make a neighbourhood."""
LIKE_AREA, LIKE_YEARS = 0.25, 15.0
"""Differences in log area and in built year at which a sale counts 1/e as a home's like."""
_LOCAL = 20

NAMES = tuple(
    f"{group}_{name}"
    for group, sizes in SIZES.items()
    for name in (
        *(f"{what}_{size}" for size in sizes for what in ("residual", "per_sqm", "distance")),
        *(f"spread_{size}" for size in sizes if size >= 8),
        *(f"like_{what}" for what in ("residual", "per_sqm", "weight")),
        *("area", "age", "built_year"),
    )
)
"""What is told of a home's neighbours, in this order."""


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

    def features(self, homes: Mapping[str, Any]) -> list[Column]:
        """The columns of NAMES; NaN where there is no such sale."""
        return [
            column
            for group, sizes in SIZES.items()
            for column in self._told(homes, *self._nearest(homes, group, max(sizes)), sizes)
        ]

    def _told(
        self, homes: Mapping[str, Any], distance: Any, sale: Any, sizes: tuple[int, ...]
    ) -> Iterator[Column]:
        found = np.isfinite(distance)
        days = np.maximum(np.asarray(homes["day"])[:, None] - self.day[sale], 0)
        fresh = 0.5 ** (days / HALF_LIFE)
        residual, per_sqm = self.residual[sale], self.per_sqm[sale]
        area = self.log_area[sale] - np.log(homes["usable_area"])[:, None]
        years = self.built_year[sale] - np.asarray(homes["built_year"])[:, None]
        weight = fresh / (distance + NEAR)
        for size in sizes:
            yield _mean(residual[:, :size], weight[:, :size])
            yield _mean(per_sqm[:, :size], weight[:, :size])
            yield np.log(np.where(found[:, size - 1], distance[:, size - 1], np.nan) + 0.01)
        for size in sizes:
            if size >= 8:
                yield _spread(residual[:, :size], weight[:, :size])
        reach = np.where(found[:, 7], distance[:, 7], 100.0)[:, None] + 0.05
        apart = np.where(found, distance, 0.0) / reach
        unlike = np.abs(area) / LIKE_AREA + np.abs(years) / LIKE_YEARS + apart
        alike = np.where(found, fresh * np.exp(-unlike) + 1e-9, 0.0)
        yield _mean(residual, alike)
        yield _mean(per_sqm, alike)
        yield np.log(alike.sum(axis=1) + 1e-12)
        for values in (area, days, years):
            yield _mean(values[:, :_LOCAL], weight[:, :_LOCAL])

    def _nearest(self, homes: Mapping[str, Any], group: str, most: int) -> tuple[Column, Any]:
        """Distances in km and places of the nearest sales, shape (homes, most); none is inf, 0."""
        asked = _sphere(homes["lat"], homes["lon"])
        distance = np.full((len(asked), most), np.inf)
        sale = np.zeros((len(asked), most), dtype=np.int64)
        for kind, (members, tree) in self._trees[group].items():
            rows = slice(None) if kind is None else homes["realestate_type"] == kind
            count = min(most, len(members))
            ranks = np.arange(1, count + 1)
            found, place = tree.query(asked[rows], k=ranks)
            distance[rows, :count], sale[rows, :count] = found, members[place]
        return distance, sale

    @cached_property
    def _trees(self) -> Mapping[str, Mapping[int | None, tuple[Any, Any]]]:
        points, every = _sphere(self.lat, self.lon), np.arange(len(self.lat))
        kinds = {kind.code: every[self.realestate_type == kind.code] for kind in RealEstateType}
        return {
            "same": {
                code: (members, cKDTree(points[members]))
                for code, members in kinds.items()
                if len(members)
            },
            "any": {None: (every, cKDTree(points))},
        }


def _mean(values: Any, weight: Any) -> Column:
    total = weight.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((values * weight).sum(axis=1) / total)


def _spread(values: Any, weight: Any) -> Column:
    return np.asarray(np.sqrt(_mean(np.square(values - _mean(values, weight)[:, None]), weight)))


def _sphere(lat: Any, lon: Any) -> npt.NDArray[np.float64]:
    lat, lon = np.radians(lat), np.radians(lon)
    across = np.cos(lat)
    return EARTH_RADIUS * np.column_stack([across * np.cos(lon), across * np.sin(lon), np.sin(lat)])
