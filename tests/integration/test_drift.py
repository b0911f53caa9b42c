"""What is said of sales of the simulated market, by a model that was trained on half of them."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import evolve

from ree.domain.dataset import Dataset
from ree.domain.drift import DriftVerdict, FeatureDrift

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="tests without the benchmarks")


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drift() -> ModuleType:
    return loaded("drift")


@pytest.fixture(scope="module")
def halves(drift: ModuleType) -> tuple[Any, Dataset]:
    """A model of one half of a year's sales, and the other half."""
    first, second = drift.halves(loaded("simulated_sales").simulated_sales(per_month=600), 0)
    recipe = drift.TRAINER.recipe("fast")
    settings = {**recipe.settings, "max_iter": 40, "origins": (0.8,)}
    return drift.Trained.on(first, evolve(recipe, settings=settings)), second


def verdicts(features: tuple[FeatureDrift, ...]) -> dict[str, DriftVerdict]:
    return {one.feature: one.verdict for one in features}


def test_a_random_half_is_stable_in_everything(halves: tuple[Any, Dataset]) -> None:
    trained, later = halves
    assert len(later) > 1_000
    found = verdicts(trained.judge(later))
    assert len(found) == 12
    assert set(found.values()) == {DriftVerdict.STABLE}, found


@pytest.mark.parametrize(("factor", "sign"), [(1.3, 1), (1 / 1.3, -1)])
def test_other_prices_have_drifted_and_the_homes_have_not(
    drift: ModuleType, halves: tuple[Any, Dataset], factor: float, sign: int
) -> None:
    trained, later = halves
    features = trained.judge(drift.dearer(later, factor))
    found = verdicts(features)
    assert found.pop("price_level") is DriftVerdict.DRIFTED
    assert features[-1].shift * sign > 0.2
    assert found.pop("price_per_sqm") is not DriftVerdict.STABLE
    assert set(found.values()) == {DriftVerdict.STABLE}, found


def test_sales_without_flats_have_drifted_and_their_prices_have_not(
    drift: ModuleType, halves: tuple[Any, Dataset]
) -> None:
    trained, later = halves
    features = trained.judge(drift.without_flats(later))
    found = verdicts(features)
    assert found["realestate_type"] is DriftVerdict.DRIFTED
    assert found["price_level"] is DriftVerdict.STABLE
    assert features[0].most_changed.bin == "leilighet"
    assert features[0].most_changed.sold == 0


def test_a_benchmarks_alarms_are_counted(drift: ModuleType, halves: tuple[Any, Dataset]) -> None:
    trained, later = halves
    none = drift.alarms(trained, later, 500, 10)
    assert none["overall"] == (0.0, 0.0)
    dear = drift.alarms(trained, later, 500, 10, lambda sales, _: drift.dearer(sales, 1.3))
    assert dear["overall"] == dear["price_level"] == (1.0, 1.0)
