"""What the core asks of the world. No bytes, paths, DataFrames or clients cross these.

The docstrings state what the contract suites check of every adapter.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from .appraisal import Appraisal
from .dataset import Dataset, DatasetManifest, MonthSnapshot, Sale
from .distribution import Distributions
from .drift import DriftReport, Observed
from .estimate import Home
from .evaluation import Comparison, Evaluation
from .funnel import Funnel
from .model import Activation, LoadedModel, ModelVersion, PriceModel, Recipe, TrainingRecord
from .order import Order
from .property import Property
from .residuals import Residuals
from .run import Run
from .track_record import TrackedMonth
from .turnover import Period, Turnover, Unit
from .verification import Finding


class Clock(Protocol):
    """The only way to tell the time."""

    def now(self) -> datetime:
        """The moment, in UTC."""

    def monotonic(self) -> float:
        """Seconds from some fixed point; only differences mean anything."""


class Progress(Protocol):
    """Somebody who wants to see how far a long task is."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


class Witness(Protocol):
    """Somebody who follows a run: every step as it begins and as it ends, and what it makes."""

    def begun(self, step: str, of: str) -> None:
        """*of* says which part of the step it is, as a month; empty where it has no parts."""

    def ended(self, step: str, of: str, seconds: float, *, failed: bool) -> None: ...

    def stored(self, version: ModelVersion) -> None:
        """A version is stored for good, published or rejected; getting active is another matter."""


class MarketData(Protocol):
    """Past sales and the homes they concern; MarketError when they cannot be had."""

    def turnovers(self, period: Period) -> Iterable[Turnover]:
        """All turnovers of the period as they are told, duplicates included."""

    def units(self, ids: Sequence[int]) -> Mapping[int, Unit]:
        """Cadastral units by id; unknown ones are absent."""

    def properties(self, ids: Sequence[int]) -> Mapping[int, Property]:
        """Properties by id; unknown ones are absent."""


class SnapshotStore(Protocol):
    """Fetched months and the datasets merged from them; nothing in it ever changes."""

    def newest(self, month: Period) -> MonthSnapshot | None:
        """The newest complete fetch of *month* that was made after its last day."""

    def add(
        self,
        month: Period,
        sales: Sequence[Sale],
        funnel: Funnel,
        *,
        cadastral_unit_ids: int,
        properties_matched: int,
        dry_run: bool,
    ) -> MonthSnapshot:
        """Keep a fetch, beside those that are there."""

    def sales(self, snapshot: MonthSnapshot) -> Sequence[Sale]:
        """The rows of a fetch, as they were; StorageError if they changed since."""

    def add_dataset(
        self,
        period: Period,
        dataset: Dataset,
        funnel: Funnel,
        snapshots: Sequence[MonthSnapshot],
        *,
        dry_run: bool,
    ) -> DatasetManifest:
        """Keep a dataset under its months' digests; one that is there is left as it is."""

    def dataset(self, manifest: DatasetManifest) -> Dataset:
        """The rows of a dataset, as they were; StorageError if they changed since."""

    def verify(self, of: DatasetManifest | None = None) -> Iterable[Finding]:
        """What is found of every object of a dataset and its months, or of all of them."""


class HomeColumns(Mapping[str, Any]):
    """Homes as columns by field, of equal length; NaN is unknown."""

    @abstractmethod
    def rows(self) -> Iterable[Mapping[str, float]]:
        """The homes one by one; for few of them that costs less."""


class Tabulate(Protocol):
    """Turns rows into columns."""

    def sales(self, sales: Sequence[Sale]) -> Dataset:
        """One entry a sale."""

    def homes(self, homes: Sequence[Home]) -> Mapping[str, Any]:
        """One entry a home, without a price; the day is the valuation's."""

    def renumber(self, columns: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[int]]:
        """The same rows under today's municipality numbers, and those that had another before.

        For rows that keep the rules.
        """


class Trainer(Protocol):
    """Fits models. The same dataset and recipe give the same digest."""

    def recipe(self, name: str) -> Recipe:
        """A recipe by name, with its settings."""

    def fit(self, dataset: Dataset, recipe: Recipe) -> PriceModel:
        """A model of these sales."""

    def confirm(self, model: PriceModel, sales: Dataset) -> None:
        """ModelsDisagree unless what is served prices these sales as what was fitted does."""

    def baseline(self, dataset: Dataset) -> PriceModel:
        """The naive model: median price per m2 of municipality and type."""

    def stub(self) -> PriceModel:
        """A plain price per m2, for an empty registry."""


