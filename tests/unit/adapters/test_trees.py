"""Trees say what a walk down each of them says, to the last bit, however many rows ask."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from ree.adapters.stored_arrays import npz
from ree.adapters.tree_tables import LEAVES, SweepTable, WalkTable
from ree.adapters.trees import Trees

MOST = 130
"""Rows: two blocks of a sweep and two more."""
SIZES = (1, 2, 9, 10, 11, 63, 64, 65, 127, 128, 129, MOST)
ODD = (0.0, -0.0, np.inf, -np.inf, 5e-324, -5e-324, 1e308, -1e308)

Array = np.ndarray[Any, np.dtype[Any]]
Tree = Sequence[tuple[int, float, int, int, bool, float]]
"""Nodes: feature, threshold, left, right, whether the missing go left, value."""

NOTHING = (0, np.inf, 0, 0, True, 0.0)


def plant(members: Sequence[Sequence[Tree]], baseline: Sequence[float]) -> dict[str, Array]:
    """The arrays of these members; places of children count from their tree's first node."""
    trees = [tree for member in members for tree in member]
    starts = np.cumsum([0, *map(len, trees)])
    nodes = [node for tree in trees for node in tree]
    first = np.repeat(starts[:-1], [*map(len, trees)])
    feature, threshold, left, right, missing_left, value = (
        np.array([node[part] for node in nodes]) for part in range(6)
    )
    return {
        "ends": np.cumsum([len(member) for member in members]).astype(np.int32),
        "roots": starts[:-1].astype(np.int32),
        "feature": feature.astype(np.int32),
        "threshold": threshold.astype(np.float64),
        "left": (left + first).astype(np.int32),
        "right": (right + first).astype(np.int32),
        "missing_left": missing_left.astype(np.bool_),
        "value": value.astype(np.float64),
        "baseline": np.array(baseline, dtype=np.float64),
        "depth": np.array([64], dtype=np.int32),
    }


def grown(random: np.random.Generator, leaves: int, pools: Sequence[Array], shape: str) -> Tree:
    """A tree of so many leaves: a chain to the left or right, or any shape."""
    nodes: list[Any] = [None]
    open_, depth = [0], {0: 0}
    while len(open_) < leaves:
        place = {"left": 0, "right": len(open_) - 1}.get(shape, int(random.integers(len(open_))))
        node, left = open_[place], len(nodes)
        open_[place : place + 1] = [left, left + 1]
        depth[left] = depth[left + 1] = depth[node] + 1
        nodes += [None, None]
        feature = int(random.integers(len(pools)))
        threshold = float(random.choice(pools[feature]))
        nodes[node] = (feature, threshold, left, left + 1, bool(random.random() < 0.5), 0.0)
    for leaf in open_:
        nodes[leaf] = (0, np.inf, leaf, leaf, True, float(random.normal()))
    assert max(depth.values()) <= 64
    return nodes


def by_hand(arrays: Mapping[str, Array], x: Array) -> Array:
    """Walked one row and tree at a time."""
    names = ("feature", "threshold", "left", "right", "missing_left", "value", "roots", "ends")
    feature, threshold, left, right, missing_left, value, roots, ends = (
        arrays[name].tolist() for name in names
    )
    sums = []
    for row in x.tolist():
        start = 0
        for end, baseline in zip(ends, arrays["baseline"].tolist(), strict=True):
            total = baseline
            for root in roots[start:end]:
                node = root
                while left[node] != node:
                    seen = row[feature[node]]
                    goes_left = missing_left[node] if seen != seen else seen <= threshold[node]
                    node = left[node] if goes_left else right[node]
                total += value[node]
            sums.append(total)
            start = end
    return np.array(sums, dtype=np.float64).reshape(len(x), len(ends))


def beside(pools: Sequence[Array], rows: int, random: np.random.Generator) -> Array:
    """Values on thresholds, an ulp to either side of them, missing, infinite, and any."""
    columns = []
    for pool in pools:
        with np.errstate(over="ignore"):
            near = np.concatenate([pool, np.nextafter(pool, -np.inf), np.nextafter(pool, np.inf)])
        other = np.concatenate([random.normal(size=20), ODD, np.full(6, np.nan)])
        columns.append(
            np.where(
                random.random(rows) < 0.6, random.choice(near, rows), random.choice(other, rows)
            )
        )
    return np.column_stack(columns)


