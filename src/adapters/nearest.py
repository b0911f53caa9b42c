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

from .compiled import compiled, inlined

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
COLUMN, KM = 0, 1
"""Of one that was found: its column of the points, and how far it is."""


@inlined
def _to_box(boxes: Any, node: int, x: float, y: float, z: float) -> float:
    """At most the square of the way to any point of the node, also as these are rounded."""
    dx = max(boxes[node, 0] - x, x - boxes[node, 3], 0.0)
    dy = max(boxes[node, 1] - y, y - boxes[node, 4], 0.0)
    dz = max(boxes[node, 2] - z, z - boxes[node, 5], 0.0)
    way: float = dx * dx + dy * dy + dz * dz
    return way


@compiled(
    "void(float64[:,::1], float64[:,::1], float64[:,::1], int64[:,::1], int64[:,::1],"
    " float64[:,:,:,::1])"
)
def find(asked: Any, points: Any, boxes: Any, trees: Any, groups: Any, near: Any) -> None:
    """The nearest points to those that are asked for, x, y and z in rows, in one tree a group.

    *groups* has the tree for each, shape (asked, groups); none is -1. Of *near*, shape (asked,
    groups, most, ...), COLUMN and KM are set, the nearest first; of points that are as near the one
    of the lowest place. Beyond those that there are a column is 0 and km are inf.
    """
    km, column = np.empty(2 * _HELD), np.empty(2 * _HELD, np.int64)
    ways, nodes = np.empty(_STACK), np.empty(_STACK, np.int64)
    bucket = np.empty(_BUCKETS + 1, np.int64)
    most = near.shape[2]
    for search in range(groups.size):
        home, group = search // groups.shape[1], search % groups.shape[1]
        x, y, z = asked[0, home], asked[1, home], asked[2, home]
        tree = groups[home, group]
        start, n, depth, root = trees[tree, 0], trees[tree, 1], trees[tree, 2], trees[tree, 3]
        leaves = 1 << depth
        bound, held = inf, 0
        ways[0], nodes[0] = 0.0, 1
        top = 1 if tree >= 0 else 0
        while top > 0:
            top -= 1
            node = nodes[top]
            if node < leaves and ways[top] <= bound:
                near_way = _to_box(boxes, root + 2 * node, x, y, z)
                far_way = _to_box(boxes, root + 2 * node + 1, x, y, z)
                swap = 1 if far_way < near_way else 0
                nodes[top], ways[top] = 2 * node + 1 - swap, max(near_way, far_way)
                nodes[top + 1], ways[top + 1] = 2 * node + swap, min(near_way, far_way)
                top += 2
                continue
            if ways[top] <= bound:
                if bound == inf:
                    row = root + node
                    dx = 0.5 * (boxes[row, 0] + boxes[row, 3]) - x
                    dy = 0.5 * (boxes[row, 1] + boxes[row, 4]) - y
                    dz = 0.5 * (boxes[row, 2] + boxes[row, 5]) - z
                    way = (sqrt(dx * dx + dy * dy + dz * dz) + boxes[row, 6]) * _NOT_WITHIN
                    bound = way * way
                leaf = node - leaves
                for i in range(start + (leaf * n >> depth), start + ((leaf + 1) * n >> depth)):
                    dx, dy, dz = points[0, i] - x, points[1, i] - y, points[2, i] - z
                    squared = dx * dx + dy * dy + dz * dz
                    km[held] = squared
                    column[held] = i
                    held += squared <= bound
            if top > 0 and held <= _HELD - 2 * _LEAF:
                continue
            # Candidates into buckets by their distance, then each to its place among the sorted.
            farthest = 1e-300
            for i in range(held):
                farthest = max(farthest, km[i])
            scale = (_BUCKETS - 1) / farthest
            for i in range(_BUCKETS + 1):
                bucket[i] = 0
            for i in range(held):
                bucket[int(km[i] * scale) + 1] += 1
            for i in range(_BUCKETS):
                bucket[i + 1] += bucket[i]
            for i in range(held):
                number = int(km[i] * scale)
                place = _HELD + bucket[number]
                bucket[number] += 1
                km[place] = km[i]
                column[place] = column[i]
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
                    km[place] = km[place - 1]
                    column[place] = column[place - 1]
                    place -= 1
                km[place] = squared
                column[place] = own
            if held == most:
                bound = min(bound, km[most - 1])
        for i in range(most):
            near[home, group, i, COLUMN] = column[i] if i < held else 0
            near[home, group, i, KM] = sqrt(km[i]) if i < held else inf


@compiled("Tuple((float64[:,::1], int64[:,::1]))(float64[::1], float64[::1], float64[::1], int64)")
def ask(lat: Any, lon: Any, kinds: Any, count: int) -> tuple[Any, Any]:
    """Where places are, in km from the middle of the earth; and the trees to look in for each.

    That of its kind, which is one of so many or -1 for none, and that of all, which comes last.
    """
    asked, groups = np.empty((3, lat.size)), np.empty((lat.size, 2), np.int64)
    for i in range(lat.size):
        across = EARTH_RADIUS * cos(radians(lat[i]))
        asked[0, i] = across * cos(radians(lon[i]))
        asked[1, i] = across * sin(radians(lon[i]))
        asked[2, i] = EARTH_RADIUS * sin(radians(lat[i]))
        kind = int(kinds[i]) if kinds[i] >= 0 and kinds[i] < count else -1
        groups[i, 0], groups[i, 1] = kind if kind == kinds[i] else -1, count
    return asked, groups


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
        lat, lon = np.array(lat), np.array(lon)
        points = ask(lat, lon, lat, 0)[0].T
        ordered = [_tree(points[members]) for members in groups]
        counts = [len(members) for members in groups]
        nodes = [len(boxes) for _, boxes in ordered]
        trees = np.zeros((len(groups), 4), dtype=np.int64)
        trees[1:, 0], trees[:, 1] = np.cumsum(counts)[:-1], counts
        trees[:, 2] = [count.bit_length() - 2 for count in nodes]
        trees[1:, 3] = np.cumsum(nodes)[:-1]
        places = np.concatenate(
            [members[order] for members, (order, _) in zip(groups, ordered, strict=True)]
        )
        told = np.ascontiguousarray(np.column_stack([points[places], places]).T)
        planted = cls(told, np.concatenate([boxes for _, boxes in ordered]), trees)
        planted._reach()
        return planted

    def near(self, lat: Any, lon: Any, kinds: Any, facts: int) -> Matrix:
        """The nearest of their kind and of all, shape (places, 2, MOST, facts), as find tells."""
        near = np.empty((len(lat), 2, MOST, facts))
        asked, groups = ask(lat, lon, kinds, len(self.trees) - 1)
        find(asked, self.points, self.boxes, self.trees, groups, near)
        return near

    def _reach(self) -> None:
        for tree, (_, count, depth, root) in enumerate(self.trees.tolist()):
            if count >= MOST:
                leaves = self.boxes[root + (1 << depth) : root + (2 << depth)]
                middles = np.ascontiguousarray(0.5 * (leaves[:, :3] + leaves[:, 3:6]).T)
                near = np.empty((len(leaves), 1, MOST, 2))
                trees = np.full((len(leaves), 1), tree)
                find(middles, self.points, self.boxes, self.trees, trees, near)
                leaves[:, 6] = near[:, 0, -1, KM]


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
