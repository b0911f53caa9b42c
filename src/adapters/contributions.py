"""What each group of facts adds to an estimate, against a reference home: Shapley values.

Baseline Shapley (BShap; Sundararajan and Najmi, The many Shapley values for model explanation,
2020): the value of a set of groups is the price of a mixture, which has the facts of these groups
from the home and the others from the reference. A group is given what it adds to the value of a
set of others, averaged over all orders in which groups may come. All 64 sets are priced.
"""

from collections.abc import Mapping
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.explanation import GROUPS
from ..domain.property import RealEstateType
from . import comparables, elementary
from .features import FEATURES
from .frames import offsets
from .market import Market
from .mixed_trees import predict_mixtures
from .trees import Trees

Matrix = npt.NDArray[np.float64]
Columns = Mapping[str, Any]
_AT_ONCE = 32
"""Homes whose mixtures are held in memory."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "location": ("lat", "lon", "municipality_number"),
    "size": ("usable_area", "total_area", "bedrooms", "rooms"),
    "age": ("built_year", "day"),
    "type": ("realestate_type", "floor"),
}
"""Of a home, by group. The day tells how old it is; the price level of that day is `time`."""
SEEN: Mapping[str, tuple[str, ...]] = {
    "location": ("lat", "lon", "north_east", "north_west"),
    "size": (
        *("log_usable_area", "log_total_area", "usable_share"),
        *("bedrooms", "rooms", "area_per_bedroom", "area_per_room"),
    ),
    "age": ("built_year", "age"),
    "type": (*(f"is_{kind.value}" for kind in RealEstateType), "floor"),
    "comparables": comparables.NAMES,
}
"""FEATURES by group, each of which is made of that group's fields, or told by the neighbours."""

_PLAYERS = (*SEEN, "time")
"""Time comes last: trees do not see it, so that the upper half of the sets is to them the lower."""
_SETS = np.arange(2 ** len(_PLAYERS))
_INSIDE = {name: (_SETS >> place & 1).astype(bool) for place, name in enumerate(_PLAYERS)}
_SEEN_SETS = 2 ** len(SEEN)
_SIZES = np.sum([*_INSIDE.values()], axis=0)
_SHARES = np.array(
    [
        factorial(size) * factorial(len(_PLAYERS) - 1 - size) / factorial(len(_PLAYERS))
        for size in range(len(_PLAYERS))
    ]
)
"""Of all orders, those in which a set of this size stands before a certain other group."""


def _own() -> npt.NDArray[np.uint64]:
    """Which sets have the home's value of a feature, as the bits of a word each."""
    word = {
        feature: sum(1 << number for number in range(_SEEN_SETS) if _INSIDE[group][number])
        for group, features in SEEN.items()
        for feature in features
    }
    return np.array([word[feature] for feature in FEATURES], dtype=np.uint64)


_OWN = _own()


def contributions(
    market: Market, trees: Trees, frames: Any, homes: Columns, reference: Columns
) -> list[dict[str, float]]:
    """NOK by group, one for each home; they sum to its estimate less that of the reference."""
    (other,) = market.features(reference)
    found = []
    for start in range(0, len(homes["day"]), _AT_ONCE):
        part = {name: column[start : start + _AT_ONCE] for name, column in homes.items()}
        seen = predict_mixtures(trees, market.features(part), other, _OWN, _SEEN_SETS)
        logs = np.concatenate([seen, seen], axis=1)
        logs += _offsets(market, frames, part, reference).reshape(logs.shape)
        given = shapley(elementary.exp(logs.mean(axis=2)))
        rows = np.column_stack([given[name] for name in GROUPS]).tolist()
        found += [dict(zip(GROUPS, row, strict=True)) for row in rows]
    return found


def shapley(values: Matrix) -> dict[str, Matrix]:
    """Each group's, a column; *values* of the sets have the shape (homes, 64)."""
    given = {}
    for place, (name, inside) in enumerate(_INSIDE.items()):
        before = np.flatnonzero(~inside)
        added = values.take(before | 1 << place, axis=1) - values.take(before, axis=1)
        given[name] = (added * _SHARES[_SIZES[before]]).sum(axis=1)
    return given


def _offsets(market: Market, frames: Any, homes: Columns, reference: Columns) -> Matrix:
    """What trees are added to, of the mixtures of each home; shape (homes * 64, members)."""

    def mixed(group: str, own: Any, other: Any) -> Any:
        return np.where(_INSIDE[group], np.asarray(own)[:, None], other).ravel()

    columns = {
        name: mixed(group, homes[name], reference[name])
        for group, names in FIELDS.items()
        for name in names
    }
    level = market.hedonic.index.level
    levels = mixed("time", level(homes["day"]), level(reference["day"]))
    return offsets(columns, market.hedonic.before_time(columns) + levels, frames)
