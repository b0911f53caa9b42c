"""Who publishes a model that a run made, and under which name.

Two processes may do the same run at the same moment, and one of them may be killed at any point of
it. The first to get here says how the version is called and what is told of it; whoever comes after
with the same model writes the very same objects, or finds them, so that there is one version.
"""

from collections.abc import Iterator
from hashlib import sha256
from logging import getLogger

from attrs import frozen

from ..domain.errors import StorageError
from ..domain.model import ModelVersion
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectStore
from .seal import Seal

PUBLICATIONS = "publications/"
_log = getLogger(__name__)


@frozen
class Publications:
    """One document for each run, champion and model; they are never changed."""

    objects: ObjectStore
    seal: Seal

    def claim(self, version: ModelVersion) -> ModelVersion | None:
        """The version as the first one told it, which may be this very one.

        None if what was told cannot be trusted or read: then it binds nobody.
        """
        key = f"{PUBLICATIONS}{_identity(version)}.json"
        try:
            self.objects.create(key, codec.to_json(self.seal.close(codec.plain(version))))
        except ObjectExists:
            return self._read(key, version)
        return version

    def verify(self) -> Iterator[Finding]:
        """What is found of every document."""
        for key in self.objects.keys(PUBLICATIONS):
            try:
                codec.structured(self.seal.open(self.objects.get(key).body, key), ModelVersion, key)
            except StorageError as error:
                yield Finding(key, Soundness.BROKEN, str(error))
            else:
                yield Finding(key)

    def _read(self, key: str, version: ModelVersion) -> ModelVersion | None:
        body = self.objects.get(key).body
        try:
            told = codec.structured(self.seal.open(body, key), ModelVersion, key)
        except StorageError as error:
            _log.warning("%s The version gets a name of its own.", error)
            return None
        return told if _identity(told) == _identity(version) else None


def _identity(version: ModelVersion) -> str:
    """By the verdict and the champion too: what was reached beside another is another version."""
    record = version.record
    parts = (record.run_key, record.champion, record.status.value, version.model_digest)
    return sha256(repr(parts).encode()).hexdigest()
