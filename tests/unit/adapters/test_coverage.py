"""Counting the prices inside intervals, and how sure the share is."""

from itertools import pairwise
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from ree.adapters.coverage import coverage, exact_interval
from ree.domain.appraisal import Appraisal
from ree.domain.coverage import Coverage


@pytest.mark.parametrize("n", [1, 2, 29, 30, 1_000])
def test_the_exact_interval_of_every_share(n: int) -> None:
    for inside in {0, 1, n // 2, n * 9 // 10, n - 1, n}:
        known = binomtest(inside, n).proportion_ci(0.95, method="exact")
        assert exact_interval(inside, n) == pytest.approx((known.low, known.high), rel=1e-9)


def test_of_none_and_of_all_one_side_is_certain() -> None:
    least = 0.025 ** (1 / 20)
    assert exact_interval(0, 20) == pytest.approx((0, 1 - least))
    assert exact_interval(20, 20) == pytest.approx((least, 1))
    assert (exact_interval(0, 20)[0], exact_interval(20, 20)[1]) == (0, 1)


@settings(deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_grows_with_it(sales: tuple[int, int]) -> None:
    inside, n = sales
    lower, upper = exact_interval(inside, n)
    assert 0 <= lower <= inside / n <= upper <= 1
    if inside < n:
        more = exact_interval(inside + 1, n)
        assert lower < more[0]
        assert upper < more[1] or upper == 1.0


def told(lower: list[float], upper: list[float], estimate: float = 100.0) -> Appraisal:
    bounds = np.array(lower), np.array(upper)
    return Appraisal(np.full(len(lower), estimate), {0.9: bounds})


def assert_counted(found: Coverage, n: int, inside: int, width: float) -> None:
    assert (found.n, found.wanted, found.covered) == (n, 0.9, inside / n)
    assert (found.lower, found.upper) == exact_interval(inside, n)
    assert found.width == pytest.approx(width)


def test_by_hand() -> None:
    appraisal = Appraisal(
        np.array([100.0, 200.0, 400.0]),
        {0.9: (np.array([90.0, 150.0, 300.0]), np.array([110.0, 250.0, 700.0]))},
    )
    price = np.array([95.0, 149.0, 700.0])
    (found,) = coverage(appraisal, price, np.full(3, True))
    # Widths of 20 / 100, 100 / 200 and 400 / 400.
    assert_counted(found, 3, 2, width=1.7 / 3)


@pytest.mark.parametrize(
    ("price", "inside"), [(90, 1), (110, 1), (np.nextafter(90, 0), 0), (np.nextafter(110, inf), 0)]
)
def test_bounds_are_inside(price: float, inside: int) -> None:
    (found,) = coverage(told([90], [110]), np.array([price], dtype=float), np.array([True]))
    assert found.covered == inside


@pytest.mark.parametrize("bounds", [(nan, 110), (90, nan), (nan, nan), (-inf, inf)])
def test_sales_without_an_interval_do_not_count(bounds: tuple[float, float]) -> None:
    appraisal = told([90, bounds[0], 90], [110, bounds[1], 110])
    (found,) = coverage(appraisal, np.array([100.0, 100.0, 120.0]), np.full(3, True))
    assert_counted(found, 2, 1, width=0.2)


def test_sales_that_are_not_asked_for_do_not_count() -> None:
    appraisal = told([90, 90, 10], [110, 110, 1000])
    (found,) = coverage(appraisal, np.array([100.0, 200.0, 20.0]), np.array([True, True, False]))
    assert_counted(found, 2, 1, width=0.2)


@pytest.mark.parametrize("mask", [np.array([False]), np.array([True])])
def test_where_no_sale_has_an_interval_nothing_is_told(mask: Any) -> None:
    appraisal = told([nan], [nan]) if mask.any() else told([90], [110])
    assert coverage(appraisal, np.array([100.0]), mask) == ()


def test_a_model_without_intervals_has_no_coverage() -> None:
    assert coverage(Appraisal(np.array([100.0])), np.array([100.0]), np.array([True])) == ()


def test_levels_rise_whatever_the_order_of_the_intervals() -> None:
    half = {0.95: 30.0, 0.8: 10.0, 0.9: 20.0}
    intervals = {
        share: (np.array([100 - off]), np.array([100 + off])) for share, off in half.items()
    }
    appraisal = Appraisal(np.array([100.0]), intervals)
    found = coverage(appraisal, np.array([115.0]), np.array([True]))
    assert [level.wanted for level in found] == [0.8, 0.9, 0.95]
    assert [level.covered for level in found] == [0, 1, 1]
    assert [level.width for level in found] == pytest.approx([0.2, 0.4, 0.6])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(1, 200), st.booleans()), min_size=1, max_size=40))
def test_parts_add_up_to_the_whole(sales: list[tuple[float, bool]]) -> None:
    price, mask = (np.array(column) for column in zip(*sales, strict=True))
    appraisal = told([90.0] * len(price), [110.0] * len(price))
    whole, *parts = (
        [(level.n, level.n * level.covered) for level in coverage(appraisal, price, asked)]
        for asked in (np.full(len(price), True), mask, ~mask)
    )
    assert np.sum([part[0] for part in parts if part], axis=0) == pytest.approx(whole[0])


def test_the_share_of_simulated_prices_lies_within_its_interval() -> None:
    """Nineteen of twenty such intervals hold the true share, or more: they are exact."""
    random = np.random.default_rng(3)
    held = [exact_interval(int(inside), 200) for inside in random.binomial(200, 0.9, 4_000)]
    share = np.mean([lower <= 0.9 <= upper for lower, upper in held])
    least = binomtest(round(0.95 * 4_000), 4_000).proportion_ci(0.9999, method="exact").low
    assert share >= least
    assert all(lower < upper for lower, upper in held)
    widths = [exact_interval(9 * n, 10 * n) for n in (1, 10, 100, 1_000)]
    assert all(one[0] < other[0] and other[1] < one[1] for one, other in pairwise(widths))
