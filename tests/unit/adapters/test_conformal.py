"""Intervals that hold what they are made to hold, by quantiles of errors made out of time."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import ceil, exp, inf, log, nan
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from ree.adapters.calibration import FEWEST, FEWEST_OF_ALL, _quantiles, _tails, calibrated
from ree.adapters.conformal import LEVELS, PARTS, SIGHTS, TYPES, Conformal, sights
from ree.adapters.features import FEATURES
from ree.adapters.trees import Trees
from ree.domain.appraisal import COVERAGES

PREFIX = "expected_error_"
AREA = FEATURES.index("log_usable_area")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where cores are shared."""
    with threadpool_limits(1):
        yield


# Quantiles


def by_hand(scores: Any, level: float) -> tuple[float, float]:
    """Counted from either end: as many scores lie beyond as the level leaves out on that side."""
    n = len(scores)
    rank = ceil((n + 1) * (1 + Fraction(str(level))) / 2)
    if rank > n:
        return nan, nan
    ordered = sorted(scores)
    return max(-ordered[n - rank], 0.0), max(ordered[rank - 1], 0.0)


def test_levels_are_those_of_the_intervals_after_one_standard_deviation() -> None:
    assert LEVELS == (0.6827, 0.8, 0.9, 0.95)
    assert LEVELS[1:] == COVERAGES


def test_tails_of_39_scores() -> None:
    """The least of which both tails of 95 % are known: they are the extremes."""
    scores = np.arange(-19.0, 20.0)
    below, above = _tails(np.random.default_rng(0).permutation(scores))
    # Ranks ceil(40 * (1 + level) / 2) = 34, 36, 38 and 39 of 39.
    assert above.tolist() == [14, 16, 18, 19]
    assert below.tolist() == [14, 16, 18, 19]


@pytest.mark.parametrize(
    ("n", "known"), [(0, 0), (5, 0), (6, 1), (8, 1), (9, 2), (18, 2), (19, 3), (38, 3), (39, 4)]
)
def test_of_too_few_scores_a_tail_is_not_known(n: int, known: int) -> None:
    tails = _tails(np.arange(float(n)) - n / 2)
    assert np.isfinite(tails).tolist() == [[True] * known + [False] * (4 - known)] * 2


@pytest.mark.parametrize("n", [*range(41), 99, 100, 999, 1_000])
def test_ranks_are_those_of_exact_arithmetic(n: int) -> None:
    scores = np.random.default_rng(n).normal(size=n)
    expected = np.array([by_hand(scores, level) for level in LEVELS]).T
    np.testing.assert_array_equal(_tails(scores), expected)


@pytest.mark.parametrize(("sign", "zero"), [(1, 0), (-1, 1)])
def test_an_estimate_is_inside_its_interval_though_all_prices_are_on_one_side(
    sign: int, zero: int
) -> None:
    tails = _tails(sign * np.arange(1.0, 101.0))
    assert tails[zero].tolist() == [0.0] * 4
    # Of 101: ranks 85, 91, 96 and 99.
    assert tails[1 - zero].tolist() == [85, 91, 96, 99]


score = st.floats(-50, 50)


@settings(deadline=None)
@given(st.lists(score, max_size=200).map(np.array))
def test_more_is_held_by_wider_intervals(scores: Any) -> None:
    tails = _tails(scores)
    known = np.isfinite(tails)
    assert (tails[known] >= 0).all()
    for narrow, wide in pairwise(range(len(LEVELS))):
        assert (known[:, narrow] | ~known[:, wide]).all()
        both = known[:, wide]
        assert (tails[both, narrow] <= tails[both, wide]).all()


@settings(deadline=None)
@given(st.lists(score, min_size=39, max_size=200).map(np.array))
def test_at_least_the_share_of_the_scores_themselves_is_held(scores: Any) -> None:
    for level, below, above in zip(LEVELS, *_tails(scores), strict=True):
        assert ((-below <= scores) & (scores <= above)).mean() >= level


