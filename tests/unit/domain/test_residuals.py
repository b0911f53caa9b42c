"""What drives estimates."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.domain.explanation import GROUPS, Explanation
from ree.domain.residuals import Driver, drivers, strongest_first

ONE = Explanation(3_000_000, {"location": -600_000, "size": 100_000, "age": 0})
OTHER = Explanation(3_000_000, {"location": 200_000, "size": 500_000, "age": -200_000})
WHOLE = Explanation.whole(5_000_000.0)

nok = st.integers(-(10**9), 10**9)
explained = st.lists(
    st.fixed_dictionaries(dict.fromkeys(GROUPS, nok)).map(lambda parts: Explanation(1, parts)),
    min_size=1,
    max_size=20,
)


def test_contributions_are_averaged_whichever_way_they_go() -> None:
    found = drivers([ONE, OTHER])
    assert found == {
        "location": Driver(400_000, 0.5),
        "size": Driver(300_000, 0.375),
        "age": Driver(100_000, 0.125),
    }
    assert list(found) == ["location", "size", "age"]


def test_a_model_that_cannot_tell_groups_apart_has_no_drivers() -> None:
    assert drivers([]) == drivers([WHOLE, WHOLE]) == {}


def test_only_homes_that_were_explained_count() -> None:
    assert drivers([ONE, WHOLE, OTHER]) == drivers([ONE, OTHER])


def test_homes_that_are_the_reference_are_driven_by_nothing() -> None:
    same = Explanation(3_000_000, {"location": 0, "size": 0})
    assert drivers([same]) == {"location": Driver(0, 0), "size": Driver(0, 0)}


def test_the_strongest_comes_first_and_equal_ones_by_name() -> None:
    known = {name: Driver(mean, 0.0) for name, mean in (("b", 1.0), ("a", 1.0), ("c", 2.0))}
    assert list(strongest_first(known)) == ["c", "a", "b"]
    assert strongest_first(known) == known


@given(explained)
def test_shares_add_up_and_fall(explanations: list[Explanation]) -> None:
    found = drivers(explanations)
    assert set(found) == set(GROUPS)
    for group, driver in found.items():
        told = [abs(explanation.contributions[group]) for explanation in explanations]
        assert driver.mean == pytest.approx(sum(told) / len(told))
    means = [driver.mean for driver in found.values()]
    assert means == sorted(means, reverse=True)
    total: Any = sum(driver.share for driver in found.values())
    assert total == pytest.approx(1 if any(means) else 0)
