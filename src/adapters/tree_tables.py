"""The nodes of trees once more, as the kernels have them: derived from a version, never stored."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
ROWS = 64
"""Rows that go down a tree at once."""
LEAVES = 32
"""The most that a tree may have, so that a word tells which are left to a row."""
FAN = 16
"""Thresholds that a value is held against at once."""
_THRESHOLDS = FAN * FAN - 1
"""The most of a feature that a byte can rank a value among."""


@frozen(eq=False)
class WalkTable:
    """Nodes of 16 bytes, children side by side: each node's pair, after the roots of all trees.

    A word has the left child, or the leaf itself, above the place of what is asked: twice the
    feature, and one more where the missing go left. A cell has the threshold or a leaf's value.
    *words* and *cells* are the same memory: a word, a cell, a word …
    """

    words: Indices
    cells: Numbers

    @classmethod
    def of(cls, trees: Any) -> Self:
        """Nodes that several others lead to have a place in each one's pair."""
        leaf = trees.left == np.arange(len(trees.left))
        inner = np.flatnonzero(~leaf)
        pairs = np.column_stack([trees.left[inner], trees.right[inner]])
        node = np.concatenate([trees.roots, pairs.ravel()])
        below = np.zeros(len(leaf), dtype=np.int64)
        below[inner] = len(trees.roots) + 2 * np.arange(len(inner))
        child = np.where(leaf[node], np.arange(len(node)), below[node])
        words = np.empty((len(node), 2), dtype=np.int64)
        words[:, 0] = child << 32 | _asked(trees, node)
        cells = words.view(np.float64)
        cells[:, 1] = np.where(leaf[node], trees.value[node], trees.threshold[node])
        return cls(words.ravel(), cells.ravel())


@frozen(eq=False)
class SweepTable:
    """Splits as what they leave of a tree's leaves, and thresholds by their rank in the model.

    *edges* are FAN * FAN a feature, *pivots* the last of each FAN of them, *values* LEAVES a tree.
    Splits of a tree are from *first* of it to that of the next: *plane* is where the bins are that
    it asks about, those with bins above *cut* go right and have the leaves *kept* left.
    """

    pivots: Numbers
    edges: Numbers
    plane: npt.NDArray[np.uint32]
    cut: npt.NDArray[np.uint8]
    kept: npt.NDArray[np.uint32]
    first: Indices
    values: Numbers

    @classmethod
    def of(cls, trees: Any) -> Self | None:
        """None where a tree has too many leaves, a feature too many thresholds, or trees share so
        many nodes that their own splits would take more room than what was stored.
        """
        leaf = trees.left == np.arange(len(trees.left))
        edges, leaves = _edges(trees, leaf), _leaves(trees, leaf)
        ended = leaves[trees.roots]
        if edges is None or (ended > LEAVES).any() or ended.sum() > len(leaf):
            return None
        (tree, node, leftmost, middle), values = _splits(trees, leaf, leaves)
        lost = (1 << LEAVES - leftmost) - (1 << LEAVES - middle)
        cut = np.empty(len(node), dtype=np.uint8)
        for feature, ordered in enumerate(edges):
            own = trees.feature[node] == feature
            cut[own] = np.searchsorted(ordered, trees.threshold[node[own]])
        return cls(
            edges[:, FAN - 1 :: FAN].ravel(),
            edges.ravel(),
            (_asked(trees, node) * ROWS).astype(np.uint32),
            cut,
            (2**LEAVES - 1 - lost).astype(np.uint32),
            np.searchsorted(tree, np.arange(len(trees.roots) + 1)),
            values.ravel(),
        )


def _splits(trees: Any, leaf: Any, leaves: Any) -> tuple[Any, Numbers]:
    """All trees' splits, one row each of four, and leaves' values from left to right.

    The rows: the tree, the node, and of its leaves the first and the first that is on the right.
    """
    tree, node = np.arange(len(trees.roots)), trees.roots.astype(np.int64)
    leftmost = np.zeros(len(node), dtype=np.int64)
    values = np.zeros((len(node), LEAVES))
    levels = [np.empty((4, 0), dtype=np.int64)]
    while len(node):
        ended = leaf[node]
        values[tree[ended], leftmost[ended]] = trees.value[node[ended]]
        tree, node, leftmost = tree[~ended], node[~ended], leftmost[~ended]
        left, right = trees.left[node], trees.right[node]
        middle = leftmost + leaves[left]
        levels.append(np.stack([tree, node, leftmost, middle]))
        tree, node = np.tile(tree, 2), np.concatenate([left, right])
        leftmost = np.concatenate([leftmost, middle])
    splits = np.concatenate(levels, axis=1)
    return splits[:, np.argsort(splits[0])], values


def _asked(trees: Any, node: Any) -> Indices:
    # A stored true may be any byte but 0, and must not lead to what was never seen.
    missing_left = trees.missing_left[node].view(np.uint8) != 0
    return np.asarray(2 * trees.feature[node].astype(np.int64) + missing_left)


def _leaves(trees: Any, leaf: Any) -> Indices:
    """Below each node, by the ways that lead to them; what is too many is no more than that."""
    count = np.ones(len(leaf), dtype=np.int64)
    for _ in range(int(trees.depth[0])):
        both = count[trees.left] + count[trees.right]
        count = np.where(leaf, 1, np.minimum(both, LEAVES + 1))
    return count


def _edges(trees: Any, leaf: Any) -> Any:
    """Distinct thresholds in order, shape (features, FAN * FAN), the rest infinite."""
    features = 1 + int(trees.feature.max(initial=0))
    edges = np.full((features, FAN * FAN), np.inf)
    for feature in range(features):
        own = np.unique(trees.threshold[~leaf & (trees.feature == feature)])
        if len(own) > _THRESHOLDS:
            return None
        edges[feature, : len(own)] = own
    return edges
