"""Reports of retrains in object storage."""

from collections.abc import Iterator, Sequence

from attrs import Factory, field, frozen

from ..domain.errors import UnknownRun
from ..domain.run import Ending, Run
from ..domain.verification import Finding
from .objects import ObjectStore
from .records import Records
from .seal import Seal

RUNS = "runs/"


@frozen
class ObjectRuns:
    """The RunLog port."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)
    _records: Records[Run] = field(
        default=Factory(
            lambda self: Records(self.objects, self.seal, RUNS, Run, lambda run: _key(run.run_id)),
            takes_self=True,
        ),
        init=False,
    )

    def record(self, run: Run) -> None:
        """Keep a report; one that is there, by who completed this run, is left as it is."""
        self._records.create(run)

    def with_key(self, key: str) -> Run | None:
        """The report of the run that published or rejected a version under this key."""
        for run in self.runs():
            settled = run.ending in (Ending.ACTIVATED, Ending.REFUSED)
            if run.key == key and settled and run.model_version is not None:
                return run
        return None

    def runs(self) -> Sequence[Run]:
        """All of them that can be read, the newest first."""
        return sorted(
            self._records.readable(), key=lambda run: (run.started_at, run.run_id), reverse=True
        )

    def run(self, run_id: str) -> Run:
        """One of them; UnknownRun."""
        if _key(run_id) not in self.objects.keys(RUNS):
            raise UnknownRun(run_id)
        return self._records.read(_key(run_id))

    def verify(self) -> Iterator[Finding]:
        """Every report."""
        return self._records.verify()


def _key(run_id: str) -> str:
    return f"{RUNS}{run_id}.json"
