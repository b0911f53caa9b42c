"""Steps of features/gating.feature."""

from datetime import date, timedelta

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from ree.domain.errors import RejectedVersion, StorageError, UnreadableVersion
from ree.domain.estimate import Home, PriceEstimate
from ree.domain.gating import Outcome
from ree.domain.model import Status
from ree.domain.turnover import Period

from .conftest import FIRST, NEWER, World, kroner
from .town import home

scenarios("gating.feature")

ERROR = r"(?P<error>\d[\d ]*) kr"


@given(parsers.re(rf"a naive price per square metre misses by {ERROR}"))
def _(world: World, error: str) -> None:
    world.trainer.naive_miss = kroner(error)


@given(parsers.re(rf"homes are priced by a model that misses by {ERROR}"))
def _(world: World, error: str) -> None:
    world.trainer.miss = kroner(error)
    world.retrain(FIRST)
    assert world.run is not None
    assert world.run.activated
    world.previous = world.active


@given("homes are priced by a stub")
def _(world: World) -> None:
    world.previous = world.bootstrap(by="test").version


@given(
    parsers.re(
        r"a month has (?P<houses>\d+) sales of an enebolig and (?P<flats>[\d ]+) of a leilighet"
    )
)
def _(world: World, houses: str, flats: str) -> None:
    world.town.a_month = {"enebolig": int(houses), "leilighet": kroner(flats)}


@given(parsers.parse("only {sales:d} homes were sold since"))
def _(world: World, sales: int) -> None:
    world.town.in_month[date(2026, 4, 1)] = {"leilighet": sales}


@given(parsers.parse("at least {rows:d} sales are needed to train"))
def _(world: World, rows: int) -> None:
    world.limits(min_rows=rows)


@given(parsers.parse("the limits on MAE, MdAPE and P90 are {percent:d} %"))
def _(world: World, percent: int) -> None:
    world.limits(overall_limit=percent / 100, enebolig_limit=percent / 100)


@given("its stored model is damaged")
def _(world: World) -> None:
    world.model_storage.damaged.add(f"models/{world.previous}/model.npz")


@given(parsers.parse("only {sales:d} homes were sold before the last month of the window"))
def _(world: World, sales: int) -> None:
    world.town.a_month = {"leilighet": 600}
    world.town.in_month[date(2026, 2, 1)] = {"leilighet": sales}
    world.town.in_month[date(2026, 3, 1)] = {}


@given("its training manifest is lost")
def _(world: World) -> None:
    world.model_storage.lost.add(f"models/{world.previous}/training_manifest.json")


@given(parsers.parse("its training manifest says that it was trained until {day}"))
def _(world: World, day: str) -> None:
    key = f"models/{world.previous}/training_manifest.json"
    body = world.model_storage.get(key).body
    world.model_storage.exchanged[key] = body.replace(b"2026-03-31", day.encode())
    assert world.model_storage.get(key).body != body


@given("the new model's stored model is damaged")
def _(world: World) -> None:
    world.previous = world.active
    world.model_storage.damaged.add(f"models/{world.active}/model.npz")


@given("the storage fails when the pointer is read")
def _(world: World) -> None:
    world.model_storage.failing.add("latest.json")


@given(parsers.re(rf"a model that misses by {ERROR} was trained on newer sales"))
@when(parsers.re(rf"a model that misses by {ERROR} is trained on newer sales"))
def _(world: World, error: str) -> None:
    world.trainer.miss = kroner(error)
    world.retrain(NEWER)


@when(
    parsers.re(rf"a model that misses by {ERROR} is trained on newer sales, accepting what is .*")
)
def _(world: World, error: str) -> None:
    world.trainer.miss = kroner(error)
    world.retrain(NEWER, accept_inconclusive=True)


@when(
    parsers.re(
        rf"a model that misses by {ERROR} is trained on newer sales, "
        r'replacing the unreadable one because "(?P<why>.+)"'
    )
)
def _(world: World, error: str, why: str) -> None:
    world.trainer.miss = kroner(error)
    world.retrain(NEWER, replace_unreadable=why)


@when(
    parsers.re(
        r"a model that misses by (?P<error>[\d ]+) kr, and by (?P<houses>[\d ]+) kr for an "
        r"enebolig, is trained on newer sales"
    )
)
def _(world: World, error: str, houses: str) -> None:
    world.trainer.miss, world.trainer.enebolig_miss = kroner(error), kroner(houses)
    world.retrain(NEWER)


@when(parsers.re(rf"a model that misses by {ERROR} for an enebolig is trained on newer sales"))
def _(world: World, error: str) -> None:
    world.trainer.enebolig_miss = kroner(error)
    world.retrain(NEWER)


@when(parsers.re(rf"a model that misses by {ERROR} is trained on one month"))
def _(world: World, error: str) -> None:
    world.trainer.miss = kroner(error)
    world.retrain(Period(date(2026, 1, 1), date(2026, 1, 31)))


@when(parsers.re(rf"a model that misses by {ERROR} is trained on a window that overlaps its own"))
def _(world: World, error: str) -> None:
    world.trainer.miss = kroner(error)
    world.retrain(Period(date(2026, 1, 15), date(2026, 3, 31)), accept_inconclusive=True)
    assert world.check("overall_mae").outcome is Outcome.INCONCLUSIVE
    world.retrain(Period(FIRST.start, date(2026, 4, 20)))
    world.retrain(NEWER)


