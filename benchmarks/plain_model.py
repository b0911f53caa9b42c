"""The model once more, plainly: NumPy, SciPy's trees and the fitted scikit-learn estimators.

It shares no code with what prices homes but the constants of the model, and computes from the
arrays that a version has. Tests check the compiled definition against it, and benchmarks take it
for what a pipeline of the usual libraries costs:

    plain = PlainModel.of(model)            # a fitted BoostedTrees, with its estimators
    price, lower, upper = plain.appraise(columns)
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from attrs import frozen
from scipy.spatial import cKDTree

from ree.adapters.comparables import HALF_LIFE, LIKE_AREA, LIKE_YEARS, NEAR, SIZES
from ree.adapters.conformal import LEVELS
from ree.adapters.features import FEATURES
from ree.domain.appraisal import COVERAGE

Columns = Mapping[str, Any]
Arrays = Mapping[str, Any]
EARTH_RADIUS = 6371.0088
DAYS_A_YEAR = 365.2425
TYPES = range(5)
LOCAL = 20
AREA, HEDONIC = 1, 2


@frozen
class PlainModel:
    """A trained model; *arrays* are those of its version."""

    arrays: Arrays
    past: "Past"
    members: tuple[Any, ...]
    expected: Any

    @classmethod
    def of(cls, model: Any) -> "PlainModel":
        """Of a model that was fitted in this process, or whose estimator was loaded."""
        arrays, fitted = model.arrays(), model.estimator
        members = tuple(fitted["members"].values())
        return cls(arrays, Past.of(arrays), members, fitted.get("expected_error"))

    def appraise(self, homes: Columns, coverage: float = COVERAGE) -> tuple[Any, Any, Any]:
        """Price, lower and upper in NOK, a column each."""
        x, logs = self.see(homes)
        price = np.exp(logs.mean(axis=1))
        below, above = self.errors(homes, self.expected_error(x, logs))
        level = LEVELS.index(coverage)
        return price, price * np.exp(-below[:, level]), price * np.exp(above[:, level])

    def fsd(self, homes: Columns) -> Any:
        """The forecast standard deviation."""
        below, above = self.errors(homes, self.expected_error(*self.see(homes)))
        return (np.exp(above[:, 0]) - np.exp(-below[:, 0])) / 2

    def see(self, homes: Columns) -> tuple[Any, Any]:
        """Features, and the log of the price by each member."""
        x = features(self.past, homes)
        trees = np.column_stack([member.predict(x) for member in self.members])
        return x, trees + offsets(self.arrays, homes)

    def expected_error(self, x: Any, logs: Any) -> Any:
        """Logs of the price."""
        per_sqm = logs.mean(axis=1) - x[:, FEATURES.index("log_usable_area")]
        seen = np.column_stack([x, logs.std(axis=1), per_sqm])
        return np.exp(self.expected.predict(seen))

    def errors(self, homes: Columns, expected: Any) -> tuple[Any, Any]:
        """How many logs prices may lie below and above; shape (homes, LEVELS)."""
        part = np.searchsorted(self.arrays["expected_error_edges"], expected)
        group = np.asarray(homes["realestate_type"], dtype=np.int64), part
        below, above = (
            self.arrays[f"expected_error_{side}"][group] * expected[:, None]
            for side in ("below", "above")
        )
        return below, above


def offsets(arrays: Arrays, homes: Columns) -> Any:
    """What the trees of each member add to."""
    area = np.log(homes["usable_area"])
    known = np.stack([np.zeros(len(area)), area, area + log_per_sqm(arrays, homes)])
    return known[arrays["frames"]].T


# Of homes


def age(homes: Columns) -> Any:
    """Years."""
    return 1 + np.asarray(homes["day"]) / DAYS_A_YEAR - homes["built_year"]


def of_homes(homes: Columns) -> list[Any]:
    """What is seen of a home alone."""
    usable, total = homes["usable_area"], homes["total_area"]
    lat, east = homes["lat"], homes["lon"] * np.cos(np.radians(homes["lat"]))
    return [
        *(homes["realestate_type"] == kind for kind in TYPES),
        np.log(usable),
        np.log(total),
        usable / total,
        homes["built_year"],
        age(homes),
        *(homes[name] for name in ("floor", "bedrooms", "rooms")),
        *(usable / np.maximum(homes[name], 1) for name in ("bedrooms", "rooms")),
        lat,
        homes["lon"],
        lat + east,
        lat - east,
    ]


def features(past: "Past", homes: Columns) -> Any:
    """The matrix of FEATURES."""
    told = [
        column
        for group, sizes in SIZES.items()
        for column in neighbourhood(past, past.nearest(homes, group, max(sizes)), sizes)
    ]
    return np.column_stack([*of_homes(homes), *told]).astype(np.float64)


# The hedonic model


def traits(homes: Columns) -> Any:
    """The regressors."""
    area = np.log(homes["usable_area"]) - 4.5
    decades = np.clip(age(homes), -2, 150) / 50
    plot = np.minimum(np.log(homes["total_area"] / homes["usable_area"]), 3)
    columns = [np.ones(len(area))]
    columns += [area, *(np.maximum(area - knot, 0) for knot in (-0.7, -0.35, 0.0, 0.35, 0.7))]
    columns += [decades, *(np.maximum(decades - knot, 0) for knot in (0.1, 0.3, 0.8, 1.4))]
    columns += [plot, np.maximum(plot - 0.7, 0)]
    for kind in TYPES:
        flag = homes["realestate_type"] == kind
        columns += [flag, flag * area, flag * decades, flag * plot]
    for name in ("floor", "bedrooms", "rooms"):
        missing = np.isnan(homes[name])
        number = np.where(missing, 0, np.clip(homes[name], -2, 12))
        columns += [missing, number / 5, np.maximum(number - 2, 0) / 5]
        columns += [np.maximum(number - 4, 0) / 5]
        if name != "floor":
            columns.append(50 * number / homes["usable_area"])
    return np.column_stack(columns).astype(np.float64)


def log_per_sqm(arrays: Arrays, homes: Columns) -> Any:
    """Log NOK per m2."""
    codes, numbers = np.asarray(homes["municipality_number"]), arrays["municipalities"]
    place = np.minimum(np.searchsorted(numbers, codes), len(numbers) - 1)
    effect = np.where(numbers[place] == codes, arrays["effects"][place], 0.0)
    levels = np.concatenate([[0.0], np.cumsum(arrays["index_steps"])])
    week = np.floor((np.asarray(homes["day"]) - arrays["index_first"]) / 7)
    level = levels[np.clip(week, 0, len(levels) - 1).astype(np.int64)]
    return traits(homes) @ arrays["coefficients"] + effect + level


# What was sold near


@frozen(eq=False)
class Past:
    """Past sales: arrays by name, and of each group and type the places and their tree."""

    sales: Arrays
    trees: Mapping[str, Mapping[int | None, tuple[Any, Any]]]

    @classmethod
    def of(cls, arrays: Arrays) -> "Past":
        """Of the arrays of a version."""
        sales = {
            name.removeprefix("sales_"): row
            for name, row in arrays.items()
            if name.startswith("sales_")
        }
        points, every = _sphere(sales["lat"], sales["lon"]), np.arange(len(sales["lat"]))
        kinds = {kind: every[sales["realestate_type"] == kind] for kind in TYPES}
        same = {kind: (own, cKDTree(points[own])) for kind, own in kinds.items() if len(own)}
        return cls(sales, {"same": same, "any": {None: (every, cKDTree(points))}})

    def nearest(self, homes: Columns, group: str, most: int) -> "Neighbours":
        """The nearest first; of those that are as near, the one of the lowest place."""
        asked = _sphere(homes["lat"], homes["lon"])
        distance = np.full((len(asked), most), np.inf)
        sale = np.zeros((len(asked), most), dtype=np.int64)
        for kind, (members, tree) in self.trees[group].items():
            rows = np.arange(len(asked))
            if kind is not None:
                rows = np.flatnonzero(np.asarray(homes["realestate_type"]) == kind)
            count = min(most, len(members))
            found, place = tree.query(asked[rows], k=np.arange(1, count + 2))
            place = members[np.minimum(place, len(members) - 1)]
            for row in np.flatnonzero(found[:, count] == found[:, count - 1]):
                near = tree.query_ball_point(asked[rows[row]], found[row, count] * (1 + 1e-12))
                away = asked[rows[row]] - tree.data[near]
                km = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2 + away[:, 2] ** 2)
                order = np.lexsort((members[near], km))[:count]
                place[row, :count], found[row, :count] = members[near][order], km[order]
            order = np.lexsort((place[:, :count], found[:, :count]), axis=1)
            distance[rows, :count] = np.take_along_axis(found[:, :count], order, axis=1)
            sale[rows, :count] = np.take_along_axis(place[:, :count], order, axis=1)
        known = np.isfinite(distance)
        days = np.maximum(np.asarray(homes["day"])[:, None] - self.sales["day"][sale], 0)
        area = self.sales["log_area"][sale] - np.log(homes["usable_area"])[:, None]
        years = self.sales["built_year"][sale] - np.asarray(homes["built_year"])[:, None]
        fresh = 0.5 ** (days / HALF_LIFE)
        reach = np.where(known[:, 7], distance[:, 7], 100.0)[:, None] + 0.05
        unlike = np.abs(area) / LIKE_AREA + np.abs(years) / LIKE_YEARS
        unlike += np.where(known, distance, 0.0) / reach
        like = np.where(known, fresh * np.exp(-unlike) + 1e-9, 0.0)
        return Neighbours(sale, distance, fresh / (distance + NEAR), like, (area, days, years))


@frozen(eq=False)
class Neighbours:
    """Sales that are near to homes; shape (homes, most), the nearest first, inf km is none.

    By how much they count as near and as the home's like; *apart* are log m2, days and years.
    """

    sale: Any
    distance: Any
    weight: Any
    like: Any
    apart: tuple[Any, Any, Any]


def neighbourhood(past: Past, near: Neighbours, sizes: tuple[int, ...]) -> Iterator[Any]:
    """What is told of the sales."""
    residual, per_sqm = past.sales["residual"][near.sale], past.sales["per_sqm"][near.sale]
    for size in sizes:
        yield _mean(residual[:, :size], near.weight[:, :size])
        yield _mean(per_sqm[:, :size], near.weight[:, :size])
        farthest = near.distance[:, size - 1]
        yield np.log(np.where(np.isfinite(farthest), farthest, np.nan) + 0.01)
    for size in sizes:
        if size >= 8:
            off = residual[:, :size] - _mean(residual[:, :size], near.weight[:, :size])[:, None]
            yield np.sqrt(_mean(off**2, near.weight[:, :size]))
    yield _mean(residual, near.like)
    yield _mean(per_sqm, near.like)
    yield np.log(near.like.sum(axis=1) + 1e-12)
    for values in near.apart:
        yield _mean(values[:, :LOCAL], near.weight[:, :LOCAL])


def _mean(values: Any, weight: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return (values * weight).sum(axis=1) / weight.sum(axis=1)


def _sphere(lat: Any, lon: Any) -> Any:
    lat, lon = np.radians(lat), np.radians(lon)
    across = np.cos(lat)
    return EARTH_RADIUS * np.column_stack([across * np.cos(lon), across * np.sin(lon), np.sin(lat)])
