"""A home with a municipality number of before is worth what it is with the one of today."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from flask import Flask, g

from ree.adapters.municipalities import reference
from ree.adapters.sklearn_model import SklearnTrainer
from ree.application.estimate_batch import EstimateBatch
from ree.container import Container
from ree.domain.dataset import Dataset
from ree.domain.estimate import Home, OnInvalid, PriceEstimate
from ree.domain.model import Kind, TrainingRecord
from ree.domain.municipality import RENUMBERED
from ree.entrypoints.api import create_app
from ree.entrypoints.api.estimating import complete_answer, fast_answer
from ree.entrypoints.api.exchange import Exchange
from ree.entrypoints.api.metrics import Metrics
from ree.entrypoints.api.query import EstimateQuery

from .conftest import container_in

DAY = date(2026, 1, 31)
REFERENCE = reference()
ONE_TO_ONE = {old: new[0] for old, new in REFERENCE.successors.items() if len(new) == 1}
PATHS = {"fast": fast_answer, "complete": complete_answer}
PER_MUNICIPALITY = 6
Features = Mapping[str, Any]


def sales() -> Dataset:
    """A few houses in every municipality of today, each of which has a level of its own."""
    random = np.random.default_rng(11)
    count = PER_MUNICIPALITY * len(REFERENCE.current)
    towns = [one for one in REFERENCE.current for _ in range(PER_MUNICIPALITY)]
    levels = np.repeat(random.uniform(20_000, 90_000, len(REFERENCE.current)), PER_MUNICIPALITY)
    area = random.uniform(60, 200, count).round()
    return Dataset(
        {
            "property_id": np.arange(count),
            "day": date(2025, 1, 1).toordinal() + random.integers(0, 365, count),
            "year": np.full(count, 2025),
            "price": area * levels * random.normal(1, 0.05, count),
            "realestate_type": np.zeros(count),
            "municipality_number": np.array([float(town.number) for town in towns]),
            "lat": np.array([town.lat for town in towns]) + random.normal(0, 0.01, count),
            "lon": np.array([town.lon for town in towns]) + random.normal(0, 0.01, count),
            "built_year": random.integers(1900, 2020, count).astype(float),
            "total_area": area * 1.2,
            "usable_area": area,
            "floor": np.full(count, np.nan),
            "bedrooms": np.full(count, 3.0),
            "rooms": np.full(count, 4.0),
        }
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Container, Flask]]:
    trainer = SklearnTrainer()
    recipe = trainer.recipe("fast")
    recipe = evolve(recipe, settings={**recipe.settings, "max_iter": 20, "origins": (0.8,)})
    model = trainer.fit(sales(), recipe)
    record = TrainingRecord(Kind.TRAINED, recipe, {}, trained_until=date(2025, 12, 31))
    container = container_in(tmp_path_factory.mktemp("numbers"))
    registry = container.registry()
    version = registry.publish(model, record).version
    registry.activate(version, expected=None, by="test", why="a test")
    yield container, create_app(container)
    container.watched_model().stop()


def house(number: str, in_: str) -> Features:
    """One in the centre of a municipality of today, under any number."""
    centre = REFERENCE.find(in_)
    assert centre is not None
    return {
        "realestate_type": "enebolig",
        "municipality_number": number,
        "lat": centre.lat,
        "lon": centre.lon,
        "built_year": 1980,
        "total_area": 144,
        "usable_area": 120,
        "rooms": 4,
        "bedrooms": 3,
    }


def answered(
    app: tuple[Container, Flask], path: str, homes: Mapping[str, Features], *, explain: bool = False
) -> dict[str, dict[str, Any]]:
    batch: EstimateBatch = app[0].serve_batch()
    query = EstimateQuery(DAY, OnInvalid.FAIL, 0.9, explain=explain)
    with app[1].test_request_context():
        g.exchange = Exchange({}, "test", Metrics())
        answer = PATHS[path](batch, json.dumps(homes).encode(), query)
    assert answer is not None, "took no fast path"
    told: dict[str, dict[str, Any]] = answer.get_json()
    return told


def assert_only_the_warning_differs(
    old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]]
) -> None:
    for name, estimate in new.items():
        warned = {**estimate, "warnings": [*estimate["warnings"], RENUMBERED]}
        assert old[name] == warned, name
        assert RENUMBERED not in estimate["warnings"]


@pytest.mark.parametrize("path", PATHS)
def test_an_old_number_is_worth_what_todays_is_to_the_krone(
    app: tuple[Container, Flask], path: str
) -> None:
    assert len(ONE_TO_ONE) == 420
    old = answered(app, path, {old: house(old, new) for old, new in ONE_TO_ONE.items()})
    new = answered(app, path, {old: house(new, new) for old, new in ONE_TO_ONE.items()})
    assert_only_the_warning_differs(old, new)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("number", ["0219", "3024", "1504", "1534", "5401", "5004"])
def test_one_home_alone(app: tuple[Container, Flask], path: str, number: str) -> None:
    today = ONE_TO_ONE[number]
    old = answered(app, path, {"a": house(number, today)})
    assert_only_the_warning_differs(old, answered(app, path, {"a": house(today, today)}))


@pytest.mark.parametrize("path", PATHS)
def test_a_split_municipality_is_the_part_that_is_near(
    app: tuple[Container, Flask], path: str
) -> None:
    parts = {new: old for old, parts in REFERENCE.successors.items() for new in parts}
    splits = {n: parts[n] for n in ("1508", "1580", "1806", "1875", "5055", "5056", "5059")}
    splits |= {"1508": "1507", "1580": "1507", "1806": "1850", "1875": "1850"}
    splits |= dict.fromkeys(("5055", "5056", "5059"), "5012")
    old = answered(app, path, {new: house(old, new) for new, old in splits.items()})
    new = answered(app, path, {new: house(new, new) for new in splits})
    assert_only_the_warning_differs(old, new)


def test_an_explanation_is_that_of_todays_number(app: tuple[Container, Flask]) -> None:
    pairs = dict(list(ONE_TO_ONE.items())[::40])
    old = {old: house(old, new) for old, new in pairs.items()}
    new = {old: house(new, new) for old, new in pairs.items()}
    told = answered(app, "complete", new, explain=True)
    assert all(estimate["contributions"] for estimate in told.values())
    assert_only_the_warning_differs(answered(app, "complete", old, explain=True), told)


def test_the_municipality_counts(app: tuple[Container, Flask]) -> None:
    """So what was compared would differ if the number were not understood."""
    numbers = list(ONE_TO_ONE.values())
    known = answered(app, "fast", {number: house(number, number) for number in numbers})
    unknown = answered(app, "fast", {number: house("9999", number) for number in numbers})
    apart = [known[n]["estimated_price"] != unknown[n]["estimated_price"] for n in set(numbers)]
    assert sum(apart) > 0.9 * len(apart)
    assert all(
        estimate["warnings"] == ["unknown:municipality_number"] for estimate in unknown.values()
    )


def test_the_embedded_library(app: tuple[Container, Flask]) -> None:
    def priced(numbers: Sequence[str]) -> list[PriceEstimate]:
        homes = [Home.parse(n, house(n, ONE_TO_ONE.get(n, n)), DAY) for n in numbers]
        return [a for a in app[0].estimate_batch()(homes) if isinstance(a, PriceEstimate)]

    old, new = priced(["0219", "0301", "3024"]), priced(["3201", "0301", "3201"])
    assert [one.warnings for one in old] == [(RENUMBERED,), (), (RENUMBERED,)]
    assert [one.estimated_price for one in old] == [one.estimated_price for one in new]
