"""What a store tells of its calls."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from attrs import define

from ree.adapters.measured_objects import OUTCOMES, MeasuredObjects, StorageWatch
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectExists, ObjectMissing, ObjectStore, StaleToken
from ree.domain.errors import StorageError, StorageUnavailable

Call = Callable[[ObjectStore], object]
CALLS: dict[str, Call] = {
    "get": lambda store: store.get("a"),
    "get_if_changed": lambda store: store.get_if_changed("a", "token"),
    "create": lambda store: store.create("a", b""),
    "replace": lambda store: store.replace("a", b"", token="token"),
    "keys": lambda store: store.keys(""),
}


@define
class Clock:
    """Moves on by a second whenever it is asked."""

    seconds: float = 0.0

    def now(self) -> datetime:
        raise NotImplementedError

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


class Failing:
    """A store whose calls all end alike."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def _fail(self, *_: object, **__: object) -> Any:
        raise self.error

    get = get_if_changed = create = replace = keys = conditional_writes = _fail


def told(store: ObjectStore, call: Call) -> list[tuple[str, str, float]]:
    seen: list[tuple[str, str, float]] = []
    watch = StorageWatch()
    measured = MeasuredObjects(store, watch, Clock())
    watch.listen(lambda *each: seen.append(each))
    if isinstance(store, Failing):
        with pytest.raises(type(store.error)) as passed:
            call(measured)
        assert passed.value is store.error
    else:
        with suppress(StorageError):
            call(measured)
    return seen


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ObjectMissing("a"), "missing"),
        (ObjectExists("a"), "exists"),
        (StaleToken("a"), "stale"),
        (StorageUnavailable("busy"), "unavailable"),
        (StorageError("refused"), "failed"),
        (RuntimeError("a defect"), "failed"),
    ],
)
@pytest.mark.parametrize("operation", CALLS)
def test_failures_are_told_apart_and_pass_through(
    operation: str, error: Exception, outcome: str
) -> None:
    assert told(Failing(error), CALLS[operation]) == [(operation, outcome, 1.0)]


def test_what_goes_well_is_ok() -> None:
    store = MemoryObjects()
    assert told(store, CALLS["create"]) == [("create", "ok", 1.0)]
    assert told(store, CALLS["create"]) == [("create", "exists", 1.0)]
    assert told(store, CALLS["replace"]) == [("replace", "stale", 1.0)]
    token = store.get("a").token
    unchanged: Call = lambda objects: objects.get_if_changed("a", token)  # noqa: E731
    assert told(store, unchanged) == [("get_if_changed", "ok", 1.0)]
    assert told(store, CALLS["keys"]) == [("keys", "ok", 1.0)]
    assert set(OUTCOMES) == set(CALLS)


def test_who_listens_twice_is_told_once() -> None:
    watch, seen = StorageWatch(), list[str]()

    def listener(operation: str, *_: object) -> None:
        seen.append(operation)

    watch("get", "ok", 0.0)
    watch.listen(listener)
    watch.listen(listener)
    watch("keys", "ok", 0.0)
    assert seen == ["keys"]