@pytest.mark.parametrize("n", [39, 60, 100])
@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy"])
def test_a_score_more_lies_within_whatever_they_are_distributed_like(n: int, draw: str) -> None:
    """The theorem: of n + 1 exchangeable scores, the last is beyond a rank r with (n + 1 - r) /
    (n + 1). What is counted has to agree with that, and with what was promised."""
    repetitions = 4_000
    drawn = getattr(np.random.default_rng(n), draw)(size=(repetitions, n + 1))
    drawn -= np.median(drawn)
    tails = np.array([_tails(row[:-1]) for row in drawn])
    last = drawn[:, -1:]
    inside = ((-tails[:, 0] <= last) & (last <= tails[:, 1])).sum(axis=0)
    for number, level in enumerate(LEVELS):
        rank = ceil((n + 1) * (1 + Fraction(str(level))) / 2)
        promised = 1 - 2 * (n + 1 - rank) / (n + 1)
        assert promised >= level
        seen = binomtest(int(inside[number]), repetitions).proportion_ci(0.9999, method="exact")
        assert seen.low <= promised <= seen.high


# Groups


def groups(*counts: tuple[int, int, int, float]) -> tuple[Any, Any, Any]:
    """So many scores of a type and part, up to a size on both sides: scores, types and parts."""
    scores = [np.linspace(-size, size, count) for count, _, _, size in counts]
    types = [np.full(count, kind) for count, kind, _, _ in counts]
    parts = [np.full(count, part) for count, _, part, _ in counts]
    return np.concatenate(scores), np.concatenate(types), np.concatenate(parts)


def assert_group(found: tuple[Any, Any], kind: int, part: int, scores: Any) -> None:
    told = np.array([table[kind, part] for table in found])
    np.testing.assert_array_equal(told, _tails(scores))


def test_a_part_of_a_type_with_enough_scores_has_its_own_quantiles() -> None:
    scores, types, parts = groups((100, 0, 0, 1), (99, 0, 1, 10), (150, 0, 2, 100))
    found = _quantiles(scores, types, parts)
    assert FEWEST == 100
    assert found[0].shape == found[1].shape == (TYPES, PARTS, len(LEVELS))
    assert_group(found, 0, 0, scores[:100])
    assert_group(found, 0, 1, scores)
    assert_group(found, 0, 2, scores[199:])


def test_a_type_with_enough_scores_is_one_group_where_its_parts_have_few() -> None:
    scores, types, parts = groups((50, 1, 0, 1), (50, 1, 1, 10), (99, 2, 0, 100), (300, 3, 1, 1e3))
    found = _quantiles(scores, types, parts)
    for part in range(PARTS):
        assert_group(found, 1, part, scores[:100])
        assert_group(found, 2, part, scores)
        assert_group(found, 4, part, scores)
    assert_group(found, 3, 0, scores[199:])
    assert_group(found, 3, 1, scores[199:])


def test_another_type_does_not_widen_the_intervals_of_one_that_has_enough() -> None:
    calm = groups((300, 0, 1, 1), (300, 3, 1, 2))
    wild = groups((300, 0, 1, 1), (300, 3, 1, 90))
    for before, after in zip(_quantiles(*calm), _quantiles(*wild), strict=True):
        np.testing.assert_array_equal(before[0], after[0])
        assert (before[3] < after[3]).all()


# Of sales


def sales(rows: int, seed: int, *, spread: float = 0.1, bias: float = 0.0) -> dict[str, Any]:
    """Homes with a noise that one feature tells of, twice as much for one half as on average.

    Everything is drawn alike for each home, so that those of two seeds are exchangeable.
    """
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, len(FEATURES)))
    x[:, AREA] = random.uniform(3, 5, rows)
    wild = x[:, FEATURES.index("rooms")] > 0
    worth = 11 + x[:, AREA]
    members = worth[:, None] + random.normal(0, 0.02, (rows, 3))
    noise = random.normal(bias, spread, rows) * np.where(wild, 1.6, 0.4)
    return {
        "x": x,
        "members": members,
        "types": random.choice([0.0, 3.0], rows),
        "price": np.exp(worth + noise),
        "wild": wild,
    }


