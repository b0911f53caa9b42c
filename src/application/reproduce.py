"""Training a version again, to see whether it comes out the same."""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from ..domain.errors import NotReproducible
from ..domain.gating import GatingPolicy
from ..domain.ports import Clock, ModelRegistry, Progress, SnapshotStore
from .stopwatch import Stopwatch, unseen
from .trial import TryCandidate


@frozen
class Reproduction:
    """What came of it: SHA-256 by object, as stored and as made now; inputs that differ since."""

    version: str
    objects: Mapping[str, tuple[str, str]]
    changed: Mapping[str, tuple[str | None, str]] = field(factory=dict)

    @property
    def same(self) -> bool:
        """Whether every object came out as it is stored."""
        return all(stored == made for stored, made in self.objects.values())


@frozen
class Reproduce:
    """Fetches a version's own dataset and trains its recipe on it again; stores nothing."""

    registry: ModelRegistry
    snapshots: SnapshotStore
    try_candidate: TryCandidate
    clock: Clock
    environment: Mapping[str, str]

    def __call__(self, version: str, progress: Progress = unseen) -> Reproduction:
        """UnknownVersion, UnreadableVersion, NotReproducible, StorageError."""
        watch = Stopwatch(self.clock, progress)
        found = self.registry.version(version)
        record = found.record
        if record.dataset is None:
            raise NotReproducible(version)
        with watch.step("fetch"):
            dataset = self.snapshots.dataset(record.dataset)
        candidate = self.try_candidate.evaluate(
            dataset, record.dataset.period, record.recipe, GatingPolicy(min_rows=1), watch
        )
        with watch.step("train"):
            model = self.try_candidate.trainer.fit(dataset, record.recipe)
        again = evolve(record, evaluation=candidate.evaluation, baseline=candidate.baseline)
        made = self.registry.digests(model, again)
        return Reproduction(
            version,
            {name: (found.objects.get(name, ""), digest) for name, digest in made.items()},
            {
                name: (record.environment.get(name), here)
                for name, here in self.environment.items()
                if record.environment.get(name) != here
            },
        )
