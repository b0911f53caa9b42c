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
            for column in self._told(self._nearest(homes, group, max(sizes)), sizes)
        ]

    def most_alike(self, homes: Mapping[str, Any], most: int) -> tuple[Any, Column]:
        """Places of the sales that count most as a home's like, and km to them, in that order.

        Of its type, and none from after the valuation. Shape (homes, most); none is 0, inf.
        """
        near = self._nearest(homes, "same", max(SIZES["same"]))
        known = self.day[near.sale] <= np.asarray(homes["day"])[:, None]
        weight = np.where(known, near.alike, 0.0)
        order = np.argsort(-weight, axis=1, kind="stable")[:, :most]
        sale, distance, weight = (
            np.take_along_axis(row, order, axis=1) for row in (near.sale, near.distance, weight)
        )
        return np.where(weight > 0, sale, 0), np.where(weight > 0, distance, np.inf)

    def _told(self, near: "_Neighbours", sizes: tuple[int, ...]) -> Iterator[Column]:
        residual, per_sqm = self.residual[near.sale], self.per_sqm[near.sale]
        for size in sizes:
            yield _mean(residual[:, :size], near.weight[:, :size])
            yield _mean(per_sqm[:, :size], near.weight[:, :size])
            yield np.log(near.farthest(size) + 0.01)
        for size in sizes:
            if size >= 8:
                yield _spread(residual[:, :size], near.weight[:, :size])
        yield _mean(residual, near.alike)
        yield _mean(per_sqm, near.alike)
        yield np.log(near.alike.sum(axis=1) + 1e-12)
        for values in (near.area, near.days, near.years):
            yield _mean(values[:, :_LOCAL], near.weight[:, :_LOCAL])

    def _nearest(self, homes: Mapping[str, Any], group: str, most: int) -> "_Neighbours":
        asked = _sphere(homes["lat"], homes["lon"])
        distance = np.full((len(asked), most), np.inf)
        sale = np.zeros((len(asked), most), dtype=np.int64)
        for kind, (members, tree) in self._trees[group].items():
            rows = slice(None) if kind is None else homes["realestate_type"] == kind
            count = min(most, len(members))
            ranks = np.arange(1, count + 1)
            found, place = tree.query(asked[rows], k=ranks)
            distance[rows, :count], sale[rows, :count] = found, members[place]
        return _Neighbours(
            sale,
            distance,
            days=np.maximum(np.asarray(homes["day"])[:, None] - self.day[sale], 0),
            area=self.log_area[sale] - np.log(homes["usable_area"])[:, None],
            years=self.built_year[sale] - np.asarray(homes["built_year"])[:, None],
        )

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


@frozen(eq=False, slots=False)
class _Neighbours:
    """The nearest sales of homes, each against the home; shape (homes, most), the nearest first.

    Places, km, days since the sale, differences in log m2 and in built years. Where there are not
    so many sales the place is 0 and the distance inf.
    """

    sale: Any
    distance: Column
    days: Column
    area: Column
    years: Column

    @cached_property
    def weight(self) -> Column:
        """By how much a sale counts as near and fresh."""
        return np.asarray(self._fresh / (self.distance + NEAR))

    @cached_property
    def alike(self) -> Column:
        """By how much a sale counts as the home's like; 0 where there is none."""
        reach = np.where(self._found[:, 7], self.distance[:, 7], 100.0)[:, None] + 0.05
        apart = np.where(self._found, self.distance, 0.0) / reach
        unlike = np.abs(self.area) / LIKE_AREA + np.abs(self.years) / LIKE_YEARS + apart
        return np.where(self._found, self._fresh * np.exp(-unlike) + 1e-9, 0.0)

    def farthest(self, size: int) -> Column:
        """km to the last of so many; NaN where there are fewer."""
        return np.where(self._found[:, size - 1], self.distance[:, size - 1], np.nan)

    @cached_property
    def _found(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self.distance)

    @cached_property
    def _fresh(self) -> Column:
        return np.asarray(0.5 ** (self.days / HALF_LIFE))


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
