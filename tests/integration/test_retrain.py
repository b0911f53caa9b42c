"""From the market to the active model, over real adapters."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from attrs import define, evolve, field
from dependency_injector import providers
from threadpoolctl import threadpool_limits

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.file_objects import FileObjects
from ree.adapters.objects import ObjectStore, Stored
from ree.adapters.settings import Settings
from ree.adapters.sklearn_model import SklearnTrainer
from ree.application.retrain_period import RetrainRequest
from ree.container import Container
from ree.domain.dataset import Dataset, counts
from ree.domain.errors import (
    FutureSale,
    MarketError,
    StorageError,
    UnreadableVersion,
)
from ree.domain.explanation import GROUPS
from ree.domain.gating import Outcome
from ree.domain.model import Activation, ConditionalWrites, Recipe, Status
from ree.domain.property import Property
from ree.domain.run import Ending, Run
from ree.domain.turnover import Period, Turnover, Unit
from ree.domain.verification import Soundness

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
BOTH = Period(date(2026, 1, 1), date(2026, 2, 28))
PER_DAY = 25
LEVELS = {"0301": 90_000, "4601": 60_000, "3403": 35_000}
PLANTED = {
    "duplicate_turnover": 1,
    "invalid:turnover_date": 1,
    "outside_period": 1,
    "multi_unit": 1,
    "invalid:price": 1,
    "unmatched:unit": 1,
    "multi_property": 1,
    "unmatched:property": 1,
    "resale_within_window": 1,
    "missing:floor_for_leilighet": 1,
    "missing:lat,lon": 1,
    "outlier:price_per_sqm": 1,
}
"""What is wrong with the sales of each month."""


def home(number: int) -> Property:
    """A home whose price follows from its features, but for some percent."""
    random = Random(number)
    kind = random.choice(["enebolig", "leilighet", "rekkehus"])
    area = random.randint(40, 200)
    return Property(
        kind,
        random.choice(sorted(LEVELS)),
        random.uniform(59, 61),
        random.uniform(5, 11),
        random.randint(1900, 2020),
        area * 1.2,
        area,
        random.randint(1, 8) if kind == "leilighet" else None,
        random.randint(1, 5),
        None,
    )


@define
class Market:
    """Some 25 sales a day, always the same ones, and in each month one of every fault."""

    calls: int = 0
    level: float = 1.0
    noise: float = 0.15
    per_day: int = PER_DAY
    fails_from: date = date.max

    def turnovers(self, period: Period) -> Iterator[Turnover]:
        self.calls += 1
        if period.end >= self.fails_from:
            raise MarketError("The market is closed.")
        for ordinal in range(period.start.toordinal(), period.end.toordinal() + 1):
            for number in range(ordinal * 100, ordinal * 100 + self.per_day):
                yield self._sale(number)
        yield from self._faulty(period.start)

    def units(self, ids: Sequence[int]) -> Mapping[int, Unit]:
        self.calls += 1
        units = {id_: Unit(f"0301-1/1/0/{id_}", (id_ // 10,)) for id_ in ids if id_ % 10 < 8}
        units |= {id_: Unit("", (id_ // 10, 1)) for id_ in ids if id_ % 10 == 8}
        return units

    def properties(self, ids: Sequence[int]) -> Mapping[int, Property]:
        self.calls += 1
        faults: dict[int, dict[str, Any]] = {
            92: {"realestate_type": "leilighet", "floor": None},
            93: {"lat": None, "lon": None},
        }
        return {
            id_: evolve(home(id_), **faults.get(id_ % 100, {})) for id_ in ids if id_ % 100 != 91
        }

    def _sale(self, number: int, unit: int | None = None) -> Turnover:
        sold = home(number)
        area, place = sold.usable_area or 0, sold.municipality_number or ""
        newness = ((sold.built_year or 0) - 1960) / 100
        level = LEVELS[place] * self.level * (1 + newness)
        per_sqm = level * Random(-number).lognormvariate(0, self.noise)
        day = date.fromordinal(number // 100)
        unit = unit or 10 * number
        return Turnover((unit,), round(area * per_sqm), f"{day}T12:00:{number % 100 % 60:02}Z")

    def _faulty(self, day: date) -> Iterator[Turnover]:
        first = day.toordinal() * 100
        yield self._sale(first)
        yield evolve(self._sale(first + 80), turnover_date=f"{day}")
        yield evolve(self._sale(first + 81), turnover_date=f"{day - timedelta(days=1)}T12:00:00Z")
        yield evolve(self._sale(first + 82), cadastral_unit_ids=(1, 2))
        yield evolve(self._sale(first + 83), price=0)
        yield self._sale(first + 84, unit=10 * first + 849)
        yield self._sale(first + 85, unit=10 * first + 858)
        yield self._sale(first + 91)
        yield evolve(self._sale(first + 1), turnover_date=f"{day + timedelta(days=3)}T08:00:00Z")
        yield self._sale(first + 92)
        yield self._sale(first + 93)
        yield evolve(self._sale(first + 94), price=999)


@define
class Clock:
    moment: datetime = datetime(2026, 3, 2, 6, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()


@define
class Storage:
    """A store that can be told to fail."""

    inner: ObjectStore
    fails: Callable[[str, str], bool] = field(default=lambda action, key: False)

    def _try(self, action: str, key: str) -> ObjectStore:
        if self.fails(action, key):
            raise StorageError("The network is down.")
        return self.inner

    def get(self, key: str) -> Stored:
        return self._try("get", key).get(key)

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        return self._try("get", key).get_if_changed(key, token)

    def create(self, key: str, body: bytes) -> None:
        self._try("create", key).create(key, body)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        self._try("replace", key).replace(key, body, token=token)

    def keys(self, prefix: str) -> list[str]:
        return self._try("keys", prefix).keys(prefix)

    def conditional_writes(self) -> ConditionalWrites:
        return self.inner.conditional_writes()


class QuickTrainer(SklearnTrainer):
    """The real one with fewer trees."""

    def recipe(self, name: str) -> Recipe:
        few = {"max_iter": 40, "origins": (0.8, 0.9)}
        return Recipe(name, {**super().recipe(name).settings, **few})


def of_double_prices(trainer: SklearnTrainer, dataset: Dataset, recipe: Recipe) -> BoostedTrees:
    """A fit that no gate may let through."""
    columns = {**dataset.columns, "price": 2 * dataset.columns["price"]}
    return SklearnTrainer.fit(trainer, Dataset(columns), recipe)


@define
class World:
    """A company with its storage."""

    folder: Path
    container: Container
    market: Market
    clock: Clock
    models: Storage

    def retrain(self, period: Period = JANUARY, **options: Any) -> Run:
        """An hour after the last time."""
        self.clock.moment += timedelta(hours=1)
        request = RetrainRequest(period, asked_by="me", recipe="fast", **options)
        run: Run = self.container.retrain_period()(request)
        return run

    @property
    def active(self) -> Activation | None:
        active: Activation | None = self.container.registry().active()
        return active

    def stored(self, below: str = "") -> dict[str, bytes]:
        """Every object, by the place of its file."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        bodies = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}
        return {
            name: body
            for name, body in bodies.items()
            if name.startswith(below) and "/." not in name
        }

    def versions(self) -> set[str]:
        """All folders of versions, complete or not."""
        return {
            name.split("/")[2]
            for name in self.stored("ree-models/")
            if name.split("/")[1] in ("models", "rejected")
        }


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where cores are shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def world(tmp_path: Path) -> World:
    container = Container()
    settings = Settings(storage_path=tmp_path, train_min_rows=300)
    market, clock = Market(), Clock()
    models = Storage(FileObjects(tmp_path / "ree-models"))
    overrides: list[tuple[Any, Any]] = [
        (container.settings, settings),
        (container.market, market),
        (container.clock, clock),
        (container.model_objects, models),
        (container.trainer, QuickTrainer()),
        (container.evaluator, NumpyEvaluator(resamples=50)),
    ]
    for provider, value in overrides:
        provider.override(providers.Object(value))
    return World(tmp_path, container, market, clock, models)


