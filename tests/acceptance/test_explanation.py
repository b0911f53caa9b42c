"""Steps of features/explanation.feature."""

from datetime import date
from typing import Any

import numpy as np
from pytest_bdd import given, parsers, scenarios, then, when

from ree.adapters.sklearn_model import SklearnTrainer
from ree.domain.dataset import Dataset
from ree.domain.estimate import Home, PriceEstimate
from ree.domain.explanation import ComparableSale, Explanation
from ree.domain.model import Kind, Recipe, TrainingRecord
from ree.domain.property import RealEstateType

from .conftest import World, kroner
from .town import Storage

scenarios("explanation.feature")

STREET, LANE = 59.9, 59.9 + 5 / 111.195
SOLD = ("day", "price", "usable_area", "lat")


def _sales(rows: list[tuple[float, ...]]) -> Dataset:
    """Day, price, area and latitude of flats that are alike in all else."""
    same = {
        "realestate_type": RealEstateType.LEILIGHET.code,
        "municipality_number": 301,
        "lon": 10.7,
        "built_year": 1990,
        "floor": 2,
        "bedrooms": 2,
        "rooms": 3,
    }
    columns: dict[str, Any] = dict(zip(SOLD, np.array(rows).T, strict=True))
    columns |= {name: np.full(len(rows), float(value)) for name, value in same.items()}
    return Dataset(columns | {"total_area": columns["usable_area"]})


def _published(world: World, sales: Dataset) -> None:
    trainer = SklearnTrainer()
    recipe = Recipe("fast", {**trainer.recipe("fast").settings, "max_iter": 40, "origins": ()})
    until = date(2025, 12, 31)
    record = TrainingRecord(Kind.TRAINED, recipe, {}, trained_until=until)
    version = world.registry.publish(trainer.fit(sales, recipe), record)
    world.registry.activate(version.version, expected=None, by="test", why="a test")


def _flat(area: float, where: str, day: str) -> Home:
    features: dict[str, Any] = {
        "realestate_type": "leilighet",
        "municipality_number": 301,
        "lat": LANE if where == "lane" else STREET,
        "lon": 10.7,
        "built_year": 1990,
        "total_area": area,
        "usable_area": area,
        "floor": 2,
        "bedrooms": 2,
        "rooms": 3,
    }
    return Home.parse("1", features, date.fromisoformat(day))


def _explained(world: World) -> tuple[PriceEstimate, Explanation]:
    assert world.error is None
    answer = world.answers[-1]
    assert answer.explanation is not None
    return answer, answer.explanation


def _sale(world: World, day: str) -> ComparableSale:
    _, explanation = _explained(world)
    return next(
        sale
        for sale in explanation.comparables
        if sale.sold_on == date.fromisoformat(day) and sale.distance_km < 1
    )


@given(
    "300 flats of 60 to 100 m2 in one street were sold in 2025 for 50 000 kr per m2",
    target_fixture="rows",
)
def _() -> list[tuple[float, ...]]:
    random = np.random.default_rng(1)
    first = date(2025, 1, 1).toordinal()
    areas = np.linspace(60, 100, 300)
    random.shuffle(areas)
    return [
        (float(first + place * 364 // 299), 50_000 * area, area, STREET)
        for place, area in enumerate(areas.tolist())
    ]


@given("flats of 80 m2 in a lane 5 km away were sold")
def _(rows: list[tuple[float, ...]], datatable: list[list[str]]) -> None:
    for on, price in datatable[1:]:
        day = date.fromisoformat(on).toordinal()
        rows.append((day, kroner(price.removesuffix(" kr")), 80, LANE))


@given("homes are priced by a model of these sales")
def _(world: World, rows: list[tuple[float, ...]]) -> None:
    _published(world, _sales(sorted(rows)))


@given("homes are priced by a stub")
def _(world: World) -> None:
    world.model_storage = Storage()
    world.bootstrap(by="test")


@when(parsers.parse("a flat of {area:d} m2 in the {where} is valued on {day} and explained"))
def _(world: World, area: int, where: str, day: str) -> None:
    before = world.answers or ()
    home = _flat(area, where, day)
    world.attempt(lambda: (*before, *world.estimate([home], explain=True)))


@when(parsers.re(r"a flat of (?P<area>\d+) m2 in the (?P<where>\w+) is valued on (?P<day>[\d-]+)"))
def _(world: World, area: str, where: str, day: str) -> None:
    world.attempt(lambda: world.estimate([_flat(float(area), where, day)]))


@then("base and contributions add up to its price")
def _(world: World) -> None:
    answer, explanation = _explained(world)
    parts = explanation.contributions.values()
    assert explanation.base + sum(parts) == answer.estimated_price


@then("its size adds to it")
def _(world: World) -> None:
    _, explanation = _explained(world)
    assert explanation.contributions["size"] > 100_000


@then("its location, type and time add 0 kr")
def _(world: World) -> None:
    _, explanation = _explained(world)
    assert [explanation.contributions[name] for name in ("location", "type", "time")] == [0] * 3


@then("both have the same base")
def _(world: World) -> None:
    one, other = world.answers
    assert one.estimated_price != other.estimated_price
    assert one.explanation.base == other.explanation.base


@then("all of its price is base")
def _(world: World) -> None:
    answer, explanation = _explained(world)
    assert (explanation.base, explanation.contributions) == (answer.estimated_price, {})


@then("no comparable sale is told")
def _(world: World) -> None:
    assert _explained(world)[1].comparables == ()


@then("nothing is explained")
def _(world: World) -> None:
    (answer,) = world.answers
    assert answer.explanation is None


@then(parsers.parse("the first sales that are told were on {days}"))
def _(world: World, days: str) -> None:
    _, explanation = _explained(world)
    told = days.split(", ")
    assert [str(sale.sold_on) for sale in explanation.comparables[: len(told)]] == told
    assert len(explanation.comparables) <= 5


@then(parsers.parse("none is from after {day}"))
def _(world: World, day: str) -> None:
    _, explanation = _explained(world)
    assert all(sale.sold_on <= date.fromisoformat(day) for sale in explanation.comparables)


@then(parsers.re(r"the sale on (?P<day>[\d-]+) was for (?P<price>[\d ]+) kr"))
def _(world: World, day: str, price: str) -> None:
    assert _sale(world, day).price == kroner(price)


@then(
    parsers.re(
        r"the sale on (?P<day>[\d-]+) was for (?P<price>[\d ]+) kr, which is (?P<now>[\d ]+) kr now"
    )
)
def _(world: World, day: str, price: str, now: str) -> None:
    sale = _sale(world, day)
    assert (sale.price, sale.adjusted_price) == (kroner(price), kroner(now))
