"""Reports of retrains in object storage."""

from collections.abc import Iterator, Sequence
from logging import getLogger

from attrs import field, frozen

from ..domain.errors import StorageError, UnknownRun
from ..domain.run import Ending, Run
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectStore
from .seal import Seal

RUNS = "runs/"
_log = getLogger(__name__)


class NotReadable(StorageError):
    """A report that is damaged, or not signed by a trusted key."""


@frozen
class ObjectRuns:
    """The RunLog port."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)
    _kept: dict[str, Run] = field(factory=dict, init=False, repr=False, eq=False)
    """What was read, by key: reports never change, and are listed every minute."""
    _told: set[str] = field(factory=set, init=False, repr=False, eq=False)
    """What was warned of."""

    def record(self, run: Run) -> None:
        """Keep a report; one that is there, by who completed this run, is left as it is."""
        body = codec.to_json(self.seal.close(codec.plain(run)))
        try:
            self.objects.create(f"{RUNS}{run.run_id}.json", body)
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
        """All of them that can be read, the newest first."""
        runs = []
        for key in self.objects.keys(RUNS):
            try:
                runs.append(self._kept.get(key) or self._kept.setdefault(key, self._run(key)))
            except NotReadable as error:
                if key not in self._told:
                    self._told.add(key)
                    _log.warning("%s", error)
        return sorted(runs, key=lambda run: (run.started_at, run.run_id), reverse=True)

    def run(self, run_id: str) -> Run:
        """One of them; UnknownRun."""
        key = f"{RUNS}{run_id}.json"
        if key not in self.objects.keys(RUNS):
            raise UnknownRun(run_id)
        return self._run(key)

    def verify(self) -> Iterator[Finding]:
        """Every report."""
        for key in self.objects.keys(RUNS):
            try:
                self._run(key)
            except NotReadable as error:
                yield Finding(key, Soundness.BROKEN, str(error))
            else:
                yield Finding(key)

    def _run(self, key: str) -> Run:
        body = self.objects.get(key).body
        try:
            return codec.structured(self.seal.open(body, key), Run, key)
        except StorageError as error:
            raise NotReadable(str(error)) from error
