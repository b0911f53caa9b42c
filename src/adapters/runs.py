"""Reports of retrains in object storage."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from ..domain.errors import UnknownRun
from ..domain.run import Ending, Run
from . import codec
from .objects import ObjectExists, ObjectStore

RUNS = "runs/"


@frozen
class ObjectRuns:
    """The RunLog port."""

    objects: ObjectStore

    def record(self, run: Run) -> None:
        """Keep a report; one that is there, by who completed this run, is left as it is."""
        try:
            self.objects.create(f"{RUNS}{run.run_id}.json", codec.to_json(codec.plain(run)))
        except ObjectExists:
            return

    def with_key(self, key: str) -> Run | None:
        """The report of the run that published or rejected a version under this key."""
        for run in self.runs():
            settled = run.ending in (Ending.ACTIVATED, Ending.REFUSED)
            if run.key == key and settled and run.model_version is not None:
                return run
        return None

    def runs(self) -> Sequence[Run]:
        """All of them, the newest first."""
        runs = [self._run(key) for key in self.objects.keys(RUNS)]
        return sorted(runs, key=lambda run: (run.started_at, run.run_id), reverse=True)

    def run(self, run_id: str) -> Run:
        """One of them; UnknownRun."""
        key = f"{RUNS}{run_id}.json"
        if key not in self.objects.keys(RUNS):
            raise UnknownRun(run_id)
        return self._run(key)

    def _run(self, key: str) -> Run:
        plain: dict[str, Any] = codec.from_json(self.objects.get(key).body, key)
        return codec.structured(plain, Run, key)
