"""The world that the scenarios play in: the real use cases over in-memory adapters."""

from datetime import date
from typing import Any

import pytest
from attrs import define, evolve, field
from pytest_bdd import given, parsers, then

from ree.adapters.active_model import LatestModel
from ree.adapters.price_models import KINDS
from ree.adapters.registry import ObjectRegistry
from ree.adapters.runs import ObjectRuns
from ree.adapters.snapshots import ObjectSnapshots
from ree.adapters.table import NumpyTable
from ree.adapters.tally import NumpyTally
from ree.adapters.track_log import ObjectTrackLog
from ree.application.estimate_batch import EstimateBatch
from ree.application.fetch_month import FetchMonth
from ree.application.find_earlier import FindEarlier
from ree.application.merge_sales import MergeSales
from ree.application.retrain_period import RetrainPeriod, RetrainRequest
from ree.application.score_months import ScoreMonths
from ree.application.trial import TryCandidate
from ree.application.versions import Activate, Bootstrap, RollBack
from ree.domain.errors import ReeError
from ree.domain.gating import Check, GatingPolicy
from ree.domain.run import Run
from ree.domain.turnover import Period

from .town import Assessor, Clock, Forecaster, Storage, Sure, Town

FIRST = Period(date(2026, 1, 1), date(2026, 3, 31))
NEWER = Period(date(2026, 2, 1), date(2026, 4, 30))


@define
class World:
    """What a scenario can see and touch."""

    clock: Clock = field(factory=Clock)
    town: Town = field(factory=Town)
    trainer: Forecaster = field(factory=Forecaster)
    evaluator: Assessor = field(factory=Assessor)
    policy: GatingPolicy = field(factory=GatingPolicy)
    snapshot_storage: Storage = field(factory=Storage)
    model_storage: Storage = field(factory=Storage)
    max_batch: int = 10_000
    previous: str | None = None
    run: Run | None = None
    request: RetrainRequest | None = None
    error: ReeError | None = None
    before: dict[str, bytes] = field(factory=dict)
    answers: Any = None
    named: dict[str, str] = field(factory=dict)

    @property
    def registry(self) -> ObjectRegistry:
        return ObjectRegistry(self.model_storage, self.clock)

    @property
    def snapshots(self) -> ObjectSnapshots:
        return ObjectSnapshots(self.snapshot_storage, self.clock, "test")

    @property
    def track_log(self) -> ObjectTrackLog:
        return ObjectTrackLog(self.model_storage)

    @property
    def score_months(self) -> ScoreMonths:
        return ScoreMonths(
            self.registry,
            MergeSales(self.snapshots, NumpyTable()),
            self.evaluator,
            self.track_log,
            self.clock,
        )

    @property
    def estimate(self) -> EstimateBatch:
        return EstimateBatch(
            LatestModel(self.registry), NumpyTable(), {"0301", "3201"}, max_batch=self.max_batch
        )

    @property
    def activate(self) -> Activate:
        return Activate(self.registry)

    @property
    def roll_back(self) -> RollBack:
        return RollBack(self.registry)

    @property
    def bootstrap(self) -> Bootstrap:
        return Bootstrap(self.registry, self.trainer, {})

    @property
    def active(self) -> str | None:
        active = self.registry.active()
        return active.version if active else None

    def retrain(self, period: Period, **wishes: Any) -> None:
        """Run the use case; a ReeError is kept for the Then steps."""
        self.request = RetrainRequest(period, "test", **wishes)
        self.before = self.contents()
        self.town.asked.clear()
        runs = ObjectRuns(self.model_storage)
        use_case = RetrainPeriod(
            FetchMonth(self.town, self.snapshots, NumpyTable()),
            TryCandidate(self.trainer, self.evaluator),
            FindEarlier(self.registry, runs),
            self.score_months,
            MergeSales(self.snapshots, NumpyTable()),
            self.snapshots,
            self.registry,
            runs,
            NumpyTally(),
            self.policy,
            self.clock,
        )
        try:
            self.run = use_case(self.request)
        except ReeError as error:
            self.error = error

    def attempt(self, action: Any) -> None:
        """Do something that may be refused."""
        try:
            self.answers = action()
        except ReeError as error:
            self.error = error

    def contents(self) -> dict[str, bytes]:
        return self.snapshot_storage.contents() | self.model_storage.contents()

    def check(self, rule: str) -> Check:
        assert self.run is not None
        assert self.run.verdict is not None
        return next(check for check in self.run.verdict.checks if check.rule == rule)

    def limits(self, **limits: Any) -> None:
        self.policy = evolve(self.policy, **limits)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setitem(KINDS, Sure.kind, Sure)
    return World()


def kroner(text: str) -> int:
    """1 050 000 as it is written."""
    return int(text.replace(" ", ""))


@given("every home in town sold for 5 000 000 kr")
def _(world: World) -> None:
    assert all(sale.price == 5_000_000 for sale in world.town.sold(FIRST))


@given("nothing was ever published")
def _(world: World) -> None:
    assert world.active is None


@given(parsers.re(r"a month has (?P<sales>\d+) sales"))
def _(world: World, sales: str) -> None:
    world.town.a_month = {"leilighet": int(sales)}


@then("there is no new version")
def _(world: World) -> None:
    known = {key.split("/")[1] for key in world.before if key.startswith(("models/", "rejected/"))}
    assert {version.version for version in world.registry.versions()} == known


@then("no object in the storage has changed")
def _(world: World) -> None:
    assert world.contents() == world.before
