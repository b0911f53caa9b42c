"""How intervals are learned of errors that were made out of time (conformal.py)."""

from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor

from ..domain.property import RealEstateType
from . import elementary
from .conformal import LEVELS, PARTS, TYPES, Conformal, sights
from .trees import Trees

Column = npt.NDArray[np.float64]
FEWEST = 100
"""Errors that a group needs for quantiles of its own."""
FEWEST_OF_ALL = 39
"""Without these the quantile of no tail of the widest interval is known."""
FOLDS = 5
FLOOR = 0.01
"""Added to errors before their log is taken."""
_SETTINGS = {
    "max_iter": 80,
    "learning_rate": 0.06,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.3,
    "early_stopping": False,
    "random_state": 0,
}


def calibrated(x: Any, members: Any, types: Any, price: Any) -> tuple[Conformal, Any] | None:
    """From sales that the models which priced them had not seen, with what was fitted.

    *members* are logs of prices, shape (sales, members). None of too few sales. A type is
    told apart by expected error where a part has FEWEST sales, else it is one group, and a
    type with fewer sales than that gets what holds for all together.
    """
    if len(price) < FEWEST_OF_ALL:
        return None
    mean, seen = sights(x, members)
    error = elementary.log(price) - mean
    target = elementary.log(np.abs(error) + FLOOR)
    expected = np.empty(len(error))
    fold = np.arange(len(error)) % FOLDS
    for number in range(FOLDS):
        own = fold == number
        expected[own] = elementary.exp(_booster(seen[~own], target[~own]).predict(seen[own]))
    booster = _booster(seen, target)
    edges = np.quantile(expected, np.arange(1, PARTS) / PARTS)
    below, above = _quantiles(error / expected, types, np.searchsorted(edges, expected))
    return Conformal(Trees.of([booster]), edges, below, above), booster


def _booster(seen: Any, target: Column) -> HistGradientBoostingRegressor:
    """scikit-learn cannot bin a feature that no sale has; a constant is never split on."""
    known = np.where(np.isnan(seen).all(axis=0), 0.0, seen)
    return HistGradientBoostingRegressor(**_SETTINGS).fit(known, target)


def _quantiles(scores: Column, types: Any, parts: Any) -> tuple[Column, Column]:
    """Below and above, each of shape (types, PARTS, LEVELS)."""
    known = {}
    for kind in RealEstateType:
        own = types == kind.code
        if own.sum() >= FEWEST:
            known[kind.code] = _tails(scores[own])
    fallback = _tails(scores)
    table = np.empty((2, TYPES, PARTS, len(LEVELS)))
    for code in range(TYPES):
        for part in range(PARTS):
            own = (types == code) & (parts == part)
            if own.sum() >= FEWEST:
                table[:, code, part] = _tails(scores[own])
            else:
                table[:, code, part] = known.get(code, fallback)
    return table[0], table[1]


def _tails(scores: Column) -> Column:
    """Of each level, how far below and above 0 the scores go; shape (2, LEVELS).

    Half of what is left out lies on each side. An estimate is inside its own interval. NaN where
    there are too few scores to tell.
    """
    sides = [np.sort(-scores), np.sort(scores)]
    ranks = [ceil((len(scores) + 1) * (1 + level) / 2) for level in LEVELS]
    return np.array(
        [
            [max(side[rank - 1], 0.0) if rank <= len(side) else np.nan for rank in ranks]
            for side in sides
        ]
    )