def outcomes(run: Run) -> dict[str, Outcome]:
    assert run.verdict is not None
    return {check.rule: check.outcome for check in run.verdict.checks}


# The funnel


@pytest.mark.parametrize(("period", "months", "days"), [(JANUARY, 1, 31), (BOTH, 2, 59)])
def test_every_turnover_is_accounted_for(
    world: World, period: Period, months: int, days: int
) -> None:
    manifest = world.retrain(period, dry_run=True).manifest
    assert manifest.funnel.dropped == {name: n * months for name, n in sorted(PLANTED.items())}
    stages = manifest.funnel.stages
    assert stages[0].incoming == PER_DAY * days + 12 * months
    for before, after in zip(stages, [*stages[1:], None], strict=True):
        assert before.incoming == before.outgoing + sum(before.dropped.values())
        assert after is None or after.incoming == before.outgoing
    assert counts(manifest)["rows_trainable"] == PER_DAY * days
    parquet = world.stored("ree-snapshots/datasets/")
    (body,) = [body for name, body in parquet.items() if name.endswith("/dataset.parquet")]
    table = pq.read_table(BytesIO(body))
    assert table.num_rows == len(set(table["property_id"].to_pylist())) == PER_DAY * days


def test_a_months_manifest_goes_on_to_its_own_trainable_rows(world: World) -> None:
    manifest = world.retrain(BOTH, dry_run=True).manifest
    per_month = Counter(counts(month)["rows_trainable"] for month in manifest.snapshots)
    assert per_month == {PER_DAY * 31: 1, PER_DAY * 28: 1}


