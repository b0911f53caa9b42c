"""The nearest points on the earth: kd-trees that are exact, and break ties by place.

A tree halves its points by the wider side of their box until few are left; node 1 is the root, the
children of a node are 2 node and 2 node + 1, and leaf j of 2^depth holds the points from
j n >> depth on. Each node has the box of its points, each leaf also how far from its middle there
are MOST points: a search need not look farther than that and the way to the middle.
"""

from collections.abc import Sequence
from math import cos, inf, radians, sin, sqrt
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from .compiled import compiled

Matrix = npt.NDArray[np.float64]
EARTH_RADIUS = 6371.0088
"""km; distances are chords, which are a home's way to its neighbours within any country."""
MOST = 50
"""The most that are asked for at once."""
_LEAF = 8
_HELD = 256
"""Candidates that are held before the nearest of them are told."""
_BUCKETS = 128
_STACK = 64
_NOT_WITHIN = 1 + 1e-9
"""What rounding may add to a way."""
KM, PLACES = 2 * _HELD + _STACK, 2 * _HELD + _STACK + _BUCKETS + 1
"""Sizes of the room that a search works in."""


@compiled("void(float64, float64, float64[::1])")
def sphere(lat: float, lon: float, to: Any) -> None:
    """Where a place is, in km from the middle of the earth."""
    across = EARTH_RADIUS * cos(radians(lat))
    to[0] = across * cos(radians(lon))
    to[1] = across * sin(radians(lon))
    to[2] = EARTH_RADIUS * sin(radians(lat))


@compiled("float64(float64[:,::1], int64, float64[::1])")
def _to_box(boxes: Any, node: int, at: Any) -> float:
    """At most the square of the way to any point of the node, also as these are rounded."""
    x = max(boxes[node, 0] - at[0], at[0] - boxes[node, 3], 0.0)
    y = max(boxes[node, 1] - at[1], at[1] - boxes[node, 4], 0.0)
    z = max(boxes[node, 2] - at[2], at[2] - boxes[node, 5], 0.0)
    return x * x + y * y + z * z


@compiled(
    "int64(float64[:,::1], float64[:,::1], int64[:,::1], int64, float64[::1], int64,"
    " float64[::1], int64[::1])"
)
def nearest(
    points: Any, boxes: Any, trees: Any, tree: int, at: Any, most: int, km: Any, column: Any
) -> int:
    """How many were found, at most *most*; their columns and km stand first in the rooms.

    The nearest first; of those that are as near, the one of the lowest place.
    """
    start, n, depth, root = trees[tree, 0], trees[tree, 1], trees[tree, 2], trees[tree, 3]
    leaves = 1 << depth
    node = 1
    while node < leaves:
        node *= 2
        if _to_box(boxes, root + node + 1, at) < _to_box(boxes, root + node, at):
            node += 1
    way = 0.0
    for side in range(3):
        way += (0.5 * (boxes[root + node, side] + boxes[root + node, side + 3]) - at[side]) ** 2
    bound = ((boxes[root + node, 6] + sqrt(way)) * _NOT_WITHIN) ** 2
    held = 0
    column[2 * _HELD] = 1
    km[2 * _HELD] = 0.0
    top = 1
    while True:
        if top > 0:
            top -= 1
            node = column[2 * _HELD + top]
            if km[2 * _HELD + top] > bound:
                continue
            if node < leaves:
                near, far = 2 * node, 2 * node + 1
                to_near = _to_box(boxes, root + near, at)
                to_far = _to_box(boxes, root + far, at)
                if to_far < to_near:
                    near, far = far, near
                    to_near, to_far = to_far, to_near
                column[2 * _HELD + top], km[2 * _HELD + top] = far, to_far
                column[2 * _HELD + top + 1], km[2 * _HELD + top + 1] = near, to_near
                top += 2
                continue
            leaf = node - leaves
            for i in range(start + (leaf * n >> depth), start + ((leaf + 1) * n >> depth)):
                x, y, z = points[0, i] - at[0], points[1, i] - at[1], points[2, i] - at[2]
                squared = x * x + y * y + z * z
                km[held] = squared
                column[held] = i
                held += squared <= bound
            if held <= _HELD - 2 * _LEAF:
                continue
        # The candidates into buckets by their distance, then each to its place among the sorted.
        farthest = 0.0
        for i in range(held):
            farthest = max(farthest, km[i])
        scale = (_BUCKETS - 1) / (farthest + 1e-300)
        bucket = column[2 * _HELD + _STACK :]
        bucket[:] = 0
        for i in range(held):
            bucket[int(km[i] * scale) + 1] += 1
        for i in range(_BUCKETS):
            bucket[i + 1] += bucket[i]
        for i in range(held):
            number = int(km[i] * scale)
            place = bucket[number]
            bucket[number] += 1
            km[_HELD + place], column[_HELD + place] = km[i], column[i]
        count, held = held, 0
        for i in range(_HELD, _HELD + count):
            squared, own = km[i], column[i]
            place = held
            if held == most:
                place -= 1
                if squared > km[place] or (
                    squared == km[place] and points[3, own] > points[3, column[place]]
                ):
                    continue
            else:
                held += 1
            while place > 0 and (
                km[place - 1] > squared
                or (km[place - 1] == squared and points[3, column[place - 1]] > points[3, own])
            ):
                km[place], column[place] = km[place - 1], column[place - 1]
                place -= 1
            km[place], column[place] = squared, own
        if held == most:
            bound = min(bound, km[most - 1])
        if top == 0:
            for i in range(held):
                km[i] = sqrt(km[i])
            return held


