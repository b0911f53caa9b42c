"""Counts how the features of sales are distributed."""

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.dataset import Dataset
from ..domain.distribution import Bins, CategoryBins, Distributions, NumberBins
from ..domain.drift import Observed
from ..domain.property import RealEstateType

Array = npt.NDArray[Any]
BINS = 10
"""Of a number, by quantiles; fewer where many sales have the same value."""
DIGITS = 3
"""That an edge has: 61 300 NOK/m2 rather than 61 287.4."""
LEAST_SHARE = 0.02
"""A category with a smaller share is among the others: hundreds of small ones are mostly noise."""
_TYPES = {kind.code: kind.value for kind in RealEstateType}


class NumpyTally:
    """The Tally port."""

    def distributions(self, sales: Dataset, estimate: Array) -> Distributions:
        """Of the features of a version's training data, in bins of about equal size."""
        numbers = {name: _number_bins(of) for name, of in _numbers(sales, estimate).items()}
        return {name: _category_bins(of) for name, of in _categories(sales).items()} | numbers

    def observe(self, sales: Dataset, estimate: Array, trained: Distributions) -> Observed:
        """Sales in the bins of the training data, and how their prices lie to the estimates."""
        values = _categories(sales) | _numbers(sales, estimate)
        counts = {name: _counted(trained[name], values[name]) for name in trained.keys() & values}
        return Observed(len(sales), counts, _shift(sales.columns["price"], estimate))


def _categories(sales: Dataset) -> dict[str, Array]:
    """Names, a sale each."""
    types, numbers = sales.columns["realestate_type"], sales.columns["municipality_number"]
    counties = numbers // 100
    return {
        "county": np.array([f"{int(code):02d}" for code in counties], dtype=np.str_),
        "realestate_type": np.array([_TYPES[int(code)] for code in types], dtype=np.str_),
        "municipality_number": np.array([f"{int(code):04d}" for code in numbers], dtype=np.str_),
    }


def _numbers(sales: Dataset, estimate: Array) -> dict[str, Array]:
    """Numbers, a sale each; NaN is missing."""
    columns = sales.columns
    as_they_are = ("usable_area", "total_area", "floor", "bedrooms", "rooms")
    area = columns["usable_area"]
    return {name: columns[name] for name in as_they_are} | {
        "age": columns["year"] - columns["built_year"],
        "price_per_sqm": columns["price"] / area,
        "estimate_per_sqm": np.where(np.isfinite(estimate), estimate, nan) / area,
    }


def _category_bins(values: Array) -> CategoryBins:
    found, counts = np.unique(values, return_counts=True)
    large = [int(place) for place in np.flatnonzero(counts >= LEAST_SHARE * len(values))]
    large.sort(key=lambda place: -int(counts[place]))
    categories = tuple(str(found[place]) for place in large)
    return CategoryBins(categories, _in_categories(categories, values))


def _number_bins(values: Array) -> NumberBins:
    known = values[~np.isnan(values)]
    edges: Array = np.empty(0)
    if len(known):
        quantiles = np.quantile(known, np.arange(1, BINS) / BINS)
        edges = np.unique([float(f"{edge:.{DIGITS}g}") for edge in quantiles])
        edges = edges[edges > known.min()]
    rising = tuple(edges.tolist())
    return NumberBins(rising, _between(rising, values))


def _counted(bins: Bins, values: Array) -> tuple[int, ...]:
    if isinstance(bins, CategoryBins):
        return _in_categories(bins.categories, values)
    return _between(bins.edges, values)


def _in_categories(categories: Sequence[str], values: Array) -> tuple[int, ...]:
    known = [int((values == name).sum()) for name in categories]
    return *known, len(values) - sum(known)


def _between(edges: Sequence[float], values: Array) -> tuple[int, ...]:
    missing = np.isnan(values)
    places = np.searchsorted(np.asarray(edges), values[~missing], side="right")
    return *np.bincount(places, minlength=len(edges) + 1).tolist(), int(missing.sum())


def _shift(price: Array, estimate: Array) -> float:
    """Of the prices whose estimate is known."""
    known = np.isfinite(estimate) & (estimate > 0)
    if not known.any():
        return nan
    return float(np.median((price[known] - estimate[known]) / estimate[known]))
