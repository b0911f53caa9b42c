"""Whether everything that is stored is still what was stored."""

from collections.abc import Iterator

from attrs import frozen

from ..domain.errors import StorageError, UnreadableVersion
from ..domain.ports import DriftLog, ModelRegistry, Orders, RunLog, SnapshotStore, TrackLog
from ..domain.verification import Finding, Soundness


@frozen
class Verify:
    """Checks every digest and signature, the pointer and its history; changes nothing."""

    registry: ModelRegistry
    runs: RunLog
    track_log: TrackLog
    orders: Orders
    snapshots: SnapshotStore
    drift: DriftLog

    def __call__(self, version: str | None = None) -> Iterator[Finding]:
        """What is found of one version and what it was trained on, or of all there is.

        UnknownVersion, StorageError.
        """
        yield from self.registry.verify(version)
        if version is None:
            yield from self.runs.verify()
            yield from self.drift.verify()
            yield from self.orders.verify()
            yield from self._lost_moves()
            yield from self.track_log.verify()
            yield from self.snapshots.verify()
            return
        try:
            dataset = self.registry.version(version).record.dataset
        except UnreadableVersion:
            return
        if dataset is not None:
            yield from self.snapshots.verify(dataset)

    def _lost_moves(self) -> Iterator[Finding]:
        """The reports of retrains tell which versions the history has to know."""
        try:
            known = {move.version for move in self.registry.history()}
        except StorageError:
            return
        for run in self.runs.runs():
            if run.activated and run.model_version not in known:
                yield Finding(
                    f"the activation of {run.model_version}",
                    Soundness.BROKEN,
                    f"run {run.run_id} tells of it and the history does not; restore the pointer "
                    "and activations/",
                )
