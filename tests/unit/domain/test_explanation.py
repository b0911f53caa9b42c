"""Contributions in whole kroner add up to the krone."""

from datetime import date
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.domain.explanation import GROUPS, MOST_COMPARABLES, ComparableSale, Explanation

kroner = st.floats(-1e9, 1e9, allow_subnormal=False) | st.integers(-10, 10).map(float)
contributions = st.tuples(*[kroner] * len(GROUPS)).map(
    lambda row: dict(zip(GROUPS, row, strict=True))
)
bases = st.floats(0, 1e9) | st.integers(0, 10).map(lambda half: half / 2)


def explained(base: float, parts: dict[str, float]) -> tuple[Explanation, float]:
    price = fsum([base, *parts.values()])
    return Explanation.of(base, parts, price), price


@given(bases, contributions)
def test_base_and_contributions_are_the_price_to_the_krone(
    base: float, parts: dict[str, float]
) -> None:
    explanation, price = explained(base, parts)
    assert explanation.base + sum(explanation.contributions.values()) == round(price)
    assert explanation.base == round(base)


@given(bases, contributions)
def test_nobody_loses_or_gains_more_than_rounding_takes(
    base: float, parts: dict[str, float]
) -> None:
    explanation, _ = explained(base, parts)
    assert list(explanation.contributions) == list(GROUPS)
    for name, whole in explanation.contributions.items():
        assert abs(whole - parts[name]) <= 1
        assert isinstance(whole, int)


@given(bases, contributions, st.sampled_from(GROUPS))
def test_a_group_that_adds_nothing_gets_nothing(
    base: float, parts: dict[str, float], name: str
) -> None:
    parts = {group: value or 0.25 for group, value in parts.items()} | {name: 0.0}
    explanation, _ = explained(base, parts)
    assert explanation.contributions[name] == 0


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ({"location": 0.5, "size": 0.3, "age": 0.2}, {"location": 1, "size": 0, "age": 0}),
        ({"location": 0.4, "size": 0.4, "age": 0.2}, {"location": 1, "size": 0, "age": 0}),
        ({"location": 0.2, "size": 1.9, "age": 0.9}, {"location": 0, "size": 2, "age": 1}),
        ({"location": -0.1, "size": -0.6, "age": -0.3}, {"location": 0, "size": -1, "age": 0}),
        ({"location": -7.0, "size": 0.0, "age": 8.0}, {"location": -7, "size": 0, "age": 8}),
    ],
)
def test_what_lacks_goes_to_those_that_lost_most(
    parts: dict[str, float], whole: dict[str, int]
) -> None:
    assert explained(1_000_000, parts)[0].contributions == whole


def test_parts_that_do_not_lead_to_the_price_are_no_explanation() -> None:
    with pytest.raises(ValueError, match="do not lead from 100 to 102"):
        Explanation.of(100, {"size": 1.0}, 102)


def test_a_price_of_which_nothing_is_told_apart() -> None:
    assert Explanation.whole(4_000_000.5) == Explanation(4_000_000, {})


def test_the_groups_are_told_in_this_order() -> None:
    assert GROUPS == ("location", "size", "age", "type", "time", "comparables")
    assert MOST_COMPARABLES == 5


def test_comparable_sales_are_kept_in_their_order() -> None:
    sold = [ComparableSale(price, date(2026, 1, 2), 0.5, 80, price + 1, 59, 10) for price in (2, 1)]
    assert Explanation.whole(10, sold).comparables == tuple(sold)
    assert Explanation.of(10, {"size": 1.0}, 11, sold).comparables == tuple(sold)
    assert Explanation.of(10, {"size": 1.0}, 11).comparables == ()


def test_half_a_krone_may_be_missed() -> None:
    assert Explanation.of(100, {"size": 1.0}, 101.5).base == 100
    with pytest.raises(ValueError, match="do not lead"):
        Explanation.of(100, {"size": 1.0}, 101.75)
