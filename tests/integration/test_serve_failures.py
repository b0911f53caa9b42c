"""The service keeps its last good model whatever becomes of the storage, and tells why."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .service import Publisher, Service, until

REFRESH = 0.5
LOW, HIGH = 20_000, 90_000
OBJECTS = [
    "feature_schema.json",
    "metrics.json",
    "model.npz",
    "model.pkl",
    "report.html",
    "training_manifest.json",
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store" / "ree-models"


@pytest.fixture
def publisher(store: Path) -> Publisher:
    return Publisher.of(storage_path=store.parent)


@pytest.fixture
def service(tmp_path: Path, store: Path) -> Callable[[], Service]:
    """To be entered; the store may be prepared before."""
    settings = {
        "REE_STORAGE_PATH": str(store.parent),
        "REE_MODEL_REFRESH_SECONDS": str(REFRESH),
    }
    return lambda: Service(tmp_path, settings)


@pytest.fixture
def low(publisher: Publisher) -> str:
    """The active version."""
    version = publisher.publish(LOW)
    publisher.activate(version)
    return version


@pytest.fixture
def serving(service: Callable[[], Service], low: str) -> Iterator[Service]:
    """Every worker serves the active version."""
    with service() as running:
        running.lines(f"model_loaded .*version={low}")
        yield running


def damage(path: Path) -> bytes:
    """Change the byte in the middle; what it was before."""
    body = path.read_bytes()
    changed = bytearray(body)
    changed[len(body) // 2] ^= 1
    put(path, bytes(changed))
    return body


def put(path: Path, body: bytes) -> None:
    """In one step, as a store does."""
    aside = path.parent / ".aside-test"
    aside.write_bytes(body)
    os.replace(aside, path)


def test_it_is_ready_without_a_restart_once_the_storage_is_there(
    service: Callable[[], Service], publisher: Publisher, low: str, store: Path
) -> None:
    away = store.rename(store.with_name("away"))
    store.write_text("not a folder")
    with service() as running:
        assert running.ask("/health")[0] == 200
        running.lines("model_not_refreshed .*Not a directory")
        status, problem = running.ask("/ready")
        assert (status, problem["title"]) == (503, "No model")
        assert "Not a directory" in problem["detail"]
        assert str(store) not in problem["detail"]
        assert running.ask("/estimate", {"1": {}})[0] == 503
        store.unlink()
        until(lambda: "No active model" in running.ask("/ready")[1]["detail"], "empty")
        away.rename(store)
        assert running.until_ready()["refresh"]["failures"] > 0
        running.lines(f"model_loaded .*version={low}")
        running.serves(low, LOW)
        assert len(running.seen("model_not_refreshed .*Not a directory")) == running.workers


def test_a_storage_that_goes_away_and_comes_back(
    serving: Service, publisher: Publisher, low: str, store: Path
) -> None:
    high = publisher.publish(HIGH)
    away = store.rename(store.with_name("away"))
    serving.lines("model_not_refreshed .*latest.json is missing")
    behind = serving.until_ready(failing=True)
    assert "latest.json is missing" in behind["refresh"]["reason"]
    assert behind["refresh"]["failing_since"] is not None
    serving.serves(low, LOW)
    away.rename(store)
    serving.lines("model_refreshed_again")
    assert serving.until_ready()["refresh"]["failing_since"] is None
    publisher.activate(high)
    serving.lines(f"model_loaded .*version={high}")
    serving.serves(high, HIGH)


def test_a_changed_byte_of_any_object_of_a_new_version_keeps_the_last_good_one(
    serving: Service, publisher: Publisher, low: str, store: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(OBJECTS):
        serving.forget()
        version = publisher.publish(HIGH + number)
        folder = store / "models" / version
        assert sorted(path.name for path in folder.iterdir()) == OBJECTS
        copy = shutil.copytree(store.parent, tmp_path / name)  # where it is sound still
        Publisher.of(storage_path=copy).activate(version)
        damage(folder / name)
        put(store / "latest.json", (copy / store.name / "latest.json").read_bytes())
        serving.lines(f"model_not_refreshed .*{version}.*{name}")
        reason = serving.until_ready(failing=True)["refresh"]["reason"]
        assert version in reason
        assert name in reason
        serving.serves(low, LOW)
        publisher.activate(low)
        serving.lines("model_refreshed_again")
    assert len(serving.seen("model_loaded")) == 0


def test_a_changed_byte_of_what_is_served_changes_nothing(
    serving: Service, low: str, store: Path
) -> None:
    for name in OBJECTS:
        damage(store / "models" / low / name)
    pointer = damage(store / "latest.json")
    serving.lines("model_not_refreshed .*latest.json")
    assert "latest.json" in serving.until_ready(failing=True)["refresh"]["reason"]
    serving.serves(low, LOW)
    put(store / "latest.json", pointer)
    serving.lines("model_refreshed_again")
    serving.serves(low, LOW)
