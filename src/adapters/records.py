"""Records of one kind in object storage: sealed, created once, never changed."""

from collections.abc import Callable, Iterator
from logging import getLogger
from typing import Generic, TypeVar

from attrs import field, frozen

from ..domain.errors import StorageError
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectStore
from .seal import Seal

T = TypeVar("T")
_log = getLogger(__name__)


class NotReadable(StorageError):
    """A record that is damaged, not signed by a trusted key, or at another one's place."""


@frozen(eq=False)
class Records(Generic[T]):
    """All of *kind* below *prefix*, each at the key that *key_of* tells.

    They are listed every minute: what was read is kept, and what cannot be is warned of once.
    """

    objects: ObjectStore
    seal: Seal
    prefix: str
    kind: type[T]
    key_of: Callable[[T], str]
    _kept: dict[str, T] = field(factory=dict, init=False, repr=False)
    _told: set[str] = field(factory=set, init=False, repr=False)

    def create(self, record: T) -> bool:
        """Whether it is new; one that is there is left as it is."""
        body = codec.to_json(self.seal.close(codec.plain(record)))
        try:
            self.objects.create(self.key_of(record), body)
        except ObjectExists:
            return False
        return True

    def readable(self, below: str = "") -> Iterator[T]:
        """Those that can be read; *below* goes on from the prefix."""
        for key in self.objects.keys(f"{self.prefix}{below}"):
            if key not in self._kept:
                try:
                    self._kept[key] = self.read(key)
                except NotReadable as error:
                    if key not in self._told:
                        self._told.add(key)
                        _log.warning("%s", error)
                    continue
            yield self._kept[key]

    def read(self, key: str) -> T:
        """One of them, read anew; NotReadable, ObjectMissing."""
        body = self.objects.get(key).body
        try:
            record = codec.structured(self.seal.open(body, key), self.kind, key)
        except StorageError as error:
            raise NotReadable(str(error)) from error
        if self.key_of(record) != key:
            raise NotReadable(f"The object {key} is that of {self.key_of(record)}; move it away.")
        return record

    def verify(self) -> Iterator[Finding]:
        """Every one of them, read anew."""
        for key in self.objects.keys(self.prefix):
            try:
                self.read(key)
            except NotReadable as error:
                yield Finding(key, Soundness.BROKEN, str(error))
            else:
                yield Finding(key)