OLD = {"4601": "1201", "3403": "0403"}


@define
class BeforeTheReforms(Market):
    """The same sales under the numbers of 2019."""

    def properties(self, ids: Sequence[int]) -> Mapping[int, Property]:
        told = super().properties(ids)
        return {
            id_: evolve(sold, municipality_number=OLD.get(sold.municipality_number or "", "0301"))
            for id_, sold in told.items()
        }


def test_sales_under_numbers_of_before_are_trained_on_under_those_of_today(world: World) -> None:
    """And what was fetched is kept as it was sent."""
    new = world.retrain(publish=False)
    today = world.stored("ree-snapshots/")
    for path in world.folder.joinpath("ree-snapshots").rglob("*"):
        if path.is_file():
            path.unlink()
    world.container.market.override(providers.Object(BeforeTheReforms()))
    old = world.retrain(publish=False)
    before = world.stored("ree-snapshots/")

    def ending(objects: Mapping[str, bytes], suffix: str) -> bytes:
        (body,) = [body for name, body in objects.items() if name.endswith(suffix)]
        return body

    tables = [pq.read_table(BytesIO(ending(of, "dataset.parquet"))) for of in (today, before)]
    assert tables[0].equals(tables[1])
    assert old.evaluation == new.evaluation
    rows = ending(before, "rows_raw.jsonl")
    assert b'"municipality_number":"1201"' in rows
    assert b'"municipality_number":"4601"' not in rows
    places = tables[1]["municipality_number"].to_pylist()
    concerned = sum(place in (4601, 3403) for place in places)
    assert old.warnings == {"renumbered:municipality_number": concerned}
    assert 0 < concerned < len(places)
    assert new.warnings == {}
    assert world.container.runs().run(old.run_id).warnings == old.warnings


# The first model


