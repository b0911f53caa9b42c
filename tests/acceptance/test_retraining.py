"""Steps of features/retraining.feature."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq
from attrs import evolve
from pytest_bdd import given, parsers, scenarios, then, when

from ree.domain.dataset import counts
from ree.domain.errors import FutureSale
from ree.domain.turnover import Period, Unit

from .conftest import World
from .town import PRICE, Town, home, turnover

scenarios("retraining.feature")

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
DAY = date(2026, 1, 20)
NEW = 77


def _sold(town: Town, change: dict[str, Any] | None = None, **homes: Any) -> None:
    sale = turnover(NEW, DAY)
    town.extra.append(evolve(sale, **(change or {})))
    town.extra_units[NEW] = Unit("0301-7/7", (NEW,))
    town.extra_homes[NEW] = home(**homes)


def _twice(town: Town) -> None:
    town.extra.append(next(iter(town.sold(JANUARY))))


def _again(town: Town) -> None:
    first = next(iter(town.sold(JANUARY)))
    town.extra.append(turnover(NEW, DAY, PRICE + 1))
    town.extra_units[NEW] = Unit("0301-1/1", first.cadastral_unit_ids)


def _unknown_unit(town: Town) -> None:
    _sold(town)
    town.extra_units.clear()


def _two_properties(town: Town) -> None:
    _sold(town)
    town.extra_units[NEW] = Unit("0301-7/7", (NEW, NEW + 1))


def _without_features(town: Town) -> None:
    _sold(town)
    town.extra_homes.clear()


FAULTS: dict[str, Callable[[Town], None]] = {
    "is told twice": _twice,
    "has a date that does not parse": lambda t: _sold(t, {"turnover_date": "20 January"}),
    "was on 1 February at 00:30 in Oslo": lambda t: _sold(
        t, {"turnover_date": "2026-01-31T23:30:00Z"}
    ),
    "concerns two units": lambda t: _sold(t, {"cadastral_unit_ids": (NEW, NEW + 1)}),
    "has no price": lambda t: _sold(t, {"price": None}),
    "concerns a unit nobody knows": _unknown_unit,
    "concerns a unit with two properties": _two_properties,
    "concerns a property without features": _without_features,
    "sold the same property again": _again,
    "has a home without a build year": lambda t: _sold(t, built_year=None),
    "has a leilighet without a floor": lambda t: _sold(t, floor=None),
    "has a shop": lambda t: _sold(t, realestate_type="næringseiendom"),
    "has a home of 4 m2": lambda t: _sold(t, usable_area=4),
    "has a home larger than its total": lambda t: _sold(t, total_area=99),
    "has a price of 500 kr per m2": lambda t: _sold(t, {"price": 50_000.0}),
    "has a shop of 4 m2": lambda t: _sold(t, realestate_type="næringseiendom", usable_area=4),
}


def _manifest(world: World) -> Any:
    assert world.run is not None
    return world.run.manifest


@given(parsers.parse("one turnover more that {what}"))
def _(world: World, what: str) -> None:
    FAULTS[what](world.town)


@given("January 2026 was fetched")
@when("January 2026 is fetched")
@when("January 2026 is fetched again")
def _(world: World) -> None:
    world.retrain(JANUARY, dry_run=True)


@when("January 2026 is fetched again by force")
def _(world: World) -> None:
    world.clock.today += timedelta(days=1)
    world.retrain(JANUARY, dry_run=True, force_fetch=True)


@when("January and February 2026 are fetched")
def _(world: World) -> None:
    world.retrain(Period(JANUARY.start, FEBRUARY.end), dry_run=True)


@given("a fetch of January 2026 was interrupted before its manifest")
def _(world: World) -> None:
    key = f"snapshots/{JANUARY}/20260201T000000.000000Z-00000000/rows_raw.jsonl"
    world.snapshot_storage.create(key, b"")


@given(parsers.parse("it is {today}"))
def _(world: World, today: str) -> None:
    world.clock.today = date.fromisoformat(today)


@when(parsers.parse("the period from {start} to {end} is trained"))
def _(world: World, start: str, end: str) -> None:
    world.limits(min_rows=1)
    world.retrain(Period(date.fromisoformat(start), date.fromisoformat(end)))


@then(parsers.parse("{incoming:d} turnovers came in and {outgoing:d} can be trained on"))
def _(world: World, incoming: int, outgoing: int) -> None:
    figures = counts(_manifest(world))
    assert figures["turnovers_raw"] == incoming
    assert figures["rows_trainable"] == outgoing


@then(parsers.parse("{number:d} was dropped as {reason}"))
def _(world: World, number: int, reason: str) -> None:
    assert _manifest(world).funnel.dropped == {reason: number}


@then(parsers.parse("nothing was dropped as {reason}"))
def _(world: World, reason: str) -> None:
    assert reason not in _manifest(world).funnel.dropped


@then("the kept sale of that property is the newer one")
def _(world: World) -> None:
    (snapshot,) = _manifest(world).snapshots
    sales = world.snapshots.sales(snapshot)
    first = next(iter(world.town.sold(JANUARY))).cadastral_unit_ids[0]
    assert sorted(sale.price for sale in sales if sale.property_id == first) == [PRICE, PRICE + 1]
    key = f"{_manifest(world).name}/dataset.parquet"
    assert PRICE + 1 in _prices(world.snapshot_storage.get(key).body)


@then("the market was not asked")
def _(world: World) -> None:
    assert world.town.asked == []


@then("no object in the storage has changed but for the report of the run")
def _(world: World) -> None:
    now = world.contents()
    assert {key: now[key] for key in world.before} == world.before
    assert all(key.startswith("runs/") for key in now.keys() - world.before.keys())


@then(parsers.re(r"the market was asked for (?P<month>\w+) 2026 only"))
def _(world: World, month: str) -> None:
    assert world.town.asked == [{"January": JANUARY, "February": FEBRUARY}[month]]


@then("there are 2 snapshots of January 2026")
def _(world: World) -> None:
    keys = world.snapshot_storage.keys(f"snapshots/{JANUARY}/")
    assert len([key for key in keys if key.endswith("/manifest.json")]) == 2


@then(parsers.re(r"it is (?P<answer>trained|refused)"))
def _(world: World, answer: str) -> None:
    if answer == "refused":
        assert isinstance(world.error, FutureSale)
        assert world.contents() == world.before
    else:
        assert world.error is None
        assert world.active is not None


@then(parsers.parse("the holdout begins on {day}"))
def _(world: World, day: str) -> None:
    assert world.run is not None
    assert world.run.evaluation is not None
    assert world.request is not None
    held_out = Period(date.fromisoformat(day), world.request.period.end)
    assert world.run.evaluation.overall.n == len(list(world.town.sold(held_out)))


@then("the dataset of January 2026 is stored")
def _(world: World) -> None:
    names = [key.rsplit("/", 1)[1] for key in world.snapshot_storage.keys(f"datasets/{JANUARY}/")]
    assert names == ["dataset.parquet", "manifest.json"]


def _prices(body: bytes) -> list[float]:
    return [float(price) for price in pq.read_table(BytesIO(body))["price"].to_pylist()]
