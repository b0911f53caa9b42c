"""Whether everything that is stored is still what was stored."""

from collections.abc import Iterator

from attrs import frozen

from ..domain.errors import UnreadableVersion
from ..domain.ports import ModelRegistry, RunLog, SnapshotStore
from ..domain.verification import Finding


@frozen
class Verify:
    """Checks every digest and signature, the pointer and its history; changes nothing."""

    registry: ModelRegistry
    runs: RunLog
    snapshots: SnapshotStore

    def __call__(self, version: str | None = None) -> Iterator[Finding]:
        """What is found of one version and what it was trained on, or of all there is.

        UnknownVersion, StorageError.
        """
        yield from self.registry.verify(version)
        if version is None:
            yield from self.runs.verify()
            yield from self.snapshots.verify()
            return
        try:
            dataset = self.registry.version(version).record.dataset
        except UnreadableVersion:
            return
        if dataset is not None:
            yield from self.snapshots.verify(dataset)