def of(homes: dict[str, Any]) -> Conformal:
    told = calibrated(*(homes[name] for name in ("x", "members", "types", "price")))
    assert told is not None
    return told[0]


def expected_error(model: Conformal, homes: dict[str, Any]) -> Any:
    return model.expected_error(sights(homes["x"], homes["members"])[1])


def bounds(model: Conformal, homes: dict[str, Any]) -> tuple[Any, Any]:
    """Lower and upper by coverage, and the fsd."""
    price = np.exp(sights(homes["x"], homes["members"])[0])
    return model.bounds(price, homes["types"], expected_error(model, homes), COVERAGES)


def off(model: Conformal, types: list[float], expected: list[float]) -> dict[float, Any]:
    """How many logs below and above by coverage, and of the fsd's level by 0."""
    price = np.ones(len(types))
    pairs, fsd = model.bounds(price, np.array(types), np.array(expected), COVERAGES)
    with np.errstate(divide="ignore"):
        logs = {share: (-np.log(low), np.log(high)) for share, (low, high) in pairs.items()}
    return logs | {0: fsd}


@pytest.fixture(scope="module")
def model() -> Conformal:
    return of(sales(2_000, seed=1))


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    return sales(20_000, seed=2)


def held(model: Conformal, homes: dict[str, Any], coverage: float) -> Any:
    lower, upper = bounds(model, homes)[0][coverage]
    return (lower <= homes["price"]) & (homes["price"] <= upper)


@pytest.mark.parametrize("coverage", COVERAGES)
def test_prices_lie_within_as_often_as_was_wanted(
    model: Conformal, asked: dict[str, Any], coverage: float
) -> None:
    """Of any type; and about so where much noise is to be expected, as where little is."""
    inside, wild = held(model, asked, coverage), asked["wild"]
    assert inside.mean() == pytest.approx(coverage, abs=0.02)
    for kind in (0, 3):
        assert inside[asked["types"] == kind].mean() == pytest.approx(coverage, abs=0.03)
    # One width for all would hold 62 and 98 % of them instead of 80.
    assert inside[wild].mean() == pytest.approx(coverage, abs=0.06)
    assert inside[~wild].mean() == pytest.approx(coverage, abs=0.06)


def test_intervals_are_wider_where_more_is_to_be_expected(
    model: Conformal, asked: dict[str, Any]
) -> None:
    (_, fsd), wild = bounds(model, asked), asked["wild"]
    assert fsd[wild].mean() > 3 * fsd[~wild].mean()
    assert np.median(fsd[wild]) == pytest.approx(0.16, rel=0.15)
    assert np.median(fsd[~wild]) == pytest.approx(0.04, rel=0.25)


def test_intervals_are_nested_around_the_estimate(model: Conformal, asked: dict[str, Any]) -> None:
    price, pairs = np.exp(asked["members"].mean(axis=1)), bounds(model, asked)[0]
    assert (pairs[0.8][0] <= price).all()
    assert (price <= pairs[0.8][1]).all()
    for (low, high), (lower, higher) in pairwise(pairs[coverage] for coverage in COVERAGES):
        assert (lower <= low).all()
        assert (high <= higher).all()


