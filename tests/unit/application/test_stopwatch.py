"""How long each step takes, by a clock that only moves when it is looked at."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from attrs import define

from ree.application.stopwatch import Stopwatch, unseen
from ree.domain.model import ModelVersion


@define
class Ticks:
    """A clock that shows one second after the other."""

    seconds: Iterator[float]

    def now(self) -> datetime:
        return datetime(2026, 1, 17, tzinfo=UTC)

    def monotonic(self) -> float:
        return next(self.seconds)


def stopwatch(*seconds: float) -> Stopwatch:
    return Stopwatch(Ticks(iter(seconds)))


def test_a_step_takes_what_the_clock_says() -> None:
    watch = stopwatch(10, 12.3456)
    with watch.step("train"):
        assert watch.seconds == {}
    assert watch.seconds == {"train": 2.346}


def test_the_parts_of_a_step_are_added_up() -> None:
    watch = stopwatch(0, 1, 5, 7, 20, 24)
    for name in ("fetch", "train", "fetch"):
        with watch.step(name):
            pass
    assert watch.seconds == {"fetch": 5, "train": 2}


def test_a_step_that_fails_took_its_time_too() -> None:
    watch = stopwatch(0, 3)
    with pytest.raises(KeyError), watch.step("train"):
        raise KeyError
    assert watch.seconds == {"train": 3}


def test_progress_is_told_as_a_step_begins() -> None:
    told: list[tuple[str, int, int]] = []
    watch = Stopwatch(Ticks(iter([0, 1, 2, 3])), lambda *step: told.append(step))
    with watch.step("fetch", 2, 12, of="2026-03"):
        assert told == [("fetch 2026-03", 2, 12)]
    with watch.step("train"):
        assert told[1:] == [("train", 0, 1)]
    assert len(told) == 2


def test_nobody_has_to_look() -> None:
    unseen("train", 0, 1)


def test_a_witness_is_told_when_and_how_each_step_ended() -> None:
    told: list[object] = []

    class Follower:
        def begun(self, step: str, of: str) -> None:
            told.append((step, of))

        def ended(self, step: str, of: str, seconds: float, *, failed: bool) -> None:
            told.append((step, of, seconds, failed))

        def stored(self, version: ModelVersion) -> None:
            raise AssertionError

    watch = Stopwatch(Ticks(iter([0, 1, 2, 5])), witness=Follower())
    with watch.step("fetch", 2, 12, of="2026-03"):
        assert told == [("fetch", "2026-03")]
    with pytest.raises(KeyError), watch.step("train"):
        raise KeyError
    assert told[1:] == [("fetch", "2026-03", 1, False), ("train", ""), ("train", "", 3, True)]
