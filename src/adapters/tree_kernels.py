"""The two ways down the trees, compiled when this module is imported; neither starts a thread.

Nothing is kept on disk: a service may have no disk to write to, and processors differ. Bounds are
not checked, for Trees has.
"""

import numpy as np
from numba import float64, int32, int64, njit, uint8, uint32, void

from .tree_lanes import FAN, LEAVES, ROWS, below, exit_leaves

_GROUPS = 4
"""Of ROWS rows that are at a tree before the next one: their bins stay in the fastest cache."""
_PASSED_BY = 255
"""A bin that is right of every threshold."""


def _walk(x, words, cells, ends, baseline, out):  # type: ignore[no-untyped-def]
    """Few rows: all trees of a row take a step each, and those go on that are not at a leaf.

    So that no step waits for the one before, and no branch depends on what a home is like.
    """
    rows, features = x.shape
    trees = ends[-1]
    seen = np.empty(2 * features)
    at, which, leaf = np.empty(trees, np.int64), np.empty(trees, np.int64), np.empty(trees)
    for row in range(rows):
        for feature in range(features):
            value = x[row, feature]
            seen[2 * feature] = value
            seen[2 * feature + 1] = value if value == value else -np.inf
        for tree in range(trees):
            at[tree] = which[tree] = tree
        walking = trees
        while walking:
            going = 0
            for one in range(walking):
                node, tree = at[one], which[one]
                word, cell = words[2 * node], cells[2 * node + 1]
                leaf[tree] = cell
                child = word >> 32
                at[going] = child + (not seen[word & 0xFFFFFFFF] <= cell)
                which[going] = tree
                going += child != node
            walking = going
        tree = 0
        for member in range(len(ends)):
            total = baseline[member]
            while tree < ends[member]:
                total += leaf[tree]
                tree += 1
            out[row, member] = total


def _sweep(x, pivots, edges, plane, cut, kept, first, values, ends, baseline, out):  # type: ignore[no-untyped-def]
    """Many rows: all splits of a tree are asked of ROWS rows at once, whatever their way."""
    rows, features = len(x), len(pivots) // FAN
    own = 2 * features * ROWS
    bins = np.zeros(_GROUPS * own, np.uint8)
    leaf = np.empty(ROWS, np.uint8)
    total = np.empty(_GROUPS * ROWS)
    for start in range(0, rows, _GROUPS * ROWS):
        count = min(_GROUPS * ROWS, rows - start)
        for row in range(count):
            place = row // ROWS * own + row % ROWS
            for feature in range(features):
                value = x[start + row, feature]
                part = FAN * below(pivots, FAN * feature, value)
                rank = part + below(edges, FAN * FAN * feature + part, value)
                bins[place] = rank if value == value else _PASSED_BY
                bins[place + ROWS] = rank
                place += 2 * ROWS
        groups = (count + ROWS - 1) // ROWS
        tree = 0
        for member in range(len(ends)):
            total[:] = baseline[member]
            while tree < ends[member]:
                for group in range(groups):
                    exit_leaves(
                        bins[group * own :], plane, cut, kept, first[tree], first[tree + 1], leaf
                    )
                    for row in range(ROWS):
                        total[group * ROWS + row] += values[tree * LEAVES + leaf[row]]
                tree += 1
            for row in range(count):
                out[start + row, member] = total[row]


_MATRIX, _NUMBERS, _ENDS = float64[:, ::1], float64[::1], int32[::1]
walk = njit(
    void(_MATRIX, int64[::1], _NUMBERS, _ENDS, _NUMBERS, _MATRIX),
    nogil=True,
    boundscheck=False,
)(_walk)
sweep = njit(
    void(
        _MATRIX, _NUMBERS, _NUMBERS, uint32[::1], uint8[::1], uint32[::1], int64[::1],
        _NUMBERS, _ENDS, _NUMBERS, _MATRIX,
    ),
    nogil=True,
    boundscheck=False,
)(_sweep)  # fmt: skip