def test_what_is_expected_of_a_sale_is_not_told_by_its_own_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor by that of any other of its fold: else scores are too small, and intervals too narrow."""
    kept: list[Any] = []

    def keeping(scores: Any, types: Any, parts: Any) -> Any:
        kept.append(scores)
        return _quantiles(scores, types, parts)

    def expected(homes: dict[str, Any]) -> Any:
        of(homes)
        return (np.log(homes["price"]) - homes["members"].mean(axis=1)) / kept[-1]

    monkeypatch.setattr("ree.adapters.calibration._quantiles", keeping)
    homes, fold = sales(200, seed=11), np.arange(200) % 5 == 2
    before = expected(homes)
    after = expected({**homes, "price": homes["price"] * np.where(fold, 3, 1)})
    assert after[fold] == pytest.approx(before[fold], rel=1e-9)
    assert np.median(after[~fold] / before[~fold]) > 1.5


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_bias_is_made_up_for_on_its_own_side(sign: int) -> None:
    """Prices above the estimates are told by what lies above, not by what lies below."""
    asked = sales(500, seed=4)
    pairs, _ = bounds(of(sales(600, seed=3, bias=sign * 1.0, spread=0.05)), asked)
    price = np.exp(sights(asked["x"], asked["members"])[0])
    below, above = np.log(price / pairs[0.8][0]), np.log(pairs[0.8][1] / price)
    same, other = (above, below) if sign > 0 else (below, above)
    assert (same > 0.1).all()
    assert not other.any()


def test_the_same_sales_give_the_same_quantiles(model: Conformal) -> None:
    again = of(sales(2_000, seed=1)).arrays()
    assert {name: row.tobytes() for name, row in model.arrays().items()} == {
        name: row.tobytes() for name, row in again.items()
    }


def test_sales_are_not_changed_by_what_is_learned_of_them() -> None:
    homes, kept = sales(60, seed=5), sales(60, seed=5)
    homes["x"][:, 3] = kept["x"][:, 3] = nan
    of(homes)
    for name, column in kept.items():
        np.testing.assert_array_equal(homes[name], column)


@pytest.mark.parametrize(("rows", "known"), [(0, False), (38, False), (39, True)])
def test_too_few_sales_tell_nothing(rows: int, known: bool) -> None:
    homes = sales(rows, seed=6)
    told = calibrated(homes["x"], homes["members"], homes["types"], homes["price"])
    assert FEWEST_OF_ALL == 39
    assert (told is not None) is known
    if told is not None:
        assert np.isfinite([told[0].below, told[0].above]).all()


@pytest.mark.parametrize("rows", [39, 99, 100, 600])
def test_every_type_has_quantiles(rows: int) -> None:
    made = of(sales(rows, seed=7))
    assert np.isfinite([made.below, made.above]).all()
    if rows < FEWEST:
        assert (made.above == made.above[0, 0]).all()


def test_a_feature_that_no_sale_has_is_not_used() -> None:
    homes = sales(200, seed=8)
    homes["x"][:, AREA + 3] = nan
    made = of(homes)
    assert AREA + 3 not in made.expected.feature[np.isfinite(made.expected.threshold)]
    told = expected_error(made, homes)
    assert np.isfinite(told).all()


@pytest.mark.parametrize("few", [1, 3])
def test_a_feature_that_few_sales_have(few: int) -> None:
    """As the number of rooms where hardly anybody tells it."""
    homes = sales(200, seed=9)
    homes["x"][:, AREA + 3] = nan
    homes["x"][: 5 * few : 5, AREA + 3] = 1.0
    assert np.isfinite(bounds(of(homes), homes)[1]).all()


# Units


def hand_made(expected: float = 0.1, edges: tuple[float, float] = (0.05, 0.2)) -> Conformal:
    """Everybody's error is expected to be the same; quantiles tell where they are from."""
    shape = TYPES, PARTS, len(LEVELS)
    below = np.arange(1.0, 1 + np.prod(shape)).reshape(shape) / 100
    booster = HistGradientBoostingRegressor(max_iter=1).fit(np.zeros((50, SIGHTS)), np.zeros(50))
    trees = evolve(Trees.of([booster]), baseline=np.array([log(expected)]))
    return Conformal(trees, np.array(edges), below, below * 2)


