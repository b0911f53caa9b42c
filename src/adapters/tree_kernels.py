"""The two ways down the trees, compiled when this module is imported; neither starts a thread.

Nothing is kept on disk: a service may have none to write to, and processors differ. Bounds are not
checked, for Trees has.
"""

from typing import Any

import numpy as np
from numba import float64, int32, int64, njit, uint8, uint32, void

from .tree_lanes import add_leaves, below
from .tree_tables import FAN, LEAVES, ROWS

_RIGHT = 255
"""A bin that is above every cut."""
_LOW = 0xFFFFFFFF


def _walk(x: Any, words: Any, cells: Any, ends: Any, baseline: Any, out: Any) -> None:
    """Few rows: all trees of a row take a step, then those that are not at a leaf take the next.

    So no step waits for the one before it, and no branch depends on what a home is like.
    """
    rows, features = x.shape
    trees = ends[-1]
    seen = np.empty(2 * features)
    walks, leaf = np.empty(trees, np.int64), np.empty(trees)
    for row in range(rows):
        for feature in range(features):
            value = x[row, feature]
            seen[2 * feature] = value
            seen[2 * feature + 1] = value if value == value else -np.inf
        for tree in range(trees):
            walks[tree] = tree << 32 | tree
        walking = trees
        while walking:
            going = 0
            for one in range(walking):
                walk = walks[one]
                node = walk & _LOW
                word, cell = words[2 * node], cells[2 * node + 1]
                leaf[walk >> 32] = cell
                child = word >> 32
                walks[going] = walk - node + child + (not seen[word & _LOW] <= cell)
                going += child != node
            walking = going
        tree = 0
        for member in range(len(ends)):
            total = baseline[member]
            while tree < ends[member]:
                total += leaf[tree]
                tree += 1
            out[row, member] = total


def _sweep(
    x: Any,
    pivots: Any,
    edges: Any,
    plane: Any,
    cut: Any,
    kept: Any,
    first: Any,
    values: Any,
    ends: Any,
    baseline: Any,
    out: Any,
) -> None:
    """Many rows: every split of a tree is asked of ROWS rows at once, whatever their way.

    Bins of a feature are the ranks of its values among the thresholds, once with the missing on
    the right and once on the left. Those of rows that are not there may be anything.
    """
    features = len(pivots) // FAN
    bins, total = np.empty(2 * features * ROWS, np.uint8), np.empty(ROWS)
    for start in range(0, len(x), ROWS):
        rows = min(ROWS, len(x) - start)
        for row in range(rows):
            place = row
            for feature in range(features):
                value = x[start + row, feature]
                part = FAN * below(pivots, FAN * feature, value)
                rank = part + below(edges, FAN * FAN * feature + part, value)
                bins[place] = rank if value == value else _RIGHT
                bins[place + ROWS] = rank
                place += 2 * ROWS
        tree = 0
        for member in range(len(ends)):
            for row in range(ROWS):
                total[row] = baseline[member]
            while tree < ends[member]:
                begin, end, leaves = first[tree], first[tree + 1], LEAVES * tree
                add_leaves(bins, plane, cut, kept, values, total, begin, end, leaves)
                tree += 1
            for row in range(rows):
                out[start + row, member] = total[row]


_ROWS, _FLOATS, _ENDS = float64[:, ::1], float64[::1], int32[::1]
_WALK = (_ROWS, int64[::1], _FLOATS, _ENDS, _FLOATS, _ROWS)
_SPLITS = (uint32[::1], uint8[::1], uint32[::1], int64[::1])
_SWEEP = (_ROWS, _FLOATS, _FLOATS, *_SPLITS, _FLOATS, _ENDS, _FLOATS, _ROWS)
walk: Any = njit(void(*_WALK), nogil=True, boundscheck=False)(_walk)
sweep: Any = njit(void(*_SWEEP), nogil=True, boundscheck=False)(_sweep)
