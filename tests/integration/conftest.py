"""An API over real adapters in a folder."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import structlog
from attrs import evolve, frozen
from dependency_injector import providers
from flask import Flask
from flask.testing import FlaskClient

from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.settings import Settings
from ree.adapters.sklearn_model import SklearnTrainer
from ree.container import Container
from ree.domain.appraisal import COVERAGES
from ree.domain.dataset import Dataset
from ree.domain.model import Kind, PriceModel, TrainingRecord
from ree.domain.residuals import drivers
from ree.entrypoints.api import create_app

NOW = datetime(2026, 2, 9, 22, 30, tzinfo=UTC)


@frozen
class FixedClock:
    """Late in the evening of 9 February 2026, in Norway as in Greenwich."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


def container_in(folder: Path) -> Container:
    container = Container()
    settings = Settings(storage_path=folder / "store", api_key="market-secret", max_batch=2_000)
    container.settings.override(providers.Object(settings))
    container.clock.override(providers.Object(FixedClock()))
    return container


@pytest.fixture
def api_container(tmp_path: Path) -> Iterator[Container]:
    """Nothing is published yet."""
    container = container_in(tmp_path)
    yield container
    container.watched_model().stop()


@pytest.fixture
def api_app(api_container: Container) -> Flask:
    return create_app(api_container)


@pytest.fixture
def client(api_app: Flask) -> FlaskClient:
    """A client of an API without a model."""
    return api_app.test_client()


@pytest.fixture(scope="module")
def stub_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of an API whose model is the stub: 45,000 NOK a square metre."""
    container = container_in(tmp_path_factory.mktemp("stub"))
    container.bootstrap()(by="test")
    yield create_app(container).test_client()
    container.watched_model().stop()


@pytest.fixture
def restored_logs() -> Iterator[None]:
    """Whatever configures the log, the next test finds it as this one did."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def trained() -> tuple[PriceModel, TrainingRecord]:
    """A small model of made-up sales of 2025, and what is known of it."""
    sales = _sales(600)
    trainer, evaluator = SklearnTrainer(), NumpyEvaluator()
    recipe = trainer.recipe("fast")
    recipe = evolve(recipe, settings={**recipe.settings, "max_iter": 20, "origins": (0.8,)})
    model = trainer.fit(sales, recipe)
    appraisal = model.appraise(sales.columns, COVERAGES)
    record = TrainingRecord(
        Kind.TRAINED,
        recipe,
        {"python": "3"},
        trained_until=date(2025, 12, 31),
        evaluation=evolve(
            evaluator.evaluate(sales, appraisal),
            residuals=evaluator.residuals(sales, appraisal.price),
            drivers=drivers(model.explain(sales.take(range(50)).columns)),
        ),
        baseline=evaluator.evaluate(
            sales, trainer.baseline(sales).appraise(sales.columns, COVERAGES)
        ),
    )
    return model, record


def _sales(count: int) -> Dataset:
    random = np.random.default_rng(7)
    area = random.uniform(30, 200, count).round()
    types = random.choice([0.0, 3.0], count, p=[0.97, 0.03])
    per_sqm = random.normal(60_000, 4_000, count)
    day = random.integers(date(2025, 1, 1).toordinal(), date(2026, 1, 1).toordinal(), count)
    return Dataset(
        {
            "property_id": np.arange(count),
            "day": day,
            "year": np.full(count, 2025),
            "price": area * per_sqm,
            "realestate_type": types,
            "municipality_number": random.choice([301.0, 4601.0], count),
            "lat": np.full(count, 60.0),
            "lon": np.full(count, 10.0),
            "built_year": random.integers(1900, 2020, count).astype(float),
            "total_area": area * 1.2,
            "usable_area": area,
            "floor": np.full(count, 2.0),
            "bedrooms": random.choice([1.0, 2.0, np.nan], count),
            "rooms": np.full(count, 3.0),
        }
    )