def test_quantiles_are_in_units_of_the_expected_error() -> None:
    made = hand_made()
    homes = [(0, 0, 0.01), (2, 1, 0.1), (4, 2, 3.0)]
    found = off(made, [float(kind) for kind, _, _ in homes], [logs for _, _, logs in homes])
    for row, (kind, part, expected) in enumerate(homes):
        for level, coverage in enumerate(COVERAGES, start=1):
            below, above = (side[row] for side in found[coverage])
            assert below == pytest.approx(made.below[kind, part, level] * expected, rel=1e-12)
            assert above == pytest.approx(made.above[kind, part, level] * expected, rel=1e-12)


@pytest.mark.parametrize(
    ("expected", "part"),
    [(0.04, 0), (0.05, 0), (0.051, 1), (0.2, 1), (0.21, 2), (inf, 2), (nan, 2)],
)
def test_parts_go_up_to_their_edge(expected: float, part: int) -> None:
    made = hand_made()
    below, _ = off(made, [1.0], [expected])[0.9]
    assert below[0] == pytest.approx(made.below[1, part, 2] * expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("kind", [-1.0, 5.0, 1e300, -inf, nan])
def test_of_no_type_nothing_is_known(kind: float) -> None:
    found = off(hand_made(), [kind, 0.0], [0.1, 0.1])
    assert np.isnan([side[0] for share in COVERAGES for side in found[share]]).all()
    assert np.isnan(found[0]).tolist() == [True, False]


def test_the_expected_error_is_that_of_the_trees() -> None:
    homes = sales(20, seed=10)
    told = expected_error(hand_made(0.1), homes)
    assert told == pytest.approx(np.full(20, 0.1))


def test_what_the_expected_error_is_told_by() -> None:
    x = np.arange(2.0 * len(FEATURES)).reshape(2, -1)
    members = np.array([[20.0, 22.0], [30.0, 30.0]])
    mean, seen = sights(x, members)
    assert mean.tolist() == [21, 30]
    assert seen.shape == (2, SIGHTS)
    np.testing.assert_array_equal(seen[:, :-2], x)
    assert seen[:, -2].tolist() == [1, 0]
    assert seen[:, -1].tolist() == [21 - x[0, AREA], 30 - x[1, AREA]]


def test_bounds_are_so_many_logs_from_the_price() -> None:
    tails = np.array([[0.05, 0.1, 0.2, 0.3], [0.06, 0.4, 0.5, 0.6]])
    made = hand_made()
    made = evolve(made, below=made.below * 0 + tails[0], above=made.above * 0 + tails[1])
    pairs, fsd = made.bounds(np.array([2e6]), np.array([1.0]), np.array([1.0]), COVERAGES)
    for number, coverage in enumerate(COVERAGES, start=1):
        lower, upper = pairs[coverage]
        assert lower[0] == pytest.approx(2e6 * exp(-tails[0, number]))
        assert upper[0] == pytest.approx(2e6 * exp(tails[1, number]))
    assert fsd[0] == pytest.approx((exp(0.06) - exp(-0.05)) / 2)


def test_what_is_not_known_is_no_bound() -> None:
    made = hand_made()
    few = made.below.copy()
    few[:, :, 2:] = nan
    found = off(evolve(made, below=few, above=few), [1.0], [0.1])
    assert np.isnan(found[0.9]).all()
    assert np.isfinite(found[0.8]).all()


# Stored


def test_it_comes_back_from_its_arrays(model: Conformal) -> None:
    arrays = model.arrays()
    assert all(name.startswith(PREFIX) for name in arrays)
    assert Conformal.inside(arrays)
    assert not Conformal.inside({"edges": model.edges, "frames": model.edges})
    again = Conformal.from_arrays(arrays).arrays()
    assert again.keys() == arrays.keys()
    for name, row in arrays.items():
        np.testing.assert_array_equal(again[name], row)


@pytest.mark.parametrize("name", ["edges", "below", "above", "feature", "value", "ends"])
def test_an_array_that_is_missing_is_refused(name: str) -> None:
    arrays = hand_made().arrays()
    del arrays[PREFIX + name]
    assert Conformal.inside(arrays)
    with pytest.raises(KeyError, match=PREFIX + name):
        Conformal.from_arrays(arrays)


def put(place: Any, value: float) -> Callable[[Any], Any]:
    def change(row: Any) -> Any:
        changed = row.copy()
        changed[place] = value
        return changed

    return change


@pytest.mark.parametrize("name", ["below", "above"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda row: row.astype(np.float32), "float64"),
        (lambda row: row.astype(object), "float64"),
        (lambda row: row[1:], "by type and part"),
        (lambda row: row[:, :-1], "by type and part"),
        (lambda row: row[:, :, :-1], "by type and part"),
        (lambda row: row.ravel(), "by type and part"),
        (put((0, 0, 0), -1e-9), "by type and part"),
        (put((2, 1, 3), -inf), "by type and part"),
        (lambda row: row[:, :, ::-1].copy(), "grow with the coverage"),
        (put((4, 2, 3), 0.0), "grow with the coverage"),
        (put((1, 1, 1), nan), "grow with the coverage"),
    ],
)
def test_quantiles_that_cannot_be_are_refused(
    name: str, change: Callable[[Any], Any], why: str
) -> None:
    arrays = hand_made().arrays()
    arrays[PREFIX + name] = change(arrays[PREFIX + name])
    with pytest.raises(ValueError, match=why):
        Conformal.from_arrays(arrays)


