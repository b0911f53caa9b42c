"""The stores that every contract is checked on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ree.adapters.clock import SystemClock
from ree.adapters.file_objects import FileObjects
from ree.adapters.measured_objects import MeasuredObjects, StorageWatch
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectStore
from ree.adapters.s3_objects import S3Objects

from ..servers.access import Access, empty
from ..servers.gcs import Gcs
from ..servers.seaweedfs import SeaweedFS

BUCKET = "ree-contract"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def memory() -> ObjectStore:
    return MemoryObjects()


@pytest.fixture
def filesystem(folder: Path) -> ObjectStore:
    return FileObjects(folder)


@pytest.fixture
def measured_memory(memory: ObjectStore) -> ObjectStore:
    return MeasuredObjects(memory, StorageWatch(), SystemClock())


@pytest.fixture
def measured_filesystem(filesystem: ObjectStore) -> ObjectStore:
    return MeasuredObjects(filesystem, StorageWatch(), SystemClock())


@pytest.fixture(scope="session")
def seaweedfs_bucket(seaweedfs: SeaweedFS) -> Iterator[S3Objects]:
    store = seaweedfs.writer.new_store(BUCKET)
    yield store
    store.close()


@pytest.fixture(scope="session")
def moto_bucket(moto: Access) -> Iterator[S3Objects]:
    store = moto.new_store(BUCKET)
    yield store
    store.close()


@pytest.fixture(scope="session")
def gcs_bucket(gcs: Gcs) -> Iterator[S3Objects]:
    store = gcs.access.new_store(BUCKET)
    yield store
    store.close()


@pytest.fixture(scope="session")
def unconditional_bucket(unconditional: Gcs) -> Iterator[S3Objects]:
    store = unconditional.access.new_store(BUCKET, single_writer=True)
    yield store
    store.close()


def emptied(request: pytest.FixtureRequest, name: str) -> ObjectStore:
    """The store of this fixture without what others left: buckets cost more to make than that."""
    store: ObjectStore = request.getfixturevalue(name)
    if name == "seaweedfs_bucket":
        request.getfixturevalue("seaweedfs").empty(BUCKET)
    elif isinstance(store, S3Objects):
        empty(store)
    return store


@pytest.fixture(params=["memory", "filesystem", "seaweedfs_bucket"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    return emptied(request, request.param)


@pytest.fixture
def delete(objects: ObjectStore) -> Callable[[str], None]:
    """Removes an object behind the store's back, which has no way to do so."""

    def remove(key: str) -> None:
        if isinstance(objects, MemoryObjects):
            del objects._objects[key]
        elif isinstance(objects, FileObjects):
            (objects.root / key).unlink()
        elif isinstance(objects, S3Objects):
            objects.bucket.delete(key)

    return remove


@pytest.fixture
def overwrite(objects: ObjectStore) -> Callable[[str, bytes], None]:
    """Puts other bytes in an object's place, as damage or an intruder would."""

    def put(key: str, body: bytes) -> None:
        objects.replace(key, body, token=objects.get(key).token)

    return put
