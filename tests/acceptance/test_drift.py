"""Steps of features/drift.feature."""

from datetime import UTC, date, time, timedelta

import pytest
from attrs import define
from pytest_bdd import given, parsers, scenarios, then, when

from ree.adapters import version_objects
from ree.adapters.drift_log import ObjectDriftLog
from ree.adapters.table import NumpyTable
from ree.adapters.tally import NumpyTally
from ree.application.check_drift import CheckDrift
from ree.application.fetch_month import FetchMonth
from ree.application.merge_sales import MergeSales
from ree.domain.drift import DriftReport, DriftVerdict
from ree.domain.errors import FutureSale, ModelNotReady, NoDistributions
from ree.domain.model import Kind, Recipe, TrainingRecord
from ree.domain.turnover import Period

from .conftest import FIRST, World, kroner
from .town import per_sqm

scenarios("drift.feature")

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
MONTHS = {f"{month.start:%B}": month for month in YEAR.months()}
APRIL = MONTHS["April"]


@define
class Lookout:
    """Looks for drift in the world of a scenario."""

    world: World
    report: DriftReport | None = None
    earlier: DriftReport | None = None

    @property
    def log(self) -> ObjectDriftLog:
        return ObjectDriftLog(self.world.model_storage)

    def look(self, period: Period | None) -> None:
        world = self.world
        world.before = world.contents()
        check = CheckDrift(
            world.registry,
            FetchMonth(world.town, world.snapshots, NumpyTable()),
            MergeSales(world.snapshots, NumpyTable()),
            NumpyTally(),
            self.log,
            world.clock,
        )
        world.attempt(lambda: check(period))
        self.report = world.answers

    def verdict(self, feature: str) -> DriftVerdict:
        assert self.report is not None
        return next(one.verdict for one in self.report.features if one.feature == feature)


@pytest.fixture
def lookout(world: World, monkeypatch: pytest.MonkeyPatch) -> Lookout:
    monkeypatch.setattr(version_objects, "html_report", lambda _: "nobody reads it here")
    return Lookout(world)


@given(
    parsers.re(r"a month has (?P<some>\d+) sales of an? (?P<kind>\w+) and (?P<flats>\d+) of a .*")
)
def _(world: World, some: str, kind: str, flats: str) -> None:
    world.town.a_month = {kind: int(some), "leilighet": int(flats)}


@given("homes are priced by a model of January to March")
def _(lookout: Lookout) -> None:
    world = lookout.world
    world.trainer.miss = 0
    world.retrain(FIRST)
    assert world.run is not None
    assert world.run.activated


@given("homes are priced by a version from before drift was looked for")
def _(world: World) -> None:
    version = world.registry.publish(
        per_sqm(50_000), TrainingRecord(Kind.TRAINED, Recipe("old"), {})
    )
    world.activate(version.version, by="test", why="a test")


@given("April was looked at")
def _(lookout: Lookout) -> None:
    lookout.look(APRIL)
    lookout.earlier = lookout.report


@when(parsers.re(r"homes sell for (?P<price>\d[\d ]*) kr in April"))
def _(lookout: Lookout, price: str) -> None:
    lookout.world.town.prices[APRIL.start] = kroner(price)
    lookout.look(APRIL)


@when(parsers.re(r"(?P<sales>\d+) homes sell for (?P<price>\d[\d ]*) kr in April"))
def _(lookout: Lookout, sales: str, price: str) -> None:
    lookout.world.town.in_month[APRIL.start] = {"leilighet": int(sales)}
    lookout.world.town.a_month = {}
    lookout.world.town.prices[APRIL.start] = kroner(price)
    lookout.look(APRIL)


@when(
    parsers.re(r"(?P<some>\d+) of 400 homes that are sold in April are a (?P<kind>hytte|leilighet)")
)
def _(lookout: Lookout, some: str, kind: str) -> None:
    other = next(name for name in lookout.world.town.a_month if name != kind)
    lookout.world.town.in_month[APRIL.start] = {kind: int(some), other: 400 - int(some)}
    lookout.look(APRIL)


@when(parsers.re(r"(?P<month>\w+) is looked at"))
def _(lookout: Lookout, month: str) -> None:
    lookout.look(MONTHS[month])


@when("April is looked at again the day after")
def _(lookout: Lookout) -> None:
    lookout.world.clock.today += timedelta(days=1)
    lookout.look(APRIL)


@given(parsers.parse("it is {clock:d} minutes past midnight in Oslo on 1 June"))
def _(lookout: Lookout, clock: int) -> None:
    lookout.world.clock.today = date(2026, 5, 31)
    lookout.world.clock.at = time(22, clock, tzinfo=UTC)


@when("nobody says which month to look at")
def _(lookout: Lookout) -> None:
    lookout.look(None)


@then(parsers.re(r"the price level is (?P<verdict>\w+)"))
def _(lookout: Lookout, verdict: str) -> None:
    assert lookout.verdict("price_level").value == verdict


@then(parsers.re(r"the type is (?P<verdict>\w+)"))
def _(lookout: Lookout, verdict: str) -> None:
    assert lookout.verdict("realestate_type").value == verdict


@then(parsers.re(r"the month is (?P<verdict>\w+)"))
def _(lookout: Lookout, verdict: str) -> None:
    assert lookout.report is not None
    assert lookout.report.verdict.value == verdict


@then("the report is the one of before")
def _(lookout: Lookout) -> None:
    assert lookout.report is not None
    assert lookout.earlier is not None
    assert lookout.report.checked_at == lookout.earlier.checked_at


@then("it is May 2026")
def _(lookout: Lookout) -> None:
    assert lookout.report is not None
    assert lookout.report.period == MONTHS["May"]


@then("the newest report is of May 2026")
def _(lookout: Lookout) -> None:
    active = lookout.world.active
    assert active is not None
    newest = lookout.log.newest(active)
    assert newest is not None
    assert newest.period == MONTHS["May"]


@then("the report says that the model was trained on sales of the month")
def _(lookout: Lookout) -> None:
    assert lookout.report is not None
    assert lookout.report.known_sales


@then("it fails because the version keeps nothing of its training data")
def _(world: World) -> None:
    assert isinstance(world.error, NoDistributions)


@then("there is no report")
def _(world: World) -> None:
    assert not world.model_storage.keys("drift/")


@then("it fails because no model is active")
def _(world: World) -> None:
    assert isinstance(world.error, ModelNotReady)


@then("it fails because the month is not over")
def _(world: World) -> None:
    assert isinstance(world.error, FutureSale)