def test_the_first_model_that_beats_the_baseline_becomes_active(world: World) -> None:
    run = world.retrain()
    assert run.ending is Ending.ACTIVATED
    assert run.activated
    assert not run.reused
    assert world.active is not None
    assert (world.active.version, world.active.previous) == (run.model_version, None)
    assert world.active.activated_by == "me"
    assert run.evaluation is not None
    assert run.baseline is not None
    assert run.evaluation.overall.mae < run.baseline.overall.mae
    steps = {"fetch", "validate", "track", "evaluate", "gate", "train", "publish"}
    assert set(run.steps) == steps
    told = outcomes(run)
    assert told["overall_coverage"] is Outcome.PASSED
    assert told["leilighet_coverage"] is Outcome.INCONCLUSIVE  # fewer than 200 were sold
    rest = {outcome for rule, outcome in told.items() if not rule.endswith("_coverage")}
    assert rest == {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    assert [found.run_id for found in world.container.runs().runs()] == [run.run_id]


def test_the_version_knows_where_it_comes_from(world: World) -> None:
    run = world.retrain()
    loaded = world.container.latest_model().current()
    record = loaded.version.record
    assert (record.run_id, record.run_key) == (run.run_id, run.key)
    assert record.dataset == run.manifest
    assert record.trained_until == JANUARY.end
    assert record.champion is None
    assert record.environment == world.container.environment()
    assert record.evaluation_digest not in (None, loaded.version.model_digest)
    assert loaded.model.digest == loaded.version.model_digest


def test_the_version_tells_how_its_estimates_lie_around_prices(world: World) -> None:
    run = world.retrain()
    record = world.container.latest_model().current().version.record
    assert record.evaluation is not None
    assert record.baseline is not None
    residuals, sold = record.evaluation.residuals, record.evaluation.overall.n
    assert residuals is not None
    for spreads in (residuals.by_week, residuals.by_price):
        assert sum(part.spread.n for part in spreads) == sold
    assert sum(place.n for place in residuals.places.values()) == sold
    assert sum(cell.n for cell in residuals.cells) == sold
    assert set(record.evaluation.drivers) == set(GROUPS)
    assert sum(driver.share for driver in record.evaluation.drivers.values()) == pytest.approx(1)
    assert (record.baseline.residuals, record.baseline.drivers) == (None, {})
    # Runs are many and read all at once: what only a report draws is with the version.
    (told,) = world.container.runs().runs()
    assert told.evaluation == run.evaluation == record.evaluation.brief
    assert told.evaluation.residuals is None


def test_the_holdout_is_newer_than_what_the_evaluated_model_saw(world: World) -> None:
    run = world.retrain()
    # The newest fifth of 31 days begins within the 25th, which is not split.
    assert run.evaluation is not None
    assert run.evaluation.overall.n == 7 * PER_DAY


# Reruns


def test_a_second_run_changes_nothing_and_asks_nobody(world: World) -> None:
    first = world.retrain()
    before, calls = world.stored(), world.market.calls
    second = world.retrain()
    assert second == evolve(first, reused=True)
    assert world.stored() == before
    assert world.market.calls == calls


def test_a_dry_run_stops_after_the_dataset(world: World) -> None:
    run = world.retrain(dry_run=True)
    assert (run.ending, run.model_version, run.verdict) == (Ending.SNAPSHOTS_ONLY, None, None)
    assert world.versions() == set()
    assert world.active is None
    calls = world.market.calls
    assert world.retrain().ending is Ending.ACTIVATED
    assert world.market.calls == calls


def test_without_publishing_there_is_a_verdict_and_no_version(world: World) -> None:
    run = world.retrain(publish=False)
    assert run.ending is Ending.NOT_PUBLISHED
    assert run.verdict is not None
    assert run.verdict.passed
    assert world.versions() == set()
    assert world.active is None
    assert world.retrain().ending is Ending.ACTIVATED


def test_a_forced_fetch_is_kept_beside_the_first(world: World) -> None:
    first = world.retrain()
    before = world.stored("ree-snapshots/")
    again = world.retrain(force_fetch=True)
    assert again.reused
    world.market.level = 1.01
    changed = world.retrain(force_fetch=True, accept_inconclusive=True)
    assert changed.ending is Ending.ACTIVATED
    assert changed.model_version != first.model_version
    # No sale of the period is new to the active model, so that nothing can be compared.
    assert outcomes(changed)["overall_mae"] is Outcome.INCONCLUSIVE
    after = world.stored("ree-snapshots/")
    assert before.items() <= after.items()
    assert len([name for name in after if name.endswith("rows_raw.jsonl")]) == 3
    assert len([name for name in after if name.endswith("dataset.parquet")]) == 2


def test_a_later_window_fetches_only_what_is_missing(world: World) -> None:
    world.retrain()
    calls = world.market.calls
    run = world.retrain(BOTH)
    assert world.market.calls == calls + 3
    assert len(run.manifest.snapshots) == 2


def test_a_fetch_that_fails_keeps_the_months_before(world: World) -> None:
    world.market.fails_from = date(2026, 2, 1)
    with pytest.raises(MarketError, match="closed"):
        world.retrain(BOTH)
    assert world.versions() == set()
    world.market.fails_from, calls = date.max, world.market.calls
    assert world.retrain(BOTH).ending is Ending.ACTIVATED
    assert world.market.calls == calls + 3


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        (datetime(2026, 1, 15, 1, tzinfo=UTC), True),
        (datetime(2026, 1, 31, 22, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), False),
    ],
)
def test_a_period_that_is_not_over_in_oslo_is_refused(
    world: World, now: datetime, refused: bool
) -> None:
    world.clock.moment = now - timedelta(hours=1)
    if not refused:
        world.retrain(dry_run=True)
        return
    with pytest.raises(FutureSale):
        world.retrain()
    assert world.market.calls == 0
    assert world.stored() == {}