@frozen(eq=False)
class Planted:
    """Points in the order of their trees: x, y, z (km) and place, shape (4, columns); boxes, a row
    a node; and a row a tree: its first column, how many it has, its depth, the row of its node 0.
    """

    points: Matrix
    boxes: Matrix
    trees: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lat: Any, lon: Any, groups: Sequence[Any]) -> Self:
        """A tree for each group, which is the places of some of these coordinates."""
        points = np.empty((len(lat), 3))
        for row, *place in zip(points, lat.tolist(), lon.tolist(), strict=True):
            sphere(*place, row)
        trees, columns, boxes = np.zeros((len(groups), 4), dtype=np.int64), [], []
        for number, members in enumerate(groups):
            order, own = _tree(points[members])
            depth = len(own).bit_length() - 2
            rows = sum(map(len, columns)), len(members), depth, sum(map(len, boxes))
            trees[number] = rows
            columns.append(members[order])
            boxes.append(own)
        order = np.concatenate(columns)
        told = np.ascontiguousarray(np.column_stack([points[order], order]).T)
        planted = cls(told, np.concatenate(boxes), trees)
        planted._reach()
        return planted

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Of each column."""
        return self.points[3].astype(np.int64)

    def _reach(self) -> None:
        km, column = np.empty(KM), np.empty(PLACES, dtype=np.int64)
        for tree, (_, count, depth, root) in enumerate(self.trees.tolist()):
            if count < MOST:
                continue
            for leaf in self.boxes[root + (1 << depth) : root + (2 << depth)]:
                middle = 0.5 * (leaf[:3] + leaf[3:6])
                nearest(self.points, self.boxes, self.trees, tree, middle, MOST, km, column)
                leaf[6] = km[MOST - 1]


def _tree(points: Matrix) -> tuple[Any, Matrix]:
    """The order of the points, and the boxes: lower and upper corner, and no reach yet."""
    n = len(points)
    depth = max(0, (n - 1) // _LEAF).bit_length()
    order = np.arange(n)
    for level in range(depth):
        starts = np.arange((1 << level) + 1) * n >> level
        own = points[order]
        low, high = (side.reduceat(own, starts[:-1]) for side in (np.minimum, np.maximum))
        wider = np.repeat((high - low).argmax(axis=1), np.diff(starts))
        part = np.repeat(np.arange(1 << level), np.diff(starts))
        order = order[np.lexsort((own[np.arange(n), wider], part))]
    boxes = np.full((2 << depth, 8), inf)
    if n:
        starts, leaves = np.arange(1 << depth) * n >> depth, boxes[1 << depth :]
        leaves[:, :3] = np.minimum.reduceat(points[order], starts)
        leaves[:, 3:6] = np.maximum.reduceat(points[order], starts)
    for level in range(depth - 1, -1, -1):
        pairs = boxes[2 << level : 4 << level].reshape(-1, 2, 8)
        boxes[1 << level : 2 << level, :3] = pairs[:, :, :3].min(axis=1)
        boxes[1 << level : 2 << level, 3:6] = pairs[:, :, 3:6].max(axis=1)
    return order, boxes
