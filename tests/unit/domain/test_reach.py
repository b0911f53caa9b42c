"""How far homes are from what was sold: where a warning begins, and where there is no estimate."""

from math import inf, nan, nextafter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.domain.reach import Reaches, Respect
from ree.domain.rules import Fault

AGE, AREA = Respect("age", "built_year", " years"), Respect("area", "usable_area", " m2")


def reach(value: Any, warn: tuple[Any, Any], refuse: tuple[Any, Any]) -> Reaches:
    """The age of homes; bounds that are alike for all may be one number."""
    column = np.array(value, dtype=float)

    def bounds(pair: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = (np.broadcast_to(np.array(bound, dtype=float), column.shape) for bound in pair)
        return low[:, None], high[:, None]

    return Reaches((AGE,), column[:, None], bounds(warn), bounds(refuse))


def both(one: Reaches, other: Reaches) -> Reaches:
    """Of the same homes, in two respects."""

    def side(mine: Any, theirs: Any) -> Any:
        return np.hstack([mine, theirs])

    return Reaches(
        (AGE, AREA),
        side(one.value, other.value),
        (side(one.warn[0], other.warn[0]), side(one.warn[1], other.warn[1])),
        (side(one.refuse[0], other.refuse[0]), side(one.refuse[1], other.refuse[1])),
    )


@pytest.mark.parametrize(
    ("value", "warned", "refused"),
    [
        (50, False, False),
        (20, False, False),
        (nextafter(20, 0), True, False),
        (80, False, False),
        (nextafter(80, inf), True, False),
        (10, True, False),
        (nextafter(10, 0), True, True),
        (100, True, False),
        (nextafter(100, inf), True, True),
        (-inf, True, True),
        (inf, True, True),
    ],
)
def test_bounds_are_inclusive(value: float, warned: bool, refused: bool) -> None:
    found = reach([value], (20, 80), (10, 100))
    assert (found.warned.tolist(), found.refused.tolist()) == ([[warned]], [[refused]])


def test_each_home_has_bounds_of_its_own() -> None:
    found = reach([5, 5, 5], ([4, 6, 6], [9, 9, 9]), ([1, 1, 6], [9, 9, 9]))
    assert found.warned.tolist() == [[False], [True], [True]]
    assert found.refused.tolist() == [[False], [False], [True]]


@pytest.mark.parametrize("value", [-1e300, 0.0, 1e300, nan])
def test_bounds_that_are_no_numbers_bound_nothing(value: float) -> None:
    found = reach([value], (nan, nan), (nan, nan))
    assert not found.warned.any()
    assert not found.refused.any()


@pytest.mark.parametrize(
    ("bounds", "value", "out"), [((nan, 10), 11, True), ((5, nan), 4, True), ((5, nan), 1e9, False)]
)
def test_one_bound_may_be_missing(bounds: tuple[float, float], value: float, out: bool) -> None:
    found = reach([value], bounds, bounds)
    assert (found.warned[0, 0], found.refused[0, 0]) == (out, out)


def test_a_value_that_is_not_known_is_not_outside() -> None:
    found = reach([nan], (20, 80), (10, 100))
    assert not found.warned.any()
    assert not found.refused.any()


number = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=True), min_size=1, max_size=20),
    st.lists(number, min_size=4, max_size=4).map(sorted),
)
def test_what_is_refused_is_far_too(values: list[float], bounds: list[float]) -> None:
    low, usual_low, usual_high, high = bounds
    found = reach(values, (usual_low, usual_high), (low, high))
    assert not (found.refused & ~found.warned).any()
    usual = [not value < usual_low and not value > usual_high for value in values]
    assert (~found.warned)[:, 0].tolist() == usual


def test_codes_tell_in_what_respect() -> None:
    found = reach([5], (20, 80), (10, 100))
    assert found.warnings(0) == ("near_edge:age",)
    (fault,) = found.faults(0)
    assert (fault.code, fault.field) == ("out_of_domain:age", "built_year")


def test_a_home_has_a_fault_and_a_code_for_each_respect_in_their_order() -> None:
    ages, areas = reach([5, 50, 15], (20, 80), (10, 100)), reach([1, 9, 9], (5, 8), (2, 9))
    found = both(ages, areas)
    assert found.refused.tolist() == [[True, True], [False, False], [False, False]]
    assert [fault.code for fault in found.faults(0)] == ["out_of_domain:age", "out_of_domain:area"]
    assert [fault.message for fault in found.faults(0)] == [
        "5 years; at least 10 and at most 100 is valued",
        "1 m2; at least 2 and at most 9 is valued",
    ]
    assert found.faults(1) == found.faults(2) == ()
    assert found.warnings(1) == ("near_edge:area",)
    assert found.warnings(2) == ("near_edge:age", "near_edge:area")


@pytest.mark.parametrize(
    ("value", "refuse", "message"),
    [
        (5, (10, 100), "5 years; at least 10 and at most 100 is valued"),
        (5, (10, inf), "5 years; at least 10 is valued"),
        (5, (10, nan), "5 years; at least 10 is valued"),
        (123.456, (-inf, 99.96), "123.456 years; at most 99.96 is valued"),
        (-1234, (-1000, inf), "-1,234 years; at least -1,000 is valued"),
    ],
)
def test_a_fault_has_the_figure_and_the_bounds_that_there_are(
    value: float, refuse: tuple[float, float], message: str
) -> None:
    (fault,) = reach([value], (nan, nan), refuse).faults(0)
    assert fault == Fault("built_year", "out_of_domain:age", message)


def test_a_fault_is_of_its_own_row() -> None:
    found = reach([1, 2], (nan, nan), ([3, 4], [5, 6]))
    assert [found.faults(row)[0].message for row in (0, 1)] == [
        "1 years; at least 3 and at most 5 is valued",
        "2 years; at least 4 and at most 6 is valued",
    ]


def test_a_large_figure_is_written_out() -> None:
    """A plot of more than 10,000 m2 is nothing rare."""
    message = reach([12_345], (nan, nan), (50, 11_000)).faults(0)[0].message
    assert message == "12,345 years; at least 50 and at most 11,000 is valued"


def test_a_figure_just_beyond_its_bound_is_not_told_as_the_bound() -> None:
    message = reach([20.001], (nan, nan), (-inf, 20)).faults(0)[0].message
    assert not message.startswith("20 years;")
