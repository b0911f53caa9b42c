"""The funnel adds up, or the run fails."""

import pytest

from ree.domain.errors import FunnelMismatch
from ree.domain.funnel import Funnel, Stage


def test_a_stage_that_adds_up() -> None:
    assert Stage("merge", 10, 7, {"a": 1, "b": 2}).dropped == {"a": 1, "b": 2}
    assert Stage("merge", 3, 3).dropped == {}


@pytest.mark.parametrize(
    ("incoming", "outgoing", "dropped"),
    [(10, 7, {"a": 2}), (10, 7, {"a": 4}), (10, 11, {"a": -1}), (9, 7, {"a": 3, "b": -1})],
)
def test_a_stage_that_does_not_add_up(
    incoming: int, outgoing: int, dropped: dict[str, int]
) -> None:
    with pytest.raises(FunnelMismatch, match=f"at merge: {incoming} in, {outgoing} out, "):
        Stage("merge", incoming, outgoing, dropped)


def test_a_stage_may_drop_none_for_a_reason() -> None:
    assert Stage("merge", 2, 2, {"a": 0}).dropped == {"a": 0}


def test_a_mismatch_tells_what_was_dropped() -> None:
    with pytest.raises(FunnelMismatch, match="3 in, 1 out, 5 dropped"):
        Stage("merge", 3, 1, {"a": 2, "b": 3})


@pytest.mark.parametrize("second", [6, 8])
def test_a_stage_takes_in_what_the_one_before_let_out(second: int) -> None:
    stages = (Stage("first", 9, 7, {"a": 2}), Stage("second", second, second))
    with pytest.raises(FunnelMismatch, match=f"at second: 7 in, {second} out, 0 dropped"):
        Funnel(stages)


def test_reasons_are_added_up_over_the_stages() -> None:
    funnel = Funnel((Stage("one", 9, 6, {"b": 1, "a": 2}), Stage("two", 6, 1, {"b": 5})))
    assert list(funnel.dropped.items()) == [("a", 2), ("b", 6)]


def test_funnels_are_added_up_stage_by_stage() -> None:
    january = Funnel((Stage("one", 9, 6, {"b": 3}), Stage("two", 6, 6)))
    february = Funnel((Stage("one", 4, 2, {"a": 1, "b": 1}), Stage("two", 2, 1, {"c": 1})))
    total = Funnel.total([january, february])
    assert total == Funnel((Stage("one", 13, 8, {"a": 1, "b": 4}), Stage("two", 8, 7, {"c": 1})))
    assert list(total.stages[0].dropped) == ["a", "b"]


def test_one_funnel_adds_up_to_itself() -> None:
    january = Funnel((Stage("one", 9, 6, {"b": 3}),))
    assert Funnel.total([january]) == january


def test_funnels_of_other_lengths_cannot_be_added_up() -> None:
    short = Funnel((Stage("one", 1, 1),))
    with pytest.raises(ValueError, match="shorter"):
        Funnel.total([Funnel((Stage("one", 1, 1), Stage("two", 1, 1))), short])
