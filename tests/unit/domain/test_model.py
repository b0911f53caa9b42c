"""Versions, and the line that led to the active one."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import astuple, evolve

from ree.domain.gating import Check, Outcome, Verdict
from ree.domain.model import (
    Activation,
    Kind,
    ModelVersion,
    Recipe,
    Status,
    TrainingRecord,
    active_at,
    line_of_succession,
)

MOMENT = datetime(2026, 1, 17, tzinfo=UTC)


def history(versions: str) -> list[Activation]:
    """Activations of the versions named by each letter, the newest first."""
    moves = [Activation(n, v, None, MOMENT, "me", "why") for n, v in enumerate(versions, 1)]
    return moves[::-1]


@pytest.mark.parametrize(
    ("activated", "line"),
    [
        ("", ""),
        ("a", "a"),
        ("abc", "abc"),
        ("abcb", "ab"),
        ("abcba", "a"),
        ("abcbd", "abd"),
        ("abcada", "a"),
        ("aa", "a"),
        ("abb", "ab"),
    ],
)
def test_going_back_undoes_what_came_after(activated: str, line: str) -> None:
    assert line_of_succession(history(activated)) == list(line)


@pytest.mark.parametrize(
    ("hours", "version"), [(-1, None), (0, None), (1, "a"), (24, "a"), (25, "b"), (49, "a")]
)
def test_what_was_active_just_before_a_moment(hours: int, version: str | None) -> None:
    moves = [
        evolve(move, activated_at=MOMENT + timedelta(days=move.sequence - 1))
        for move in history("aba")
    ]
    assert active_at(moves, MOMENT + timedelta(hours=hours)) == version


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (None, Status.PUBLISHED),
        (Verdict(()), Status.PUBLISHED),
        (Verdict((Check("mae", Outcome.PASSED),)), Status.PUBLISHED),
        (Verdict((Check("mae", Outcome.FAILED),)), Status.REJECTED),
        (Verdict((Check("mae", Outcome.INCONCLUSIVE),)), Status.REJECTED),
        (Verdict((Check("mae", Outcome.INCONCLUSIVE),), True), Status.PUBLISHED),
    ],
)
def test_a_version_is_rejected_when_the_verdict_says_so(
    verdict: Verdict | None, status: Status
) -> None:
    record = TrainingRecord(Kind.TRAINED, Recipe("fast"), {}, verdict=verdict)
    assert record.status is status
    assert ModelVersion("v", MOMENT, record, "digest").status is status


def test_what_is_not_known_of_a_stub_is_none() -> None:
    recipe = Recipe("stub")
    record = TrainingRecord(Kind.STUB, recipe, {})
    assert recipe.settings == {}
    assert all(value in (None, (), {}) for value in astuple(record, recurse=False)[3:])
    assert ModelVersion("v", MOMENT, record, "digest").objects == {}
    assert Activation(1, "v", None, MOMENT, "me", "why").previous_digest is None


def test_kinds_and_statuses_are_stored_by_these_words() -> None:
    assert [kind.value for kind in Kind] == ["trained", "stub"]
    assert [status.value for status in Status] == ["published", "rejected"]
