"""An object store in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from attrs import field, frozen

from ..domain.errors import StorageError
from ..domain.model import ConditionalWrites
from .objects import (
    ObjectExists,
    ObjectMissing,
    StaleToken,
    Stored,
    checked,
    checked_prefix,
    digest,
)

_ASIDE = ".aside"
_LOCK = ".lock"


@frozen(eq=False)
class FileObjects:
    """The ObjectStore seam over files: written aside, synced, then moved to their name at once.

    Moves of one object are made under a lock that the system releases when its holder dies.
    """

    root: Path = field(converter=Path)

    def get(self, key: str) -> Stored:
        """The object; ObjectMissing."""
        path = self._path(key)
        with self._translated(f"read {key}"):
            try:
                body = path.read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                self._is_there()
                raise ObjectMissing(key) from None
        return Stored(body, digest(body))

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        """The object, or None while *token* still stands for it; ObjectMissing."""
        stored = self.get(key)
        return None if stored.token == token else stored

    def create(self, key: str, body: bytes) -> None:
        """Store under a new key; ObjectExists."""
        path = self._path(key)
        with self._translated(f"write {key}"), self._written_aside(body) as aside:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(aside, path)
            except FileExistsError:
                raise ObjectExists(key) from None
            _sync_folders(path, self.root)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        """Store over what *token* stands for; StaleToken."""
        path = self._path(key)
        with self._translated(f"write {key}"), self._locked():
            try:
                current: str | None = self.get(key).token
            except ObjectMissing:
                current = None
            if current != token:
                raise StaleToken(key)
            with self._written_aside(body) as aside:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(aside, path)
                _sync_folders(path, self.root)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with *prefix*, sorted."""
        folder = self.root / checked_prefix(prefix).rpartition("/")[0]
        with self._translated(f"list {prefix}"):
            if not (self._is_there() and folder.is_dir()):
                return []
            found = []
            for parent, folders, names in os.walk(folder, onerror=_raise):
                folders[:] = [name for name in folders if not name.startswith(".")]
                found += [
                    (Path(parent) / name).relative_to(self.root).as_posix()
                    for name in names
                    if not name.startswith(".")
                ]
        return sorted(key for key in found if key.startswith(prefix))

    def conditional_writes(self) -> ConditionalWrites:
        """Tokens are digests, compared under a lock of our own."""
        return ConditionalWrites.ETAG

    def _path(self, key: str) -> Path:
        return self.root / checked(key)

    def _is_there(self) -> bool:
        """Whether the folder exists; OSError for a file in its place, which is no empty store."""
        try:
            os.scandir(self.root).close()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _written_aside(self, body: bytes) -> Iterator[Path]:
        folder = self.root / _ASIDE
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / uuid4().hex
        try:
            with aside.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            yield aside
        finally:
            aside.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / _LOCK).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"Cannot {what} below {self.root}: {error.strerror or error}. "
                "Check REE_STORAGE_PATH, its permissions and the free space."
            ) from error


def _raise(error: OSError) -> None:
    raise error


def _sync_folders(path: Path, root: Path) -> None:
    """A new name lasts through a power cut only once its folders are synced too."""
    for folder in path.parents:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if folder == root:
            return
