"""Whether intervals hold as many sales as they are made for."""

from math import nan, nextafter

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from ree.domain.coverage import Coverage

HELD = Coverage(n=1000, wanted=0.9, covered=0.9, lower=0.88, upper=0.92, width=0.5)


def between(lower: float, upper: float) -> Coverage:
    return evolve(HELD, covered=(lower + upper) / 2, lower=lower, upper=upper)


@pytest.mark.parametrize(
    ("lower", "upper", "tolerance", "met"),
    [
        (0.85, 0.95, 0.0, True),
        (0.90, 0.95, 0.0, True),
        (0.85, 0.90, 0.0, True),
        (nextafter(0.90, 1), 0.95, 0.0, False),
        (0.85, nextafter(0.90, 0), 0.0, False),
        (0.93, 0.99, 0.03, True),
        (nextafter(0.93, 1), 0.99, 0.03, False),
        (0.80, 0.87, 0.03, True),
        (0.80, nextafter(0.87, 0), 0.03, False),
        (nan, nan, 0.03, False),
    ],
)
def test_the_true_share_may_be_what_was_wanted_give_or_take(
    lower: float, upper: float, tolerance: float, met: bool
) -> None:
    assert between(lower, upper).meets(tolerance) is met


@pytest.mark.parametrize(
    ("covered", "lower", "upper", "status"),
    [
        (0.900, 0.88, 0.92, "good"),
        (0.919, 0.90, 0.93, "good"),
        (0.881, 0.86, 0.90, "good"),
        (0.925, 0.91, 0.94, "ok"),
        (0.875, 0.86, 0.89, "ok"),
        (0.840, 0.81, 0.87, "ok"),
        (0.840, 0.81, nextafter(0.87, 0), "risk"),
        (0.960, 0.93, 0.98, "ok"),
        (0.960, nextafter(0.93, 1), 0.98, "risk"),
    ],
)
def test_status_by_how_far_the_share_is_from_what_was_wanted(
    covered: float, lower: float, upper: float, status: str
) -> None:
    assert evolve(HELD, covered=covered, lower=lower, upper=upper).status == status


@pytest.mark.parametrize(
    "covered",
    [0.92, 0.88],
)
def test_two_points_off_is_still_good(covered: float) -> None:
    """As with 92 of 100 sales."""
    assert evolve(HELD, covered=covered, lower=0.86, upper=0.94).status == "good"


@pytest.mark.parametrize(("n", "status"), [(29, "risk"), (30, "good")])
def test_of_few_sales_nothing_good_is_said(n: int, status: str) -> None:
    assert evolve(HELD, n=n).status == status


share = st.floats(0, 1)


@given(share, share, share, st.sampled_from([0.8, 0.9, 0.95]), share, share)
def test_more_tolerance_never_refuses_more(
    one: float, other: float, covered: float, wanted: float, small: float, large: float
) -> None:
    lower, upper = sorted([one, other])
    assume(lower <= covered <= upper)
    found = Coverage(1000, wanted, covered, lower, upper, 0.5)
    small, large = sorted([small, large])
    assert found.meets(large) or not found.meets(small)
    assert found.meets(abs(covered - wanted) + 1e-12)


@given(share, share, share, st.sampled_from([0.8, 0.9, 0.95]), st.integers(0, 60))
def test_what_may_not_be_near_enough_is_a_risk_however_it_came_out(
    one: float, other: float, covered: float, wanted: float, n: int
) -> None:
    lower, upper = sorted([one, other])
    found = Coverage(n, wanted, covered, lower, upper, 0.5)
    assert (found.status == "risk") is (n < 30 or not found.meets(0.03))
