"""Models, the versions they are kept as, and which of them is active."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol

from attrs import field, frozen

from .appraisal import Appraisal
from .dataset import DatasetManifest
from .distribution import Distributions
from .evaluation import Evaluation
from .explanation import Explanation
from .gating import Verdict
from .places import Place
from .track_record import TrackedMonth


class PriceModel(Protocol):
    """Something that prices homes."""

    @property
    def digest(self) -> str:
        """SHA-256 of what it is made of: equal digests price alike."""

    def estimate(self, homes: Mapping[str, Any]) -> Any:
        """NOK, one for each entry of the columns (dataset.COLUMNS but for price)."""

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        """The same with intervals of these coverages, and how far the homes are from its sales."""

    def explain(self, homes: Mapping[str, Any]) -> Sequence[Explanation]:
        """One for each home, of the very price that it is estimated at; it has to have one."""

    def places(self) -> Sequence[Place]:
        """Where the sales are that it compares homes with, from south to north; none of a stub."""


class Kind(Enum):
    """What stands behind a version."""

    TRAINED = "trained"
    STUB = "stub"


class Status(Enum):
    """What the gate made of a version."""

    PUBLISHED = "published"
    REJECTED = "rejected"


class ConditionalWrites(Enum):
    """What keeps two writers of one object apart: a condition that the storage holds them to."""

    ETAG = "etag"
    GENERATION = "generation"
    NONE = "none"


@frozen
class Recipe:
    """A way to train, by name, with all its settings."""

    name: str
    settings: Mapping[str, Any] = field(factory=dict)


@frozen
class TrainingRecord:
    """Where a model comes from and what it was found to be worth."""

    kind: Kind
    recipe: Recipe
    environment: Mapping[str, str]
    run_id: str | None = None
    run_key: str | None = None
    asked_by: str | None = None
    started_at: datetime | None = None
    dataset: DatasetManifest | None = None
    trained_until: date | None = None
    evaluation: Evaluation | None = None
    baseline: Evaluation | None = None
    verdict: Verdict | None = None
    evaluation_digest: str | None = None
    """The model that was evaluated: trained on what came before the holdout."""
    champion: str | None = None
    """The active version that it was compared with."""
    champion_trained_until: date | None = None
    track: tuple[TrackedMonth, ...] = ()
    """How the versions before it did, in brief, the newest month first."""
    distributions: Distributions = field(factory=dict)
    """Of the features of its dataset, for drift; none of a stub or a version from before."""

    @property
    def status(self) -> Status:
        """Rejected when a verdict says so."""
        if self.verdict is not None and not self.verdict.passed:
            return Status.REJECTED
        return Status.PUBLISHED


@frozen
class ModelVersion:
    """An immutable version. *objects* has the SHA-256 of each stored object, by name."""

    version: str
    created_at: datetime
    record: TrainingRecord
    model_digest: str
    objects: Mapping[str, str] = field(factory=dict)

    @property
    def status(self) -> Status:
        """Whether the gate let it through."""
        return self.record.status


@frozen
class LoadedModel:
    """A version that was verified, ready to price homes."""

    version: ModelVersion
    model: PriceModel


@frozen
class Activation:
    """One move of the pointer: who, when, why, from which version to which."""

    sequence: int
    version: str
    previous: str | None
    activated_at: datetime
    activated_by: str
    why: str
    previous_digest: str | None = None
    """SHA-256 of the activation before, so that the history is a chain."""
    conditional_writes: ConditionalWrites = ConditionalWrites.ETAG
    """What kept another mover from moving the pointer at the same time."""


def active_at(history: Sequence[Activation], moment: datetime) -> str | None:
    """The version that was active before *moment*; *history* has the newest first."""
    return next((move.version for move in history if move.activated_at < moment), None)


def line_of_succession(history: Sequence[Activation]) -> list[str]:
    """The versions that led to the active one, which is last; *history* has the newest first.

    Going back to a version undoes what came after it, so that two rollbacks in a row go back two.
    """
    line: list[str] = []
    for activation in reversed(history):
        if activation.version in line:
            del line[line.index(activation.version) + 1 :]
        else:
            line.append(activation.version)
    return line
