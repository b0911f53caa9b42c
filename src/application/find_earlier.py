"""What became of a run with the same key, so that a rerun changes nothing."""

from attrs import evolve, frozen

from ..domain.errors import ActivationConflict, UnreadableVersion
from ..domain.gating import Verdict
from ..domain.model import ModelVersion, Status
from ..domain.ports import ModelRegistry, RunLog
from ..domain.run import Ending, Run


@frozen
class FindEarlier:
    """The report of the run that published or rejected a version under a key.

    A run that was killed after it published has left no report: it is told from its version, and
    the move of the pointer that it did not get to is made now, if it still may be. With others at
    work (*in_passing*) it may still get there, so that the report is left to it.
    """

    registry: ModelRegistry
    runs: RunLog

    def __call__(self, key: str, *, in_passing: bool = False) -> Run | None:
        """None if the key has to be trained; StorageError."""
        run = self.runs.with_key(key)
        if run is not None:
            return evolve(run, reused=True)
        for version in self.registry.versions():
            if version.record.run_key == key:
                ending = self._ending(version)
                run = None if ending is None else _told_by(version, ending)
                if run is not None:
                    if not in_passing:
                        self.runs.record(run)
                    return evolve(run, reused=True)
        return None

    def _ending(self, version: ModelVersion) -> Ending | None:
        if version.status is Status.REJECTED:
            return Ending.REFUSED
        if self._was_active(version):
            return Ending.ACTIVATED
        active = self.registry.active()
        if (active.version if active else None) != version.record.champion:
            return None
        try:
            self.registry.activate(
                version.version,
                expected=version.record.champion,
                by="ree retrain",
                why=f"passed the gate in run {version.record.run_id}, "
                "which had not activated it yet",
            )
        except ActivationConflict:  # its own run, or another one that helps it, was faster
            return Ending.ACTIVATED if self._was_active(version) else None
        except UnreadableVersion:
            return None
        return Ending.ACTIVATED

    def _was_active(self, version: ModelVersion) -> bool:
        return any(move.version == version.version for move in self.registry.history())


def _told_by(version: ModelVersion, ending: Ending) -> Run | None:
    record = version.record
    if record.dataset is None or record.run_id is None or record.run_key is None:
        return None
    return Run(
        run_id=record.run_id,
        key=record.run_key,
        asked_by=record.asked_by or "unknown",
        started_at=record.started_at or version.created_at,
        finished_at=version.created_at,
        steps={},
        manifest=record.dataset,
        ending=ending,
        evaluation=record.evaluation and record.evaluation.brief,
        baseline=record.baseline,
        verdict=record.verdict or Verdict(()),
        model_version=version.version,
    )