@pytest.mark.parametrize(
    ("edges", "why"),
    [
        (np.array([0.2, 0.1]), "not in order"),
        (np.array([0.1]), "not in order"),
        (np.array([0.1, 0.2, 0.3]), "not in order"),
        (np.array([[0.1, 0.2]]), "not in order"),
        (np.array([nan, 0.2]), "not in order"),
        (np.array([0.1, nan]), "not in order"),
        (np.array([1, 2]), "float64"),
    ],
)
def test_parts_that_are_not_in_order_are_refused(edges: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Conformal.from_arrays(hand_made().arrays() | {PREFIX + "edges": edges})


def test_equal_edges_are_in_order() -> None:
    """As where nothing tells errors apart."""
    made = hand_made(edges=(0.1, 0.1))
    assert Conformal.from_arrays(made.arrays()).edges.tolist() == [0.1, 0.1]


def test_the_widest_interval_may_be_unknown() -> None:
    made = hand_made()
    arrays = evolve(made, below=put((..., 3), nan)(made.below)).arrays()
    assert np.isnan(Conformal.from_arrays(arrays).below[..., 3]).all()


def test_several_intervals_may_be_unknown() -> None:
    made = hand_made()
    arrays = evolve(made, below=put((..., slice(2, 4)), nan)(made.below)).arrays()
    assert np.isnan(Conformal.from_arrays(arrays).below[..., 2:]).all()


def test_an_expected_error_of_two_members_is_refused() -> None:
    x = np.zeros((50, SIGHTS))
    boosters = [HistGradientBoostingRegressor(max_iter=1).fit(x, np.zeros(50)) for _ in range(2)]
    made = evolve(hand_made(), expected=Trees.of(boosters))
    with pytest.raises(ValueError, match="more than one member"):
        Conformal.from_arrays(made.arrays())


def test_an_expected_error_by_what_is_not_there_is_refused() -> None:
    arrays = hand_made().arrays()
    beyond = np.full_like(arrays[PREFIX + "feature"], SIGHTS)
    with pytest.raises(ValueError, match="a feature is out of bounds"):
        Conformal.from_arrays(arrays | {PREFIX + "feature": beyond})