class Evaluator(Protocol):
    """Measures estimates against prices."""

    def evaluate(self, sales: Dataset, appraisal: Appraisal) -> Evaluation:
        """Metrics of estimates of these sales and of their intervals, overall and by segment."""

    def residuals(self, sales: Dataset, estimate: Any) -> Residuals:
        """How estimates of these sales lie around the prices; the order of the sales is nothing."""

    def compare(self, sales: Dataset, candidate: Any, active: Any) -> Comparison:
        """Two sets of estimates of the same sales, with paired bootstrap intervals."""


class Tally(Protocol):
    """Counts how the features of sales are distributed; their order is nothing."""

    def distributions(self, sales: Dataset, estimate: Any) -> Distributions:
        """Of what a version was trained on, with its estimates of that, in bins for later."""

    def observe(self, sales: Dataset, estimate: Any, trained: Distributions) -> Observed:
        """Later sales, with a version's estimates of them, in the bins of its training data."""


class ModelRegistry(Protocol):
    """Every version; at most one of them is active. StorageError when storage fails."""

    def active(self) -> Activation | None:
        """The last move of the pointer; None only if there never was one."""

    def versions(self) -> Sequence[ModelVersion]:
        """All complete versions, rejected ones too, the newest first."""

    def version(self, version: str) -> ModelVersion:
        """One of them; UnknownVersion, UnreadableVersion."""

    def load(self, version: str) -> LoadedModel:
        """A verified model; UnknownVersion, UnreadableVersion."""

    def publish(self, model: PriceModel, record: TrainingRecord) -> ModelVersion:
        """Keep a model as a new version, among the rejected if its verdict says so.

        One model of one run and champion is one version, whoever publishes it how often: the first
        record counts.
        """

    def digests(self, model: PriceModel, record: TrainingRecord) -> Mapping[str, str]:
        """SHA-256, by name, of the objects of a version that a model and its record decide."""

    def activate(self, version: str, *, expected: str | None, by: str, why: str) -> Activation:
        """Make *version* active if *expected* still is and it can be loaded.

        UnknownVersion, UnreadableVersion, RejectedVersion, ActivationConflict; whatever fails,
        the pointer names the version it named before.
        """

    def history(self) -> Sequence[Activation]:
        """Every move of the pointer, the newest first."""

    def verify(self, version: str | None = None) -> Iterable[Finding]:
        """What is found of the pointer, its history, and a version or all; UnknownVersion."""


class RunLog(Protocol):
    """The reports of retrains."""

    def record(self, run: Run) -> None:
        """Keep a report; it is never changed."""

    def with_key(self, key: str) -> Run | None:
        """The report of the run that published or rejected a version under this key."""

    def runs(self) -> Sequence[Run]:
        """All of them, the newest first."""

    def run(self, run_id: str) -> Run:
        """One of them; UnknownRun."""

    def verify(self) -> Iterable[Finding]:
        """What is found of every report."""


class Orders(Protocol):
    """Retrains that were asked for; nothing in it ever changes. StorageError when storage fails."""

    def place(self, order: Order) -> Order:
        """Keep an order, or find the one that has its id already."""

    def order(self, order_id: str) -> Order:
        """One of them; UnknownOrder."""

    def claim(self, order_id: str, claimant: str) -> str:
        """Who may have it trained: the first who claimed it, ever."""

    def fail(self, order_id: str, reason: str) -> None:
        """Give it up; of several reasons the first is kept."""

    def failure(self, order_id: str) -> str | None:
        """Why it was given up, if it was."""

    def verify(self) -> Iterable[Finding]:
        """What is found of every object."""


class TrackLog(Protocol):
    """The months that versions were scored on."""

    def record(self, month: TrackedMonth) -> None:
        """Keep it; one that is there, of the same version and fetch, is left as it is."""

    def months(self) -> Sequence[TrackedMonth]:
        """Of all versions, the newest month first; of a version's fetches of a month the last."""

    def verify(self) -> Iterable[Finding]:
        """What is found of every month."""


class DriftLog(Protocol):
    """What looking for drift came to."""

    def record(self, report: DriftReport) -> DriftReport:
        """Keep a report; one of the same version, period and digest is left, and returned."""

    def newest(self, version: str) -> DriftReport | None:
        """Of the period that ends last; of several of that the one made last."""

    def verify(self) -> Iterable[Finding]:
        """What is found of every report."""


class ActiveModel(Protocol):
    """Where estimates get their model from."""

    def current(self) -> LoadedModel:
        """The model in use; ModelNotReady."""
