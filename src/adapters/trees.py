"""Boosted trees as plain arrays: what is served instead of a pickled estimator."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import astuple, fields, frozen

from .tree_tables import SweepTable, WalkTable

_MANY = 10
"""Rows from which a sweep, which costs as much for one row as for 64, is cheaper than walks."""


@frozen(eq=False)
class Trees:
    """Nodes of all members' trees, one after the other; a leaf is its own child, so that walks may
    go on. A member has a baseline and the trees up to its end, the next one those after it.

    A row goes left where its feature is at most the threshold, or missing and *missing_left*.
    """

    ends: npt.NDArray[np.int32]
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]
    baseline: npt.NDArray[np.float64]
    depth: npt.NDArray[np.int32]

    @classmethod
    def of(cls, boosters: Sequence[Any]) -> Self:
        """The trees of fitted HistGradientBoostingRegressors without native categories."""
        tables = [predictor.nodes for booster in boosters for (predictor,) in booster._predictors]
        starts = np.cumsum([0, *(len(table) for table in tables)])
        nodes = np.concatenate(tables)
        first = np.repeat(starts[:-1], [len(table) for table in tables])
        leaf = nodes["is_leaf"].astype(bool)
        own = np.arange(len(nodes))
        baselines = [np.ravel(booster._baseline_prediction) for booster in boosters]
        return cls(
            ends=np.cumsum([booster.n_iter_ for booster in boosters]).astype(np.int32),
            roots=starts[:-1].astype(np.int32),
            feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int32),
            threshold=np.where(leaf, np.inf, nodes["num_threshold"]),
            left=np.where(leaf, own, nodes["left"] + first).astype(np.int32),
            right=np.where(leaf, own, nodes["right"] + first).astype(np.int32),
            missing_left=np.where(leaf, True, nodes["missing_go_to_left"].astype(bool)),
            value=np.where(leaf, nodes["value"], 0.0),
            baseline=np.concatenate(baselines).astype(np.float64),
            depth=np.array([nodes["depth"].max()], dtype=np.int32),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], features: int, prefix: str = "") -> Self:
        """Read and checked: ValueError unless every walk stays inside and ends at a leaf."""
        trees = cls(**{item.name: arrays[prefix + item.name] for item in fields(cls)})
        trees._check(features)
        return trees.warm()

    def arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {prefix + item.name: getattr(self, item.name) for item in fields(type(self))}

    def predict(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Of each member the sum of its baseline and leaves, in scikit-learn's order of adding.

        Shape (rows, members); a row gives the same bits alone and among others. ValueError: *x*
        lacks features that the trees ask for.
        """
        x = np.ascontiguousarray(x, np.float64)
        if not x.flags.writeable:  # The kernels are compiled for arrays that are.
            x = x.copy()
        if x.ndim != 2 or x.shape[1] < self._features:
            raise ValueError(f"the trees ask for {self._features} features a row")
        walk, sweep = self._kernels
        sums = np.empty((len(x), len(self.ends)))
        if len(x) < _MANY or self._sweep is None:
            walk(x, *self._walk, *self._members, sums)
        else:
            sweep(x, *self._sweep, *self._members, sums)
        return sums

    def warm(self) -> Self:
        """Have all that predict needs; what is there before a fork is shared after it."""
        _ = self._kernels, self._features, self._members, self._walk, self._sweep
        return self

    @cached_property
    def _kernels(self) -> tuple[Any, Any]:
        """Compiled as they are imported, which takes seconds that not every command has to pay."""
        from .tree_kernels import sweep, walk

        return walk, sweep

    @cached_property
    def _features(self) -> int:
        return 1 + int(self.feature.max(initial=0))

    @cached_property
    def _members(self) -> tuple[Any, Any]:
        """As the kernels are compiled for: in one piece, writeable."""
        return self.ends.copy(), self.baseline.copy()

    @cached_property
    def _walk(self) -> tuple[Any, ...]:
        return astuple(WalkTable.of(self), recurse=False)

    @cached_property
    def _sweep(self) -> tuple[Any, ...] | None:
        table = SweepTable.of(self)
        return None if table is None else astuple(table, recurse=False)

    def _check(self, features: int) -> None:
        n = len(self.feature)
        own = np.arange(n)
        for name, dtype in _DTYPES.items():
            if getattr(self, name).dtype != dtype or getattr(self, name).ndim != 1:
                raise ValueError(f"{name} is not a row of {dtype}")
        if any(len(getattr(self, name)) != n for name in _PER_NODE):
            raise ValueError("the arrays of nodes differ in length")
        if len(self.depth) != 1 or not 0 <= self.depth[0] <= 64:
            raise ValueError("there is one depth, of at most 64")
        ends = np.concatenate([[0], self.ends])
        if len(ends) != 1 + len(self.baseline) or len(ends) < 2 or (np.diff(ends) < 0).any():
            raise ValueError("the members lack baselines, or their ends are not in order")
        if ends[-1] != len(self.roots):
            raise ValueError("the members do not end with the last tree")
        _inside("root", self.roots, n)
        _inside("feature", self.feature, features)
        _inside("left child", self.left, n)
        _inside("right child", self.right, n)
        leaf = (self.left == own) & (self.right == own)
        if not np.all(leaf | ((self.left > own) & (self.right > own))):
            raise ValueError("a child stands before its parent")
        node = self.roots
        for _ in range(int(self.depth[0])):
            node = np.unique(np.concatenate([self.left[node], self.right[node]]))
        if not leaf[node].all():
            raise ValueError("a walk does not end at a leaf")
        if np.isnan(self.threshold).any():
            raise ValueError("a threshold is not a number")
        if not (np.isfinite(self.value).all() and np.isfinite(self.baseline).all()):
            raise ValueError("a leaf has no finite value")


_PER_NODE = ("feature", "threshold", "left", "right", "missing_left", "value")
_DTYPES = {
    "ends": np.int32,
    "roots": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.bool_,
    "value": np.float64,
    "baseline": np.float64,
    "depth": np.int32,
}


def _inside(what: str, index: npt.NDArray[np.int32], size: int) -> None:
    if index.size and (index.min() < 0 or index.max() >= size):
        raise ValueError(f"a {what} is out of bounds")