# The gate


def test_a_later_model_is_compared_with_the_active_one_on_sales_new_to_both(world: World) -> None:
    first = world.retrain()
    second = world.retrain(BOTH)
    assert second.verdict is not None
    by_rule = {check.rule: check.figures for check in second.verdict.checks}
    assert second.evaluation is not None
    assert by_rule["overall_mae"]["n"] == second.evaluation.overall.n
    assert by_rule["overall_mae"]["candidate"] == second.evaluation.overall.mae
    assert second.model_version is not None
    version = world.container.registry().version(second.model_version)
    assert version.record.champion == first.model_version
    assert version.record.champion_trained_until == JANUARY.end


def test_a_model_that_learnt_nothing_is_rejected_and_the_active_one_stays(world: World) -> None:
    world.retrain()
    active = world.active
    world.market.noise = 2.0
    refused = world.retrain(BOTH, force_fetch=True)
    assert refused.ending is Ending.REFUSED
    assert Outcome.FAILED in outcomes(refused).values()
    assert world.active == active
    assert refused.model_version is not None
    version = world.container.registry().version(refused.model_version)
    assert version.status is Status.REJECTED
    before = world.stored()
    again = world.retrain(BOTH)
    assert (again.reused, again.run_id, again.ending) == (True, refused.run_id, Ending.REFUSED)
    assert world.stored() == before


@pytest.mark.parametrize("per_day", [0, 5])
def test_too_few_sales_train_nothing(world: World, per_day: int) -> None:
    world.market.per_day = per_day
    run = world.retrain()
    assert (run.ending, run.model_version) == (Ending.REFUSED, None)
    assert outcomes(run) == {"enough_rows": Outcome.FAILED}
    assert world.versions() == set()
    assert not world.retrain().reused


# Interruptions


def test_a_run_whose_activation_failed_is_completed_by_the_next(world: World) -> None:
    world.models.fails = lambda action, key: action == "replace"
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    (version,) = world.versions()
    world.models.fails = lambda action, key: False
    completed = world.retrain()
    assert (completed.ending, completed.model_version) == (Ending.ACTIVATED, version)
    assert completed.reused
    assert world.active is not None
    assert world.active.version == version
    assert world.versions() == {version}
    before = world.stored()
    assert world.retrain() == completed
    assert world.stored() == before


@pytest.mark.parametrize("later", [False, True])
def test_a_run_whose_report_is_missing_is_told_by_its_version(world: World, later: bool) -> None:
    world.models.fails = lambda action, key: action == "create" and key.startswith("runs/")
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    world.models.fails = lambda action, key: False
    assert world.active is not None
    version = world.active.version
    if later:
        world.retrain(BOTH)
    active = world.active
    told = world.retrain()
    assert told.reused
    assert (told.ending, told.model_version) == (Ending.ACTIVATED, version)
    assert world.active == active
    assert world.retrain() == told


def test_a_rejected_run_whose_report_is_missing_is_told_by_its_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuickTrainer, "fit", of_double_prices)
    world.models.fails = lambda action, key: action == "create" and key.startswith("runs/")
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    world.models.fails = lambda action, key: False
    told = world.retrain()
    assert (told.reused, told.ending) == (True, Ending.REFUSED)
    assert world.versions() == {told.model_version}
    assert world.active is None


@pytest.mark.parametrize(
    "missing", ["/model.npz", "/report.html", "/model.pkl", "/training_manifest.json"]
)
def test_an_incomplete_version_is_completed(world: World, missing: str) -> None:
    world.models.fails = lambda action, key: key.endswith(missing)
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    world.models.fails = lambda action, key: False
    run = world.retrain()
    assert run.ending is Ending.ACTIVATED
    assert world.versions() == {run.model_version}
    assert [found.version for found in world.container.registry().versions()] == [run.model_version]
    (report,) = world.container.runs().runs()
    assert report.run_id == run.run_id
    assert all(finding.soundness is not Soundness.BROKEN for finding in world.container.verify()())


