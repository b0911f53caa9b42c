"""What trees say of mixtures of homes and a reference, without walking down with each mixture.

A mixture has the features of some groups from a home and the others from the reference. All
mixtures of a home go down a tree together, as the bits of a word, and part only at nodes that send
home and reference to different sides.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .trees import Trees

Matrix = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]


def predict_mixtures(trees: Trees, x: Matrix, other: Matrix, own: Words, mixtures: int) -> Matrix:
    """As Trees.predict but for the order of adding; shape (homes, mixtures, members).

    *x* has the homes' features, *other* is the row of the reference's. Bit m of *own*, which has a
    word a feature, tells that mixture m (of at most 64) has the home's. A home gives the same bits
    alone and among others.
    """
    members, sizes = len(trees.ends), [end - start for start, end in pairwise([0, *trees.ends])]
    member, home = np.repeat(np.arange(members), sizes), np.arange(len(x))[:, None]
    place, node = (home * members + member).ravel(), np.tile(trees.roots, len(x))
    mixed = np.full(len(node), 2**mixtures - 1, dtype=np.uint64)
    own_left = own[trees.feature]
    other_left = np.where(_left(trees, other[trees.feature], slice(None)), ~own_left, np.uint64(0))
    leaf = trees.left == np.arange(len(trees.left))
    arrived = [(place[:0], trees.value[:0], mixed[:0])]
    while len(node):
        goes_left = _left(trees, x[place // members, trees.feature[node]], node)
        left = other_left[node] | np.where(goes_left, own_left[node], np.uint64(0))
        mixed = np.concatenate([mixed & left, mixed & ~left])
        node = np.concatenate([trees.left[node], trees.right[node]])
        place = np.concatenate([place, place])
        ended = (mixed != 0) & leaf[node]
        arrived.append((place[ended], trees.value[node[ended]], mixed[ended]))
        going = (mixed != 0) & ~leaf[node]
        node, place, mixed = node[going], place[going], mixed[going]
    place, value, mixed = (np.concatenate(parts) for parts in zip(*arrived, strict=True))
    sums = np.empty((len(x), mixtures, members))
    for mixture in range(mixtures):
        leaves = value * (mixed >> np.uint64(mixture) & np.uint64(1))
        sums[:, mixture] = np.bincount(place, leaves, len(x) * members).reshape(len(x), members)
    return sums + trees.baseline


def _left(trees: Trees, seen: Any, node: Any) -> npt.NDArray[np.bool_]:
    """Where a value sends a row that is at a node."""
    return np.asarray((seen <= trees.threshold[node]) | (np.isnan(seen) & trees.missing_left[node]))
