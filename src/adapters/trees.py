"""Boosted trees as plain arrays: what is served instead of a pickled estimator."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import fields, frozen

_CELLS = 2**18
"""Rows times trees that are walked at once, so that the working set stays in the cache."""


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
        return trees

    def arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {prefix + item.name: getattr(self, item.name) for item in fields(type(self))}

    def predict(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Of each member the sum of its baseline and leaves, in scikit-learn's order of adding.

        Shape (rows, members).
        """
        step = max(1, _CELLS // max(1, len(self.roots)))
        parts = [self._walk(x[start : start + step]) for start in range(0, len(x), step)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.ends)))

    def _walk(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        rows = np.arange(len(x))[:, None]
        node = np.broadcast_to(self.roots, (len(x), len(self.roots)))
        for _ in range(int(self.depth[0])):
            seen = x[rows, self.feature[node]]
            left = (seen <= self.threshold[node]) | (np.isnan(seen) & self.missing_left[node])
            node = np.where(left, self.left[node], self.right[node])
        leaves = self.value[node]
        members = [
            np.cumsum(np.hstack([np.full((len(x), 1), baseline), leaves[:, start:end]]), axis=1)
            for baseline, (start, end) in zip(self.baseline, pairwise([0, *self.ends]), strict=True)
        ]
        return np.column_stack([summed[:, -1] for summed in members])

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