def assert_same_bits(one: Array, other: Array) -> None:
    assert one.dtype == other.dtype == np.float64
    assert one.shape == other.shape
    assert one.tobytes() == other.tobytes()


def assert_walked(arrays: Mapping[str, Array], x: Array, sizes: Sequence[int] = SIZES) -> None:
    trees = Trees.from_arrays(arrays, x.shape[1])
    expected = by_hand(arrays, x)
    for rows in sizes:
        assert_same_bits(trees.predict(x[:rows].copy()), expected[:rows])


@st.composite
def forests(draw: st.DrawFn) -> tuple[dict[str, Array], Array]:
    """Arrays of any legal shape, and rows to ask about."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    features = draw(st.integers(1, 6))
    sizes = st.sampled_from([1, 3, 40, 255, 256, 400])
    pools = [
        np.unique(np.concatenate([random.normal(size=draw(sizes)), random.choice(ODD, 2)]))
        for _ in range(features)
    ]
    trees = st.tuples(
        st.sampled_from([1, 2, 8, 31, LEAVES, LEAVES + 1, 60]),
        st.sampled_from(["left", "right", "any"]),
    )
    members = draw(st.lists(st.lists(trees, max_size=4), min_size=1, max_size=4))
    planted = [
        [grown(random, leaves, pools, shape) for leaves, shape in member] for member in members
    ]
    if not any(planted):
        planted[0] = [grown(random, 1, pools, "any")]
    arrays = plant(planted, [*random.normal(size=len(planted))])
    return arrays, beside(pools, MOST, random)


@settings(max_examples=60, deadline=None)
@given(forests())
def test_any_trees_are_walked(forest: tuple[dict[str, Array], Array]) -> None:
    assert_walked(*forest)


@pytest.mark.parametrize("leaves", [1, 2, 3, 8, 31, LEAVES, LEAVES + 1, 64])
@pytest.mark.parametrize("shape", ["left", "right", "any"])
def test_trees_of_any_depth_are_walked(leaves: int, shape: str) -> None:
    random = np.random.default_rng(leaves)
    pools = [np.unique(random.normal(size=50)) for _ in range(4)]
    members = [[grown(random, leaves, pools, shape) for _ in range(5)], []]
    arrays = plant(members, [1.0, -2.0])
    swept = SweepTable.of(Trees.from_arrays(arrays, 4))
    assert (swept is None) == (leaves > LEAVES)
    assert_walked(arrays, beside(pools, MOST, random), range(1, MOST + 1))


@pytest.mark.parametrize("thresholds", [1, 15, 16, 17, 240, 241, 254, 255, 256, 300])
@pytest.mark.parametrize("infinite", [False, True])
def test_features_of_many_thresholds_are_ranked(thresholds: int, infinite: bool) -> None:
    """Two trees a threshold, the missing left and right; rows on and beside each."""
    pool = np.sort(np.random.default_rng(thresholds).normal(size=thresholds))
    if infinite:
        pool[-1] = np.inf
    leaves = [(0, np.inf, 1, 1, True, 1.0), (0, np.inf, 2, 2, True, -1.0)]
    members = [
        [[(1, float(threshold), 1, 2, missing_left, 0.0), *leaves]]
        for threshold in pool
        for missing_left in (True, False)
    ]
    arrays = plant(members, np.zeros(len(members)).tolist())
    near = np.concatenate([pool, np.nextafter(pool, -np.inf), np.nextafter(pool, np.inf), ODD])
    x = np.column_stack([np.zeros(len(near) + 1), [*near, np.nan]])
    swept = SweepTable.of(Trees.from_arrays(arrays, 2))
    assert (swept is None) == (thresholds > 255)
    assert_walked(arrays, x, [len(x), 9])


def test_members_without_trees_say_their_baseline() -> None:
    empty = {name: array[:0] for name, array in plant([[[NOTHING]]], [0.0]).items()}
    counts = {"ends": np.zeros(2, np.int32), "depth": np.zeros(1, np.int32)}
    arrays = empty | counts | {"baseline": np.array([-0.0, 2.5])}
    assert_walked(arrays, np.full((MOST, 3), np.nan))


# As scikit-learn


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def boosters(one_thread: None) -> list[Any]:
    """Three on one matrix, with features of which only whether they are missing tells something."""
    random = np.random.default_rng(4)
    x = random.normal(size=(900, 6))
    x[:, 1] = np.round(x[:, 1] * 3)
    x[:, 2] = np.where(random.random(900) < 0.4, np.nan, 7.0)
    x[random.random(900) < 0.2, 3] = np.nan
    x[:, 4] *= 1e-310
    y = x[:, 0] + 3 * np.isnan(x[:, 2]) + np.nan_to_num(x[:, 3]) ** 2 + x[:, 1] + (x[:, 4] > 0)
    return [
        HistGradientBoostingRegressor(
            loss=loss, max_iter=25, max_leaf_nodes=31, min_samples_leaf=5, early_stopping=False
        ).fit(x, y + number)
        for number, loss in enumerate(["squared_error", "absolute_error", "squared_error"])
    ]


@pytest.fixture(scope="module")
def fitted(boosters: list[Any]) -> Trees:
    return Trees.from_arrays(Trees.of(boosters).arrays("a_"), 6, "a_")


def adversarial(trees: Trees) -> Array:
    """Each threshold, an ulp to either side, what is odd: each in its feature, of random rows."""
    random = np.random.default_rng(6)
    inner = trees.left != np.arange(len(trees.left))
    pools = [np.unique(trees.threshold[inner & (trees.feature == feature)]) for feature in range(6)]
    rows = []
    for feature, pool in enumerate(pools):
        near = [pool, np.nextafter(pool, -np.inf), np.nextafter(pool, np.inf), ODD, [np.nan]]
        values = np.concatenate(near)
        x = beside(pools, len(values), random)
        x[:, feature] = values
        rows.append(x)
    return np.concatenate(rows)


def test_members_say_what_scikit_learn_says(boosters: list[Any], fitted: Trees) -> None:
    x = adversarial(fitted)
    inner = fitted.left != np.arange(len(fitted.left))
    assert np.isinf(fitted.threshold[inner]).any()
    assert len(x) > 1_000
    expected = np.column_stack([booster.predict(x) for booster in boosters])
    assert_same_bits(fitted.predict(x), expected)
    for rows in range(1, MOST + 1):
        assert_same_bits(fitted.predict(x[-rows:]), expected[-rows:])


def test_a_row_has_the_same_bits_alone_and_among_others(fitted: Trees) -> None:
    x = adversarial(fitted)
    together = fitted.predict(x)
    for row in range(0, len(x), 7):
        assert_same_bits(fitted.predict(x[row : row + 1]), together[row : row + 1])
    order = np.random.default_rng(1).permutation(len(x))
    assert_same_bits(fitted.predict(x[order]), together[order])


@pytest.mark.parametrize("rows", [3, 70])
def test_rows_may_lie_in_memory_as_they_like(fitted: Trees, rows: int) -> None:
    x = adversarial(fitted)[:rows]
    expected, before = fitted.predict(x), x.copy()
    assert_same_bits(fitted.predict(np.asfortranarray(x)), expected)
    assert_same_bits(fitted.predict(np.column_stack([x, x])[:, :6]), expected)
    assert_same_bits(fitted.predict(np.column_stack([x, x])), expected)
    x.setflags(write=False)
    assert_same_bits(fitted.predict(x), expected)
    np.testing.assert_array_equal(x, before)


def test_no_rows_have_no_sums(fitted: Trees) -> None:
    assert fitted.predict(np.empty((0, 6))).shape == (0, 3)


@pytest.mark.parametrize("shape", [(3, 5), (70, 5), (6,), (1, 1, 6)])
def test_rows_without_a_feature_are_refused(fitted: Trees, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="6 features a row"):
        fitted.predict(np.zeros(shape))


# As somebody might store them


def test_nodes_with_several_parents_are_walked() -> None:
    """64 nodes, each of whose children is the next: more ways than could be listed."""
    chain = [(0, 0.0, place + 1, place + 1, True, 0.0) for place in range(64)]
    shared: Tree = [*chain, (0, np.inf, 64, 64, True, 3.0)]
    few: Tree = [
        (0, 0.0, 1, 2, True, 0.0),
        (1, 0.5, 3, 4, False, 0.0),
        (1, -0.5, 3, 4, True, 0.0),
        (0, 1.0, 4, 5, False, 0.0),
        (0, np.inf, 4, 4, True, 0.25),
        (0, np.inf, 5, 5, True, 0.125),
    ]
    pools = [np.array([0.0, 1.0]), np.array([-0.5, 0.5])]
    x = beside(pools, MOST, np.random.default_rng(2))
    assert SweepTable.of(Trees.from_arrays(plant([[few]], [0.0]), 2)) is not None
    assert_walked(plant([[few, few]], [0.0]), x)
    assert_walked(plant([[shared], [few]], [0.0, 1.0]), x)


def test_nodes_that_no_walk_comes_to_say_nothing(fitted: Trees) -> None:
    arrays = fitted.arrays()
    arrays["roots"] = np.repeat(arrays["roots"][:1], len(arrays["roots"]))
    assert_walked(arrays, adversarial(fitted)[:MOST])


def test_one_tree_many_times_takes_no_room_of_its_own(fitted: Trees) -> None:
    """10,000 roots of 4 bytes would else become megabytes, and so on."""
    arrays = fitted.arrays()
    arrays |= {"roots": np.zeros(10_000, np.int32), "ends": np.array([1, 10_000], np.int32)}
    arrays |= {"baseline": np.zeros(2)}
    assert SweepTable.of(fitted) is not None
    assert SweepTable.of(Trees.from_arrays(arrays, 6)) is None
    assert_walked(arrays, adversarial(fitted)[:12], [1, 12])


@pytest.mark.parametrize("byte", [2, 128, 255])
def test_a_true_may_be_any_byte(fitted: Trees, byte: int) -> None:
    """Else it would lead outside of what was seen."""
    arrays = fitted.arrays()
    raw = arrays["missing_left"].view(np.uint8) * np.uint8(byte)
    x = adversarial(fitted)
    odd = Trees.from_arrays({**arrays, "missing_left": raw.view(np.bool_)}, 6)
    for rows in (5, len(x)):
        assert_same_bits(odd.predict(x[:rows]), fitted.predict(x[:rows]))


def test_arrays_may_be_strided_or_read_only(fitted: Trees) -> None:
    stored = {name: np.repeat(array, 2)[::2] for name, array in fitted.arrays().items()}
    for array in stored.values():
        array.setflags(write=False)
    x = adversarial(fitted)
    for rows in (5, len(x)):
        assert_same_bits(Trees.from_arrays(stored, 6).predict(x[:rows]), fitted.predict(x[:rows]))


def test_what_is_derived_is_not_stored(fitted: Trees) -> None:
    before = Trees(**fitted.arrays()).arrays()
    assert fitted.arrays().keys() == before.keys()
    assert "ends" in before
    assert all(not name.startswith("_") for name in before)


def test_what_was_read_derives_nothing_when_it_is_asked(
    fitted: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a fork shares it."""
    read = Trees.from_arrays(fitted.arrays(), 6)
    for table in (WalkTable, SweepTable):
        monkeypatch.setattr(table, "of", lambda *_: pytest.fail("derived too late"))
    assert read.predict(np.zeros((1, 6))).shape == (1, 3)
    assert read.predict(np.zeros((70, 6))).shape == (70, 3)


