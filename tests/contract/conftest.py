"""The stores that every contract is checked on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ree.adapters.file_objects import FileObjects
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def memory() -> ObjectStore:
    return MemoryObjects()


@pytest.fixture
def filesystem(folder: Path) -> ObjectStore:
    return FileObjects(folder)


@pytest.fixture(params=["memory", "filesystem"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    store: ObjectStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def delete(objects: ObjectStore) -> Callable[[str], None]:
    """Removes an object behind the store's back, which has no way to do so."""

    def remove(key: str) -> None:
        if isinstance(objects, MemoryObjects):
            del objects._objects[key]
        elif isinstance(objects, FileObjects):
            (objects.root / key).unlink()

    return remove


@pytest.fixture
def overwrite(objects: ObjectStore) -> Callable[[str, bytes], None]:
    """Puts other bytes in an object's place, as damage or an intruder would."""

    def put(key: str, body: bytes) -> None:
        objects.replace(key, body, token=objects.get(key).token)

    return put
