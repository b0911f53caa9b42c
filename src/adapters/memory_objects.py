"""An object store that lives as long as the process."""

from threading import Lock

from attrs import field, frozen

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


@frozen(eq=False)
class MemoryObjects:
    """The ObjectStore seam over a dictionary."""

    _objects: dict[str, bytes] = field(factory=dict, init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def get(self, key: str) -> Stored:
        """The object; ObjectMissing."""
        body = self._objects.get(checked(key))
        if body is None:
            raise ObjectMissing(key)
        return Stored(body, digest(body))

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        """The object, or None while *token* still stands for it; ObjectMissing."""
        stored = self.get(key)
        return None if stored.token == token else stored

    def create(self, key: str, body: bytes) -> None:
        """Store under a new key; ObjectExists."""
        with self._lock:
            if checked(key) in self._objects:
                raise ObjectExists(key)
            self._objects[key] = body

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        """Store over what *token* stands for; StaleToken."""
        with self._lock:
            current = self._objects.get(checked(key))
            if (None if current is None else digest(current)) != token:
                raise StaleToken(key)
            self._objects[key] = body

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with *prefix*, sorted."""
        checked_prefix(prefix)
        with self._lock:
            return sorted(key for key in self._objects if key.startswith(prefix))

    def conditional_writes(self) -> ConditionalWrites:
        """Tokens are digests, compared under a lock of our own."""
        return ConditionalWrites.ETAG