@pytest.mark.parametrize("by", [None, "publish"])
def test_a_run_that_is_done_again_under_its_own_name_is_its_own(
    world: World, by: str | None
) -> None:
    """As a task is that was delivered again since its worker was killed."""
    if by:
        world.models.fails = lambda action, key: key.endswith("/training_manifest.json")
        with pytest.raises(StorageError, match="network"):
            world.retrain(run_id="20260201-030500-01234567")
        world.models.fails = lambda action, key: False
    run = world.retrain(run_id="20260201-030500-01234567")
    assert (run.run_id, run.ending, run.reused) == (
        "20260201-030500-01234567",
        Ending.ACTIVATED,
        False,
    )
    (report,) = world.container.runs().runs()
    assert report == run


# Two at once


def at_the_move(world: World, action: Callable[[], object]) -> None:
    """Lets somebody else in once, when the pointer is about to move."""
    done: list[bool] = []

    def let_in(what: str, key: str) -> bool:
        if (what, key) == ("replace", "latest.json") and not done:
            done.append(True)
            action()
        return False

    world.models.fails = let_in


def test_who_is_overtaken_stands_up_to_the_new_active_model(world: World) -> None:
    at_the_move(world, lambda: world.container.bootstrap()(by="somebody else"))
    run = world.retrain()
    assert run.ending is Ending.ACTIVATED
    second, first = world.container.registry().history()
    assert (first.activated_by, second.activated_by) == ("somebody else", "me")
    version = world.container.registry().version(str(run.model_version))
    assert version.record.champion == first.version == second.previous
    assert version.record.verdict is not None
    assert {check.figures.get("reason") for check in version.record.verdict.checks} >= {
        "active_is_stub"
    }


@pytest.mark.parametrize("when", ["train", "move"])
def test_who_is_overtaken_by_a_model_that_knows_its_holdout_is_refused(
    world: World, when: str
) -> None:
    others: list[Run] = []

    def overtake(step: str = "train", done: int = 0, total: int = 0) -> None:
        if step == "train" and not others:
            others.append(world.retrain(BOTH))

    if when == "move":
        at_the_move(world, overtake)
        run = world.retrain()
    else:
        run = world.retrain(progress=overtake)
    assert others[0].ending is Ending.ACTIVATED
    assert run.ending is Ending.REFUSED
    assert outcomes(run)["overall_mae"] is Outcome.INCONCLUSIVE
    assert world.active is not None
    assert world.active.version == others[0].model_version
    assert len(world.container.registry().history()) == 1
    assert world.container.registry().version(str(run.model_version)).status is Status.REJECTED


@pytest.mark.parametrize("mover", ["its own run", "somebody else"])
def test_who_helps_an_interrupted_run_and_is_overtaken_ends_well(world: World, mover: str) -> None:
    world.models.fails = lambda action, key: action == "replace"
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    (version,) = world.container.registry().versions()

    def overtake() -> None:
        if mover == "somebody else":
            world.container.bootstrap()(by="somebody else")
        else:
            world.container.activate()(version.version, by="its own run", why="a test")

    at_the_move(world, overtake)
    run = world.retrain()
    assert run.ending is Ending.ACTIVATED
    history = world.container.registry().history()
    assert run.reused is (mover == "its own run")
    assert history[0].version == run.model_version
    assert len(history) == (1 if mover == "its own run" else 2)


def test_a_published_version_that_was_damaged_is_trained_again(world: World) -> None:
    world.models.fails = lambda action, key: action == "replace"
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    (version,) = world.container.registry().versions()
    (world.folder / f"ree-models/models/{version.version}/model.npz").write_bytes(b"")
    world.models.fails = lambda action, key: False
    run = world.retrain()
    assert (run.ending, run.reused) == (Ending.ACTIVATED, False)
    assert run.model_version != version.version


