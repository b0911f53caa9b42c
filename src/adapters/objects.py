"""The seam to object storage: what a store must promise, and what it may say is wrong."""

import re
from hashlib import sha256
from typing import Protocol

from attrs import frozen

from ..domain.errors import StorageError
from ..domain.model import ConditionalWrites

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class ObjectMissing(StorageError):
    """There is no object under this key, and the store is sure of it."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no object {key} in the storage.")


class ObjectExists(StorageError):
    """An object is there already, and was left as it is."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The object {key} exists already and is never overwritten.")


class StaleToken(StorageError):
    """The object changed since it was read, and was left as it is."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The object {key} was changed by somebody else; try again.")


@frozen
class Stored:
    """An object as it was read; the token stands for exactly this content."""

    body: bytes
    token: str


class ObjectStore(Protocol):
    """Bytes by key. Every failure is a StorageError; what is read is complete or not there."""

    def get(self, key: str) -> Stored:
        """The object; ObjectMissing only if it certainly is not there."""

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        """The object, or None while *token* still stands for it; ObjectMissing."""

    def create(self, key: str, body: bytes) -> None:
        """Store under a new key, whole or not at all; ObjectExists changes nothing."""

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        """Store over what *token* stands for (None: over nothing); StaleToken changes nothing."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with *prefix*, sorted."""

    def conditional_writes(self) -> ConditionalWrites:
        """What `create` and `replace` rest on; a writer's question, which may write to find out."""


def checked(key: str) -> str:
    """A key without empty, hidden or dotted parts; such a one cannot leave its store."""
    if not _KEY.fullmatch(key):
        raise StorageError(f"{key!r} is not a valid object key.")
    return key


def checked_prefix(prefix: str) -> str:
    """A prefix whose folders are valid, so that a listing stays inside the store too."""
    if "/" in prefix:
        checked(prefix.rpartition("/")[0])
    return prefix


def digest(body: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(body).hexdigest()