# In other processes

ASKING = """
import hashlib, os, sys
import numpy as np
import ree.adapters.trees as module
assert "numba" not in sys.modules, "paid for by who asks no tree"
stored = np.load(sys.argv[1])
threads = lambda: len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0
trees = module.Trees.from_arrays(stored, 6)
before = threads()
def told():
    answers = [trees.predict(stored["x"][:rows]) for rows in (1, 9, 64, len(stored["x"]))]
    return hashlib.sha256(b"".join(answer.tobytes() for answer in answers)).hexdigest()
print(told(), flush=True)
assert threads() == before
child = os.fork()
if not child:
    print(told(), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("processor", ["this", "generic"])
def test_a_fork_and_another_processor_say_the_same(
    fitted: Trees, tmp_path: Any, processor: str
) -> None:
    """Without a warning, and without a thread; a generic processor lacks all wide vectors."""
    x = adversarial(fitted)
    (tmp_path / "stored.npz").write_bytes(npz({**fitted.arrays(), "x": x}))
    environment = dict(os.environ)
    if processor == "generic":
        environment |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASKING, str(tmp_path / "stored.npz")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    here = digest_here(fitted, x)
    assert told.stdout.split() == [here, here]


def digest_here(trees: Trees, x: Array) -> str:
    answers = [trees.predict(x[:rows]) for rows in (1, 9, 64, len(x))]
    return hashlib.sha256(b"".join(answer.tobytes() for answer in answers)).hexdigest()
