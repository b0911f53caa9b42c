"""One retrain: what was asked, what each step took, and how it ended."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from uuid import uuid4

from attrs import field, frozen

from .dataset import DatasetManifest
from .evaluation import Evaluation
from .gating import Verdict


def new_run_id(now: datetime) -> str:
    """YYYYMMDD-HHMMSS-<8 hex>, by the moment and by chance."""
    return f"{now:%Y%m%d-%H%M%S}-{uuid4().hex[:8]}"


class Ending(Enum):
    """How a run ended."""

    SNAPSHOTS_ONLY = "snapshots_only"
    NOT_PUBLISHED = "not_published"
    ACTIVATED = "activated"
    REFUSED = "refused"


@frozen
class Run:
    """The report of a retrain. *steps* are seconds by name."""

    run_id: str
    key: str
    asked_by: str
    started_at: datetime
    finished_at: datetime
    steps: Mapping[str, float]
    manifest: DatasetManifest
    ending: Ending
    evaluation: Evaluation | None = None
    """In brief: its residuals and drivers are with the version."""
    baseline: Evaluation | None = None
    verdict: Verdict | None = None
    model_version: str | None = None
    unreadable_replaced: str | None = None
    """Why an active version that could not be read was treated as absent."""
    reused: bool = False
    warnings: Mapping[str, int] = field(factory=dict)
    """How many sales of the dataset by code."""

    @property
    def activated(self) -> bool:
        """Whether this run made its version the active one."""
        return self.ending is Ending.ACTIVATED


def refusals_in_a_row(runs: Iterable[Run]) -> int:
    """How many of *runs*, the newest first, made a version that the gate refused, up to one that
    it let pass.

    Those without a version, as dry runs and those that were not to publish, do not count.
    """
    count = 0
    for run in runs:
        if run.model_version is None:
            continue
        if run.ending is not Ending.REFUSED:
            break
        count += 1
    return count