def test_whose_version_an_equal_run_activated_first_has_activated_it(world: World) -> None:
    at_the_move(world, world.retrain)
    run = world.retrain()
    assert (run.ending, run.reused) == (Ending.ACTIVATED, False)
    (move,) = world.container.registry().history()
    assert move.version == run.model_version
    assert str(run.run_id) in move.why
    assert world.versions() == {run.model_version}
    (report,) = world.container.runs().runs()
    assert evolve(report, steps=run.steps, finished_at=run.finished_at) == run


def test_of_two_equal_runs_at_once_one_counts_and_both_tell_it(world: World) -> None:
    others: list[Run] = []

    def overtake(step: str, done: int, total: int) -> None:
        if step == "train" and not others:
            others.append(world.retrain())

    mine = world.retrain(progress=overtake)
    (other,) = others
    assert other.ending is Ending.ACTIVATED
    assert mine == evolve(other, reused=True)
    assert world.active is not None
    assert world.active.version == other.model_version
    assert len(world.container.registry().history()) == 1


def test_a_run_whose_report_another_one_wrote_first_still_ends_well(world: World) -> None:
    told: list[Run | None] = []

    def tell_first(action: str, key: str) -> bool:
        if action == "create" and key.startswith("runs/") and not told:
            told.append(None)
            (version,) = world.container.registry().versions()
            told[0] = world.container.retrain_period().find_earlier(version.record.run_key or "")
        return False

    world.models.fails = tell_first
    run = world.retrain()
    assert run.ending is Ending.ACTIVATED
    assert told[0] is not None
    assert told[0].run_id == run.run_id
    assert len(world.container.runs().runs()) == 1


# Failing storage, unreadable versions


@pytest.mark.parametrize("period", [JANUARY, BOTH])
def test_a_pointer_that_cannot_be_read_publishes_nothing(world: World, period: Period) -> None:
    world.retrain()
    before = world.stored("ree-models/")
    world.models.fails = lambda action, key: key == "latest.json"
    with pytest.raises(StorageError, match="network"):
        world.retrain(period)
    assert world.stored("ree-models/") == before


def test_a_first_run_with_a_pointer_that_cannot_be_read_publishes_nothing(world: World) -> None:
    world.models.fails = lambda action, key: key == "latest.json"
    with pytest.raises(StorageError, match="network"):
        world.retrain()
    assert world.stored("ree-models/") == {}


@pytest.fixture
def damaged(world: World) -> str:
    """An active version whose model has one bit flipped."""
    version = world.retrain().model_version
    path = world.folder / f"ree-models/models/{version}/model.npz"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    return str(version)


def test_an_unreadable_active_version_ends_the_run(world: World, damaged: str) -> None:
    before = world.stored("ree-models/")
    with pytest.raises(UnreadableVersion) as caught:
        world.retrain(BOTH)
    assert caught.value.version == damaged
    assert world.stored("ree-models/") == before


def test_an_unreadable_active_version_can_be_replaced_and_that_is_recorded(
    world: World, damaged: str
) -> None:
    run = world.retrain(BOTH, replace_unreadable="a disk died")
    assert run.ending is Ending.ACTIVATED
    assert run.unreadable_replaced == "a disk died"
    assert world.active is not None
    assert (world.active.version, world.active.previous) == (run.model_version, damaged)
    assert "a disk died" in world.active.why
    assert world.container.runs().run(run.run_id).unreadable_replaced == "a disk died"
    assert run.verdict is not None
    reasons = {check.figures.get("reason") for check in run.verdict.checks}
    assert "active_is_unreadable_and_replaced" in reasons
    assert outcomes(run)["beats_baseline"] is Outcome.PASSED


def test_a_missing_pointer_is_no_first_publication(world: World) -> None:
    world.retrain()
    (world.folder / "ree-models/latest.json").unlink()
    before = world.stored("ree-models/")
    with pytest.raises(StorageError, match=r"latest\.json is missing"):
        world.retrain(BOTH)
    assert world.stored("ree-models/") == before


def test_a_stub_gives_way_to_the_first_model_that_beats_the_baseline(world: World) -> None:
    stub = world.container.bootstrap()(by="me").version
    run = world.retrain()
    assert run.ending is Ending.ACTIVATED
    assert world.active is not None
    assert world.active.previous == stub
    assert outcomes(run)["overall_mae"] is Outcome.NOT_APPLICABLE