@when(parsers.parse("a model whose {metric} cannot be told is trained on newer sales"))
def _(world: World, metric: str) -> None:
    world.evaluator.untold = metric
    world.retrain(NEWER)


@when(
    parsers.re(
        r"a model whose intervals hold (?P<inside>[\d ]+) of 1 000 prices is trained on newer sales"
    )
)
def _(world: World, inside: str) -> None:
    _sure(world, {"leilighet": kroner(inside)})
    assert world.check("overall_coverage").figures["covered"] == kroner(inside) / 1_000


@when(
    parsers.re(
        r"a model whose intervals hold the prices of (?P<inside>[\d ]+) flats and of no enebolig "
        r"is trained on newer sales"
    )
)
def _(world: World, inside: str) -> None:
    _sure(world, {"leilighet": kroner(inside)})


def _sure(world: World, inside: dict[str, int]) -> None:
    """Intervals reach down to what homes sell for, and hold none that sells for a krone less."""
    world.trainer.margin = world.trainer.miss
    world.town.a_krone_less = {
        kind: count - inside.get(kind, 0) for kind, count in world.town.a_month.items()
    }
    world.retrain(NEWER)


@given("the registry was rolled back")
def _(world: World) -> None:
    world.roll_back(by="test", why="a test")


@when("the same period is trained again")
def _(world: World) -> None:
    world.retrain(NEWER)


@when(
    parsers.parse('the same period is trained again, replacing the unreadable one because "{why}"')
)
def _(world: World, why: str) -> None:
    world.clock.today += timedelta(days=1)
    world.retrain(NEWER, replace_unreadable=why)


@then(parsers.re(r"homes are priced by the (?P<which>new|previous) model"))
def _(world: World, which: str) -> None:
    assert world.run is not None
    valued = Home("1", home(), date(2026, 5, 1))
    (estimate,) = world.estimate([valued])
    assert isinstance(estimate, PriceEstimate)
    expected = world.run.model_version if which == "new" else world.previous
    assert estimate.model_version == expected
    assert (world.run.model_version != world.previous) or world.run.reused


@then("no model is active")
def _(world: World) -> None:
    assert world.active is None


@then("the gate refuses it for")
def _(world: World, datatable: list[list[str]]) -> None:
    assert world.run is not None
    assert world.run.verdict is not None
    refused = {check.rule: check.figures for check in world.run.verdict.blocking}
    assert list(refused) == [row[0] for row in datatable[1:]]
    for rule, candidate, active in datatable[1:]:
        assert refused[rule]["candidate"] == pytest.approx(float(candidate))
        assert refused[rule]["active"] == pytest.approx(float(active))


@then("its version is kept among the rejected")
def _(world: World) -> None:
    assert world.run is not None
    assert world.run.model_version is not None
    assert world.registry.version(world.run.model_version).status is Status.REJECTED


@then("it cannot be activated")
def _(world: World) -> None:
    assert world.run is not None
    version = world.run.model_version
    assert version is not None
    with pytest.raises(RejectedVersion):
        world.activate(version, by="test", why="anyway")


@then(parsers.re(r"the rule (?P<rule>\w+) is (?P<outcome>\w+)"))
def _(world: World, rule: str, outcome: str) -> None:
    assert world.check(rule).outcome.value == outcome


@then("the report says that inconclusive rules were accepted")
def _(world: World) -> None:
    assert world.run is not None
    assert world.run.verdict is not None
    assert world.run.verdict.accept_inconclusive
    assert world.check("overall_mae").outcome is Outcome.INCONCLUSIVE


@then("the models were compared on the sales after the active one's training only")
def _(world: World) -> None:
    assert world.run is not None
    assert world.run.evaluation is not None
    after = Period(date(2026, 4, 21), date(2026, 4, 30))
    april = Period(date(2026, 4, 1), date(2026, 4, 30))
    assert world.check("overall_mae").figures["n"] == len(list(world.town.sold(after)))
    assert world.run.evaluation.overall.n == len(list(world.town.sold(april)))


@then(parsers.parse("the comparisons do not apply because of {reason}"))
def _(world: World, reason: str) -> None:
    for rule in ("overall_mae", "overall_wape", "enebolig_mae", "enebolig_p90"):
        assert world.check(rule).outcome is Outcome.NOT_APPLICABLE
        assert world.check(rule).figures["reason"] == reason


@then("the run fails because the active version cannot be read")
def _(world: World) -> None:
    assert isinstance(world.error, UnreadableVersion)


@then("the run fails because of the storage")
def _(world: World) -> None:
    assert type(world.error) is StorageError
    world.model_storage.failing.clear()


@then("the active version is still the previous one")
def _(world: World) -> None:
    assert world.active == world.previous


@then(parsers.parse('the last activation tells "{why}"'))
def _(world: World, why: str) -> None:
    assert why in world.registry.history()[0].why


@then("the models were compared")
def _(world: World) -> None:
    assert world.check("overall_mae").outcome is Outcome.PASSED
    assert world.run is not None
    assert world.run.unreadable_replaced is None


@then(parsers.parse('the last activation does not tell "{why}"'))
def _(world: World, why: str) -> None:
    assert world.active != world.previous
    assert why not in world.registry.history()[0].why


@then("the earlier report is given again")
def _(world: World) -> None:
    assert world.run is not None
    assert world.run.reused
