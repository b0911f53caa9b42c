"""Where estimates get their model from."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field
from structlog.testing import capture_logs

from ree.adapters import active_model
from ree.adapters.active_model import LatestModel, WatchedModel
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.registry import ObjectRegistry
from ree.adapters.sklearn_model import SklearnTrainer
from ree.domain.errors import ModelNotReady, ReeError, StorageError, UnreadableVersion
from ree.domain.model import (
    Activation,
    Kind,
    LoadedModel,
    ModelVersion,
    PriceModel,
    Recipe,
    TrainingRecord,
)
from ree.domain.ports import ActiveModel


@define
class Clock:
    def now(self) -> datetime:
        return datetime(2026, 2, 3, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@define
class Registry:
    """A registry that can be told to fail, and counts how often a model is loaded."""

    inner: ObjectRegistry = field(factory=lambda: ObjectRegistry(MemoryObjects(), Clock()))
    pointer_fails: ReeError | None = None
    load_fails: ReeError | None = None
    loads: int = 0

    def active(self) -> Activation | None:
        if self.pointer_fails:
            raise self.pointer_fails
        return self.inner.active()

    def load(self, version: str) -> LoadedModel:
        if self.load_fails:
            raise self.load_fails
        self.loads += 1
        return self.inner.load(version)

    def activate_another(self) -> str:
        version = self.inner.publish(
            SklearnTrainer().stub(), TrainingRecord(Kind.STUB, Recipe("stub"), {})
        ).version
        active = self.inner.active()
        expected = active.version if active else None
        self.inner.activate(version, expected=expected, by="me", why="a test")
        return version

    def versions(self) -> list[ModelVersion]:
        raise NotImplementedError

    def version(self, version: str) -> ModelVersion:
        raise NotImplementedError

    def publish(self, model: PriceModel, record: TrainingRecord) -> ModelVersion:
        raise NotImplementedError

    def activate(self, version: str, *, expected: str | None, by: str, why: str) -> Activation:
        raise NotImplementedError

    def history(self) -> list[Activation]:
        raise NotImplementedError


@define
class Threads:
    """Takes the place of threading.Thread: nothing runs unless the test says so."""

    started: list[Callable[[], None]] = field(factory=list)

    def __call__(self, *, target: Callable[[], None], **_: Any) -> "Threads":
        self.started.append(target)
        return self

    def start(self) -> None: ...


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    threads = Threads()
    monkeypatch.setattr(active_model, "Thread", threads)
    return threads


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def watched(registry: Registry) -> WatchedModel:
    return WatchedModel(registry, refresh_seconds=60)


@pytest.fixture(params=["latest", "watched"])
def model(request: pytest.FixtureRequest, registry: Registry) -> ActiveModel:
    return LatestModel(registry) if request.param == "latest" else WatchedModel(registry, 60)


FAILURES = [StorageError("The network is down."), UnreadableVersion("v", "model.npz is missing")]


def test_without_an_active_version_there_is_no_model(model: ActiveModel) -> None:
    for _ in range(2):
        with pytest.raises(ModelNotReady, match="ree models bootstrap"):
            model.current()


def test_the_active_version_is_loaded_once(model: ActiveModel, registry: Registry) -> None:
    version = registry.activate_another()
    assert model.current().version.version == version
    assert model.current() is model.current()
    assert registry.loads == 1


def test_a_command_follows_the_pointer_at_once(registry: Registry) -> None:
    model = LatestModel(registry)
    registry.activate_another()
    first = model.current()
    version = registry.activate_another()
    assert model.current().version.version == version != first.version.version
    registry.pointer_fails = StorageError("The network is down.")
    with pytest.raises(StorageError, match="network"):
        model.current()


@pytest.mark.parametrize("failure", FAILURES)
def test_the_reason_is_told_while_there_is_no_model(
    watched: WatchedModel, registry: Registry, failure: ReeError
) -> None:
    registry.activate_another()
    registry.load_fails = failure
    with pytest.raises(ModelNotReady) as caught:
        watched.current()
    assert str(caught.value) == str(failure)
    registry.load_fails = None
    watched.look()
    assert watched.current().version.record.kind is Kind.STUB


def test_a_service_switches_when_it_looks_again(watched: WatchedModel, registry: Registry) -> None:
    first = registry.activate_another()
    assert watched.current().version.version == first
    second = registry.activate_another()
    assert watched.current().version.version == first
    watched.look()
    assert watched.current().version.version == second


@pytest.mark.parametrize("where", ["pointer_fails", "load_fails"])
@pytest.mark.parametrize("failure", FAILURES)
def test_the_last_good_model_stays_whatever_fails(
    watched: WatchedModel, registry: Registry, where: str, failure: ReeError
) -> None:
    first = registry.activate_another()
    watched.start()
    second = registry.activate_another()
    setattr(registry, where, failure)
    watched.look()
    assert watched.current().version.version == first
    setattr(registry, where, None)
    watched.look()
    assert watched.current().version.version == second


def test_a_cause_is_logged_once_until_it_changes(watched: WatchedModel, registry: Registry) -> None:
    registry.activate_another()
    with capture_logs() as logs:
        watched.look()
        for failure in [*FAILURES, None, FAILURES[0]]:
            registry.pointer_fails = failure
            watched.look()
            watched.look()
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("model_loaded", "info"),
        *[("model_not_refreshed", "warning")] * 3,
    ]
    assert [log["reason"] for log in logs[1:]] == [
        str(failure) for failure in (*FAILURES, FAILURES[0])
    ]


def test_what_nobody_foresaw_does_not_end_the_thread(
    watched: WatchedModel,
    registry: Registry,
    threads: Threads,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: Registry, version: str) -> LoadedModel:
        raise RuntimeError("a defect")

    first = registry.activate_another()
    watched.start()
    second = registry.activate_another()
    served = []

    def look_again(seconds: float) -> bool:
        served.append(watched.current().version.version)
        monkeypatch.setattr(Registry, "load", fail if len(served) == 1 else load)
        return len(served) == 3

    load = Registry.load
    monkeypatch.setattr(watched._stopped, "wait", look_again)
    with capture_logs() as logs:
        threads.started[0]()
    assert served == [first, first, second]
    assert [log["log_level"] for log in logs] == ["error", "info"]


def test_the_cause_of_not_being_ready_is_told(watched: WatchedModel, registry: Registry) -> None:
    registry.pointer_fails = FAILURES[0]
    with pytest.raises(ModelNotReady) as caught:
        watched.current()
    assert caught.value.__cause__ is FAILURES[0]


def test_one_thread_a_process(
    watched: WatchedModel, registry: Registry, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.activate_another()
    for _ in range(3):
        watched.current()
    assert len(threads.started) == 1
    second = registry.activate_another()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert watched.current().version.version == second
    watched.current()
    assert len(threads.started) == 2


def test_the_thread_looks_until_it_is_stopped(
    watched: WatchedModel,
    registry: Registry,
    threads: Threads,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    pauses = iter([lambda: None, registry.activate_another, lambda: None, watched.stop])

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        next(pauses)()
        return watched._stopped.is_set()

    watched.start()
    monkeypatch.setattr(watched._stopped, "wait", wait)
    threads.started[0]()
    assert waits == [active_model.SOON, active_model.SOON, 60, 60]
    assert watched.current().version.version == registry.inner.versions()[0].version
