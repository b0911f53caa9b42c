"""Steps of features/estimation.feature."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from pytest_bdd import given, parsers, scenarios, then, when

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.sklearn_model import SklearnTrainer
from ree.domain.appraisal import COVERAGE, Confidence
from ree.domain.dataset import Dataset
from ree.domain.errors import BatchTooLarge, EmptyBatch, InvalidProperties, ModelNotReady
from ree.domain.estimate import Home, OnInvalid, PriceEstimate, Refusal
from ree.domain.model import Kind, Recipe, TrainingRecord
from ree.domain.property import RealEstateType

from .conftest import World, kroner
from .town import Storage, per_sqm

scenarios("estimation.feature")

FLAT: dict[str, Any] = {
    "realestate_type": "leilighet",
    "municipality_number": 301,
    "lat": 59.9,
    "lon": 10.7,
    "built_year": 1990,
    "total_area": 80,
    "usable_area": 80,
    "floor": 3,
}
VALUED_ON = date(2026, 2, 1)
KM = 1 / 111.195
"""In degrees of latitude."""


def _home(number: str = "1", day: date = VALUED_ON, **changes: Any) -> Home:
    features = {name: value for name, value in (FLAT | changes).items() if value is not None}
    return Home.parse(number, features, day)


def _value(world: World, *homes: Home, on_invalid: OnInvalid = OnInvalid.FAIL) -> None:
    world.attempt(lambda: world.estimate(homes, on_invalid))


def _only(world: World) -> PriceEstimate:
    assert world.error is None
    (answer,) = world.answers
    assert isinstance(answer, PriceEstimate)
    return answer


def _faults(world: World) -> list[tuple[str, str]]:
    assert isinstance(world.error, InvalidProperties)
    return [(property_id, fault.code) for property_id, fault in world.error.faults]


@given(parsers.parse("the newest sale that the model knows was on {day}"))
def _(world: World, day: str) -> None:
    world.named["until"] = day


@given(parsers.re(r"homes are worth (?P<price>[\d ]+) kr per m2"))
def _(world: World, price: str) -> None:
    until = date.fromisoformat(world.named["until"])
    record = TrainingRecord(Kind.TRAINED, Recipe("test"), {}, trained_until=until)
    version = world.registry.publish(per_sqm(kroner(price)), record)
    world.registry.activate(version.version, expected=None, by="test", why="a test")


@pytest.fixture(scope="module")
def street() -> BoostedTrees:
    """Trained on flats that are sold for 50 000 kr per m2, give or take a twentieth."""
    random = np.random.default_rng(1)
    rows = 300
    usable = np.linspace(60, 100, rows)
    sold = {
        "property_id": np.arange(rows),
        "day": date(2026, 1, 31).toordinal() - random.permutation(rows),
        "year": np.full(rows, 2025),
        "price": usable * 50_000 * random.normal(1, 0.05, rows),
        "realestate_type": np.full(rows, float(RealEstateType.LEILIGHET.code)),
        "municipality_number": np.full(rows, 301.0),
        # One is sold far to the north, so that the municipality reaches beyond all that are asked.
        "lat": np.where(np.arange(rows) == 0, FLAT["lat"] + 40 * KM, FLAT["lat"]),
        "lon": np.full(rows, FLAT["lon"]),
        "built_year": random.permutation(np.linspace(1960, 2020, rows)),
        "total_area": random.permutation(np.linspace(100, 200, rows)),
        "usable_area": usable,
        "floor": random.integers(1, 6, rows).astype(float),
        "bedrooms": np.full(rows, np.nan),
        "rooms": np.full(rows, np.nan),
    }
    trainer = SklearnTrainer()
    recipe = trainer.recipe("fast")
    quick = evolve(recipe, settings={**recipe.settings, "max_iter": 20, "vintages": 4})
    return trainer.fit(Dataset(sold), quick)


@given("the model knows 300 flats in one street, of 60 to 100 m2 and built from 1960 to 2020")
def _(world: World, street: BoostedTrees) -> None:
    until = date.fromisoformat(world.named["until"])
    record = TrainingRecord(Kind.TRAINED, Recipe("test"), {}, trained_until=until)
    version = world.registry.publish(street, record).version
    world.registry.activate(version, expected=world.active, by="test", why="a test")


@given("the active model is a stub")
def _(world: World) -> None:
    world.model_storage = Storage()
    world.bootstrap(by="test")


@given("no model is active")
def _(world: World) -> None:
    world.model_storage = Storage()


@given(parsers.parse("at most {limit:d} homes may be valued at once"))
def _(world: World, limit: int) -> None:
    world.max_batch = limit


@when(parsers.re(r"a leilighet of 80 m2 on floor 3 in (?P<where>.+) is valued on (?P<day>.+)"))
def _(world: World, where: str, day: str) -> None:
    number = 301 if where == "Oslo" else int(where.removeprefix("municipality "))
    _value(world, _home(day=date.fromisoformat(day), municipality_number=number))


@when(
    parsers.re(
        r"a leilighet( of (?P<area>\d+) m2)?( built in (?P<year>\d+))?"
        r"( (?P<km>\d+) km from the street)? is valued"
    )
)
def _(world: World, area: str | None, year: str | None, km: str | None) -> None:
    unlike = {
        "total_area": 130.0,
        "usable_area": float(area or 80),
        "built_year": float(year or 1990),
        "lat": FLAT["lat"] + float(km or 0) * KM,
    }
    _value(world, _home(**unlike))


@when(parsers.parse("a home with {field} {value} is valued"))
def _(world: World, field: str, value: str) -> None:
    text = field in ("realestate_type", "municipality_number")
    changed: dict[str, Any] = {field: value if text else float(value)}
    _value(world, _home(**changed))


@when("a home without lat and lon is valued")
def _(world: World) -> None:
    _value(world, _home(lat=None, lon=None))


@when("a home without floor is valued")
def _(world: World) -> None:
    _value(world, _home(floor=None))


BATCH = (
    _home("first"),
    _home("second", usable_area=4),
    _home("third", floor=500, built_year=1500),
)


@when("a sound home, one of 4 m2 and one on floor 500 built in 1500 are valued")
def _(world: World) -> None:
    _value(world, *BATCH)


@when(
    "a sound home, one of 4 m2 and one on floor 500 built in 1500 are valued, skipping the invalid"
)
def _(world: World) -> None:
    _value(world, *BATCH, on_invalid=OnInvalid.SKIP)


@when("no home is valued")
def _(world: World) -> None:
    _value(world)


@when(parsers.parse("{count:d} sound homes are valued"))
def _(world: World, count: int) -> None:
    _value(world, *(_home(str(number)) for number in range(count)))


@then(parsers.re(r"its estimated price is (?P<price>[\d ]+) kr"))
def _(world: World, price: str) -> None:
    assert _only(world).estimated_price == kroner(price)
    assert _only(world).currency == "NOK"


@then(parsers.re(r"its price per m2 is (?P<price>[\d ]+) kr"))
def _(world: World, price: str) -> None:
    assert _only(world).price_per_sqm == kroner(price)


@then("there is no warning")
def _(world: World) -> None:
    assert _only(world).warnings == ()


@then(parsers.parse("the warning is {code}"))
@then(parsers.parse("it is priced with {code}"))
def _(world: World, code: str) -> None:
    assert _only(world).warnings == (code,)


@then("it is priced")
def _(world: World) -> None:
    assert _only(world).warnings == ()


@then("nine of ten such homes sell for a price around its own")
def _(world: World) -> None:
    estimate = _only(world)
    assert estimate.interval is not None
    assert estimate.interval.coverage == COVERAGE == 0.9
    assert estimate.interval.lower < estimate.estimated_price < estimate.interval.upper


@then(parsers.parse("the confidence is {word}"))
def _(world: World, word: str) -> None:
    assert _only(world).confidence is Confidence(word)


@then("nothing is said of how sure that is")
def _(world: World) -> None:
    estimate = _only(world)
    assert (estimate.interval, estimate.fsd, estimate.confidence) == (None, None, None)


@then("it is refused because no model is ready")
def _(world: World) -> None:
    assert isinstance(world.error, ModelNotReady)


@then(parsers.parse("it is refused as {code}"))
def _(world: World, code: str) -> None:
    assert _faults(world)[0] == ("1", code)


@then("nothing is priced")
def _(world: World) -> None:
    assert world.answers is None


@then("the faults are")
def _(world: World, datatable: list[list[str]]) -> None:
    assert _faults(world) == [(home, code) for home, code in datatable[1:]]


@then("the first is priced and the others are refused")
def _(world: World) -> None:
    first, *others = world.answers
    assert isinstance(first, PriceEstimate)
    assert all(isinstance(other, Refusal) for other in others)
    assert [other.property_id for other in others] == ["second", "third"]


@then("the batch is refused")
def _(world: World) -> None:
    assert isinstance(world.error, EmptyBatch | BatchTooLarge)


@then("the batch is priced")
def _(world: World) -> None:
    assert len(world.answers) == 3
