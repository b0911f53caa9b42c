"""How far off estimates may be: conformal prediction, normalised by the error to be expected.

Lei et al., Distribution-Free Predictive Inference for Regression (2018), by groups as in Vovk et
al., Algorithmic Learning in a Random World (2005), 4.5 (Mondrian).
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen
from sklearn.ensemble import HistGradientBoostingRegressor

from ..domain.appraisal import COVERAGES
from ..domain.property import RealEstateType
from .features import FEATURES
from .trees import Trees

Column = npt.NDArray[np.float64]
ONE_SIGMA = 0.6827
"""The share of a normal distribution within one standard deviation."""
LEVELS = (ONE_SIGMA, *COVERAGES)
FEWEST = 100
"""Errors that a group needs for quantiles of its own."""
FEWEST_OF_ALL = 39
"""Without these the quantile of no tail of the widest interval is known."""
PARTS = 3
"""By expected error, of each type."""
FOLDS = 5
FLOOR = 0.01
"""Added to errors before their log is taken."""
TYPES = len(RealEstateType)
_PREFIX = "expected_error_"
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


def sights(x: Any, members: Any) -> Any:
    """What the expected error is told by: FEATURES, how far the members are apart, log NOK a m2."""
    per_sqm = members.mean(axis=1) - x[:, FEATURES.index("log_usable_area")]
    return np.column_stack([x, members.std(axis=1), per_sqm])


SIGHTS = len(FEATURES) + 2


@frozen(eq=False)
class Errors:
    """By how many logs prices of homes may lie below and above; shape (homes, LEVELS)."""

    below: Column
    above: Column

    def interval(self, price: Column, coverage: float) -> tuple[Column, Column]:
        """Lower and upper price, of a coverage in COVERAGES; NaN where it is not known."""
        level = LEVELS.index(coverage)
        return price * np.exp(-self.below[:, level]), price * np.exp(self.above[:, level])

    def fsd(self) -> Column:
        """Half the width of the interval that holds as much as one standard deviation does."""
        return np.asarray((np.exp(self.above[:, 0]) - np.exp(-self.below[:, 0])) / 2)


@frozen(eq=False)
class Conformal:
    """Quantiles of errors that were made out of time, in units of the error that was expected.

    *below* and *above* have shape (types, PARTS, LEVELS), *edges* are between the parts.
    """

    expected: Trees
    edges: Column
    below: Column
    above: Column

    @classmethod
    def of(cls, x: Any, members: Any, types: Any, price: Any) -> tuple[Self, Any] | None:
        """From sales that the models which priced them had not seen, with what was fitted.

        *members* are logs of prices, shape (sales, members). None of too few sales. A type is
        told apart by expected error where a part has FEWEST sales, else it is one group, and a
        type with fewer sales than that gets what holds for all together.
        """
        if len(price) < FEWEST_OF_ALL:
            return None
        error = np.log(price) - members.mean(axis=1)
        seen = sights(x, members)
        target = np.log(np.abs(error) + FLOOR)
        expected = np.empty(len(error))
        fold = np.arange(len(error)) % FOLDS
        for number in range(FOLDS):
            own = fold == number
            expected[own] = np.exp(_booster(seen[~own], target[~own]).predict(seen[own]))
        booster = _booster(seen, target)
        edges = np.quantile(expected, np.arange(1, PARTS) / PARTS)
        below, above = _quantiles(error / expected, types, np.searchsorted(edges, expected))
        return cls(Trees.of([booster]), edges, below, above), booster

    @staticmethod
    def inside(arrays: Mapping[str, Any]) -> bool:
        """Whether there is one among the arrays, or a part of one."""
        return any(name.startswith(_PREFIX) for name in arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Read and checked; ValueError, KeyError."""
        told = {name: arrays[f"{_PREFIX}{name}"] for name in ("edges", "below", "above")}
        if any(array.dtype != np.float64 for array in told.values()):
            raise ValueError("quantiles of errors are not float64")
        if told["edges"].shape != (PARTS - 1,) or not (np.diff(told["edges"]) >= 0).all():
            raise ValueError("the parts by expected error are not in order")
        for name in ("below", "above"):
            if told[name].shape != (TYPES, PARTS, len(LEVELS)) or (told[name] < 0).any():
                raise ValueError(f"the errors {name} are not quantiles by type and part")
            known = np.nan_to_num(told[name], nan=np.finfo(np.float64).max)
            if not (np.diff(known, axis=2) >= 0).all():
                raise ValueError(f"the errors {name} do not grow with the coverage")
        trees = Trees.from_arrays(arrays, SIGHTS, _PREFIX)
        if len(trees.ends) != 1:
            raise ValueError("the expected error has more than one member")
        return cls(trees, **told)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        own = {"edges": self.edges, "below": self.below, "above": self.above}
        return self.expected.arrays(_PREFIX) | {_PREFIX + name: row for name, row in own.items()}

    def expected_error(self, x: Any, members: Any) -> Column:
        """Logs of the price, one for each home."""
        return np.asarray(np.exp(self.expected.predict(sights(x, members))[:, 0]))

    def errors(self, types: Any, expected: Column) -> Errors:
        """By how much prices may differ from estimates whose error is *expected*."""
        group = np.asarray(types, dtype=np.int64), np.searchsorted(self.edges, expected)
        return Errors(self.below[group] * expected[:, None], self.above[group] * expected[:, None])


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
