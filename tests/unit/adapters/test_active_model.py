"""Where estimates get their model from."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import define, field
from structlog.testing import capture_logs

from ree.adapters import active_model
from ree.adapters.active_model import Followed, LatestModel, Served, WatchedModel
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
from ree.domain.verification import Finding

START = datetime(2026, 2, 3, tzinfo=UTC)


@define
class Clock:
    """Stands still unless the test says so."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@define
class Registry:
    """A registry that can be told to fail, and counts how often a model is loaded."""

    inner: ObjectRegistry = field(factory=lambda: ObjectRegistry(MemoryObjects(), Clock()))
    pointer_fails: Exception | None = None
    load_fails: Exception | None = None
    loads: int = 0
    tries: int = 0

    def active(self) -> Activation | None:
        if self.pointer_fails:
            raise self.pointer_fails
        return self.inner.active()

    def load(self, version: str) -> LoadedModel:
        self.tries += 1
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

    def digests(self, model: PriceModel, record: TrainingRecord) -> dict[str, str]:
        raise NotImplementedError

    def history(self) -> list[Activation]:
        raise NotImplementedError

    def verify(self, version: str | None = None) -> list[Finding]:
        raise NotImplementedError


@define
class Threads:
    """Takes the place of threading.Thread: it looks once, and again if the test says so."""

    started: list[Callable[[], None]] = field(factory=list)

    def __call__(self, *, target: Any, **_: Any) -> "Threads":
        self.started.append(target)
        return self

    def start(self) -> None:
        self.started[-1].__self__.look()  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    threads = Threads()
    monkeypatch.setattr(active_model, "Thread", threads)
    return threads


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def watched(registry: Registry, clock: Clock) -> WatchedModel:
    return WatchedModel(registry, 60, clock)


@pytest.fixture(params=["latest", "watched"])
def model(request: pytest.FixtureRequest, registry: Registry, clock: Clock) -> ActiveModel:
    return LatestModel(registry) if request.param == "latest" else WatchedModel(registry, 60, clock)


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
    watched: WatchedModel, registry: Registry, clock: Clock, failure: ReeError
) -> None:
    registry.activate_another()
    registry.load_fails = failure
    with pytest.raises(ModelNotReady) as caught:
        watched.current()
    assert str(caught.value) == str(failure)
    registry.load_fails = None
    clock.seconds = 60
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
@pytest.mark.parametrize("failure", [*FAILURES, RuntimeError("a defect"), ModelNotReady()])
def test_the_last_good_model_stays_whatever_fails(
    watched: WatchedModel, registry: Registry, clock: Clock, where: str, failure: Exception
) -> None:
    first = registry.activate_another()
    watched.start()
    second = registry.activate_another()
    setattr(registry, where, failure)
    watched.look()
    assert watched.current().version.version == first
    setattr(registry, where, None)
    clock.seconds = 60
    watched.look()
    assert watched.current().version.version == second


def test_a_cause_is_logged_once_and_once_that_it_is_over(
    watched: WatchedModel, registry: Registry
) -> None:
    version = registry.activate_another()
    with capture_logs() as logs:
        watched.look()
        for failure in (*FAILURES, FAILURES[0], RuntimeError("a defect"), None, FAILURES[0]):
            registry.pointer_fails = failure
            watched.look()
            watched.look()
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("model_loaded", "info"),
        *[("model_not_refreshed", "warning")] * 2,
        ("model_not_refreshed", "error"),
        ("model_refreshed_again", "info"),
        ("model_not_refreshed", "warning"),
    ]
    assert [log["reason"] for log in logs if "reason" in log] == [
        *(str(failure) for failure in FAILURES),
        "RuntimeError; the service's log has more.",
        str(FAILURES[0]),
    ]
    assert logs[3]["exc_info"].args == ("a defect",)
    assert [log["model_version"] for log in logs] == [version] * 6


def test_failures_are_counted_and_timed(
    watched: WatchedModel, registry: Registry, clock: Clock
) -> None:
    registry.activate_another()
    watched.start()
    assert watched.state() == Followed(watched.state().in_use(), 0, None, None)
    for seconds, failure in ((30, FAILURES[0]), (60, FAILURES[1])):
        clock.seconds, registry.pointer_fails = seconds, failure
        watched.look()
    state = watched.state()
    assert (state.failures, state.reason) == (2, str(FAILURES[1]))
    assert state.failing_since == START + timedelta(seconds=30)
    registry.pointer_fails = None
    watched.look()
    state = watched.state()
    assert (state.failures, state.failing_since, state.reason) == (2, None, None)


def test_an_empty_registry_is_no_failure(watched: WatchedModel, registry: Registry) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            watched.look()
        assert watched.state().failures == 0
        registry.pointer_fails = FAILURES[0]
        watched.look()
        assert watched.state().failing_since == START
        registry.pointer_fails = None
        watched.look()
    state = watched.state()
    assert (state.failures, state.failing_since) == (1, None)
    assert state.reason == str(ModelNotReady())
    assert [log["event"] for log in logs] == ["model_not_refreshed"] * 2


def test_what_is_served_and_its_move_belong_together(
    watched: WatchedModel, registry: Registry
) -> None:
    version = registry.activate_another()
    watched.look()
    served = watched.state().in_use()
    assert served.activation == registry.active()
    again = registry.inner.activate(version, expected=version, by="me", why="once more")
    watched.look()
    assert watched.state().in_use() == Served(served.loaded, again)
    assert registry.loads == 1
    registry.activate_another()
    registry.load_fails = FAILURES[0]
    watched.look()
    assert watched.state().in_use() == Served(served.loaded, again)


def test_a_broken_version_is_read_once_an_interval(
    watched: WatchedModel, registry: Registry, clock: Clock
) -> None:
    registry.activate_another()
    registry.load_fails = FAILURES[1]
    watched.start()
    for seconds in (30, 59, 60, 90, 120):
        clock.seconds = seconds
        watched.look()
    assert (registry.tries, watched.state().failures) == (3, 6)
    registry.activate_another()
    registry.load_fails = None
    watched.look()
    assert watched.state().reason is None


def test_an_unreachable_version_is_read_at_every_look(
    watched: WatchedModel, registry: Registry
) -> None:
    registry.activate_another()
    registry.load_fails = FAILURES[0]
    for _ in range(3):
        watched.look()
    assert registry.tries == 3


def test_a_storage_that_hangs_does_not_hold_up_a_start(
    watched: WatchedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Threads, "start", lambda _: None)
    monkeypatch.setattr(active_model, "FIRST", 0.01)
    with pytest.raises(ModelNotReady, match="still being loaded"):
        watched.current()


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


def test_the_thread_looks_at_a_fixed_rate_until_it_is_stopped(
    watched: WatchedModel,
    registry: Registry,
    threads: Threads,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    pauses = iter(
        [lambda: None, lambda: None, registry.activate_another, lambda: None, watched.stop]
    )
    lasts = iter([0, 0.25, 10, 40])
    active = registry.active

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        next(pauses)()
        return watched._stopped.is_set()

    def slowly(_: Registry) -> Activation | None:
        clock.seconds += next(lasts)
        return active()

    watched.start()
    monkeypatch.setattr(Registry, "active", slowly)
    monkeypatch.setattr(watched._stopped, "wait", wait)
    threads.started[0]()
    assert waits == [0, 1, 0.75, 20, 0]
    assert watched.current().version.version == registry.inner.versions()[0].version
