"""One retrain, told by a job that can be sent to another process."""

import os
import signal
import sys
from base64 import b64encode
from collections.abc import Callable
from errno import ENOSPC
from functools import cache
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dependency_injector import providers

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.file_objects import FileObjects
from ree.adapters.s3_conditions import PROBES
from ree.adapters.settings import Settings
from ree.adapters.sklearn_model import SklearnTrainer
from ree.application.retrain_period import RetrainRequest
from ree.container import Container
from ree.domain.dataset import Dataset
from ree.domain.errors import ReeError, StorageError
from ree.domain.model import Recipe
from ree.domain.run import Run

from ..servers.access import Access
from . import village

MODELS, SNAPSHOTS = "ree-models", "ree-snapshots"
CREATE_ONLY, COMPARE_AND_SET = "create-only", "compare-and-set"
POINTER = "latest.json"
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SETTINGS = Settings(
    train_min_rows=village.MIN_ROWS,
    signing_key=b64encode(_KEY.private_bytes_raw()).decode(),
    verify_keys=(b64encode(_KEY.public_key().public_bytes_raw()).decode(),),
)


@frozen
class Job:
    """What a process is to do, and when it is to break off."""

    folder: str | None = None
    endpoint: str | None = None
    whole: bool = True
    """January and February, or January alone."""
    trees: int = 40
    accept_inconclusive: bool = False
    hour: int = 6
    read_timeout: float = 20.0
    kill_at_step: int | None = None
    """Before (even) or after (odd) a step."""
    kill_at_file: int | None = None
    """Before an operation on a file of the store."""
    full_at_file: int | None = None
    """An operation from which on no more can be written."""
    without: str | None = None
    """A promise that the store is made to break: `create-only` or `compare-and-set`."""


TOO_FEW = 1


class FewTrees(SklearnTrainer):
    """The real trainer; with too few trees it learns from prices that no gate lets through."""

    trees = 40

    def recipe(self, name: str) -> Recipe:
        few = {"members": ("residual",), "vintages": 4, "origins": (), "max_iter": self.trees}
        return Recipe(name, {**super().recipe(name).settings, **few, "learning_rate": 0.3})

    def fit(self, dataset: Dataset, recipe: Recipe) -> BoostedTrees:
        if self.trees == TOO_FEW:
            dataset = Dataset({**dataset.columns, "price": 2 * dataset.columns["price"]})
        return super().fit(dataset, recipe)


@define
class Steps:
    """The clock, by whose stopwatch steps begin and end."""

    clock: village.Clock
    kill_at: int | None
    count: int = 0

    def now(self) -> Any:
        return self.clock.now()

    def monotonic(self) -> float:
        if self.count == self.kill_at:
            die()
        self.count += 1
        return self.clock.monotonic()


@define
class FileOperations:
    """Counts what is done to files below a folder, and breaks one."""

    root: str
    kill_at: int | None
    full_at: int | None
    seen: list[str] = field(factory=list)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _FILE_EVENTS:
            return
        places = [str(place) for place in arguments[:2] if isinstance(place, str | Path)]
        if not any(place.startswith(self.root) for place in places):
            return
        if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            event = OPEN_TO_WRITE
        number = len(self.seen)
        self.seen.append(event)
        if number == self.kill_at:
            die()
        if self.full_at is not None and number >= self.full_at and event in WRITES:
            raise OSError(ENOSPC, "No space left on device")


OPEN_TO_WRITE = "open to write"
WRITES = {OPEN_TO_WRITE, "os.link", "os.rename", "os.mkdir"}
_FILE_EVENTS = {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.scandir"}


def die() -> None:
    """As if the machine lost its power."""
    os.kill(os.getpid(), signal.SIGKILL)


def retrain(job: Job, ready: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Run it and tell how it ended; *ready* returns when it may start."""
    steps = Steps(village.Clock(job.hour), job.kill_at_step)
    files = None
    if job.folder is not None:
        files = FileOperations(job.folder, job.kill_at_file, job.full_at_file)
        sys.addaudithook(files)
    container = wired(job)
    container.clock.override(providers.Object(steps))
    if job.without is not None:
        sabotage(container.model_objects(), job.without)
        sabotage(container.snapshot_objects(), job.without)
    period = village.BOTH if job.whole else village.JANUARY
    request = RetrainRequest(
        period, asked_by="me", recipe="fast", accept_inconclusive=job.accept_inconclusive
    )
    retrain = container.retrain_period()
    ready()
    try:
        told = _told(retrain(request))
    except ReeError as error:
        told = {
            "error": type(error).__name__,
            "storage": isinstance(error, StorageError),
            "message": str(error),
        }
    told |= {"steps": steps.count, "files": files.seen if files else []}
    if steps.count == job.kill_at_step:
        die()
    return told


def wired(job: Job) -> Container:
    """The container of a job."""
    container = Container()
    trainer = FewTrees()
    FewTrees.trees = job.trees
    overrides: list[tuple[Any, Any]] = [
        (container.settings, SETTINGS),
        (container.market, village.Village()),
        (container.clock, village.Clock(job.hour)),
        (container.model_objects, store(job, MODELS)),
        (container.snapshot_objects, store(job, SNAPSHOTS)),
        (container.trainer, trainer),
        (container.evaluator, NumpyEvaluator(resamples=20)),
    ]
    for provider, value in overrides:
        provider.override(providers.Object(value))
    return container


def store(job: Job, bucket: str) -> Any:
    """The store under test."""
    if job.folder is not None:
        return FileObjects(Path(job.folder) / bucket)
    return _s3(str(job.endpoint), bucket, job.read_timeout)


@cache
def _s3(endpoint: str, bucket: str, read_timeout: float) -> Any:
    """Made before the process forks, as its clients cost more than a retrain."""
    return Access(endpoint).store(bucket, read_timeout=read_timeout)


def sabotage(objects: Any, without: str) -> None:
    """Take a promise out of a store, for the rest of this process."""
    drop = {CREATE_ONLY: _without_create_only, COMPARE_AND_SET: _without_compare_and_set}
    objects.bucket.client.meta.events.register("provide-client-params.s3.PutObject", drop[without])


def _without_create_only(params: dict[str, Any], **_: Any) -> None:
    """Objects are overwritten. The store's own probe does not notice."""
    if not params["Key"].startswith((PROBES, POINTER)):
        params.pop("IfNoneMatch", None)


def _without_compare_and_set(params: dict[str, Any], **_: Any) -> None:
    """The pointer is overwritten."""
    if params["Key"] == POINTER:
        params.pop("IfNoneMatch", None)
        params.pop("IfMatch", None)


def _told(run: Run) -> dict[str, Any]:
    return {
        "ending": run.ending.value,
        "reused": run.reused,
        "run_id": run.run_id,
        "key": run.key,
        "version": run.model_version,
        "dataset": run.manifest.name,
        "months": run.manifest.digest,
    }
