"""How far off estimates may be: conformal prediction, normalised by the error to be expected.

Lei et al., Distribution-Free Predictive Inference for Regression (2018), by groups as in Vovk et
al., Algorithmic Learning in a Random World (2005), 4.5 (Mondrian).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import exp, nan, sqrt
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..domain.appraisal import COVERAGES
from ..domain.property import RealEstateType
from . import elementary
from .compiled import compiled
from .features import FEATURES
from .trees import Trees

Column = npt.NDArray[np.float64]
ONE_SIGMA = 0.6827
"""The share of a normal distribution within one standard deviation."""
LEVELS = (ONE_SIGMA, *COVERAGES)
PARTS = 3
"""By expected error, of each type."""
TYPES = len(RealEstateType)
_PREFIX = "expected_error_"
_AREA = FEATURES.index("log_usable_area")


@compiled("Tuple((float64[::1], float64[:,::1]))(float64[:,::1], float64[:,::1])")
def sights(x: Any, members: Any) -> tuple[Any, Any]:
    """The mean of the members, and what the expected error is told by.

    That is FEATURES, how far the members are apart, and log NOK a m2: shape (homes, SIGHTS).
    """
    homes, features = x.shape
    count = members.shape[1]
    mean, seen = np.empty(homes), np.empty((homes, features + 2))
    for home in range(homes):
        total = squares = 0.0
        for member in range(count):
            total += members[home, member]
        mean[home] = total / count
        for member in range(count):
            squares += (members[home, member] - mean[home]) ** 2
        for feature in range(features):
            seen[home, feature] = x[home, feature]
        seen[home, features] = sqrt(squares / count)
        seen[home, features + 1] = mean[home] - x[home, _AREA]
    return mean, seen


@compiled(
    "float64[:,::1](float64[::1], float64[::1], float64[::1], float64[::1], float64[:,:,:,::1],"
    " int64[::1])"
)
def _bounds(price: Any, types: Any, expected: Any, edges: Any, tails: Any, levels: Any) -> Any:
    """The fsd, then lower and upper price of each level; shape (1 + 2 levels, homes).

    *tails* has below and above, shape (2, TYPES, PARTS, LEVELS); of no type all is NaN.
    """
    told = np.empty((1 + 2 * levels.size, price.size))
    for home in range(price.size):
        kind, part, logs = types[home], 0, expected[home]
        known = kind >= 0 and kind < TYPES
        for edge in range(edges.size):
            part += edges[edge] < logs
        code = int(kind) if known else 0
        for row in range(levels.size + 1):
            level = levels[row - 1] if row else 0
            lower = exp(-tails[0, code, part, level] * logs) if known else nan
            upper = exp(tails[1, code, part, level] * logs) if known else nan
            if row:
                told[2 * row - 1, home] = price[home] * lower
                told[2 * row, home] = price[home] * upper
            else:
                told[0, home] = (upper - lower) / 2
    return told


SIGHTS = len(FEATURES) + 2


@frozen(eq=False, slots=False)
class Conformal:
    """Quantiles of errors that were made out of time, in units of the error that was expected.

    *below* and *above* have shape (types, PARTS, LEVELS), *edges* are between the parts.
    """

    expected: Trees
    edges: Column
    below: Column
    above: Column

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

    def expected_error(self, seen: Any) -> Column:
        """Logs of the price, one for each home, by its sights."""
        return np.asarray(elementary.exp(self.expected.predict(seen)[:, 0]))

    def bounds(
        self, price: Column, types: Column, expected: Column, coverages: Sequence[float]
    ) -> tuple[dict[float, tuple[Column, Column]], Column]:
        """Lower and upper NOK by coverage, which are in COVERAGES, and the fsd.

        Of homes of these types and prices, whose error is *expected*; NaN where it is not known.
        """
        levels = np.array([LEVELS.index(coverage) for coverage in coverages], dtype=np.int64)
        fsd, *sides = _bounds(price, types, expected, *self._units, levels)
        pairs = zip(sides[::2], sides[1::2], strict=True)
        return dict(zip(coverages, pairs, strict=True)), fsd

    @cached_property
    def _units(self) -> tuple[Column, npt.NDArray[np.float64]]:
        return self.edges.copy(), np.stack([self.below, self.above])
