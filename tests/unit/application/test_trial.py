"""Which homes of a holdout tell what drives estimates."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from attrs import define, field

from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.sklearn_model import SklearnTrainer
from ree.application.stopwatch import Stopwatch, unseen
from ree.application.trial import MOST_EXPLAINED, Candidate, TryCandidate
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset
from ree.domain.explanation import Explanation
from ree.domain.gating import GatingPolicy
from ree.domain.model import PriceModel, Recipe
from ree.domain.reach import Reaches, Respect
from ree.domain.residuals import Driver
from ree.domain.turnover import Period

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))


class Clock:
    def now(self) -> Any:
        raise NotImplementedError

    def monotonic(self) -> float:
        return 0.0


@define(eq=False)
class Told:
    """A model whose contributions are a home's area; it refuses homes that are too large."""

    largest: float = np.inf
    explained: list[float] = field(factory=list)
    digest: str = "told"

    def estimate(self, homes: Mapping[str, Any]) -> Any:
        return 1_000.0 * homes["usable_area"]

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        area = homes["usable_area"][:, None]
        bounds = np.full(area.shape, -np.inf), np.full(area.shape, self.largest)
        respect = Respect("usable_area", "usable_area", " m2")
        return Appraisal(self.estimate(homes), reaches=Reaches((respect,), area, bounds, bounds))

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        areas = homes["usable_area"].tolist()
        assert areas, "a model is asked about homes"
        self.explained += areas
        return [Explanation(0, {"size": int(area)}) for area in areas]


@define
class Trainer:
    """The Trainer port, as far as a trial asks it."""

    model: PriceModel

    def fit(self, dataset: Dataset, recipe: Recipe) -> PriceModel:
        return self.model

    def baseline(self, dataset: Dataset) -> MedianPricePerSqm:
        return SklearnTrainer().baseline(dataset)


def sales(count: int) -> Dataset:
    """Every second one is in the holdout; the areas there are 1, 2, 3, ..."""
    area = np.concatenate([np.full(count, 50.0), np.arange(count) + 1.0])
    rows = len(area)
    first = date(2025, 11, 1).toordinal()
    return Dataset(
        {
            "day": np.repeat([first, first + 80], count),
            "price": area * 1_000,
            "usable_area": area,
            "realestate_type": np.zeros(rows),
            "municipality_number": np.full(rows, 301.0),
            "lat": np.full(rows, 60.0),
            "lon": np.full(rows, 10.0),
        }
    )


def tried(model: PriceModel, count: int) -> Candidate:
    period = Period(date(2025, 11, 1), JANUARY.end)
    trainer: Any = Trainer(model)
    return TryCandidate(trainer, NumpyEvaluator(resamples=0)).evaluate(
        sales(count), period, Recipe("told"), GatingPolicy(min_rows=1), Stopwatch(Clock(), unseen)
    )


def test_all_of_few_homes_are_explained() -> None:
    model = Told()
    evaluation = tried(model, 40).evaluation
    assert model.explained == [float(area) for area in range(1, 41)]
    assert evaluation is not None
    assert evaluation.drivers == {"size": Driver(20.5, 1.0)}


@pytest.mark.parametrize("count", [MOST_EXPLAINED + 1, 333, 1_000])
def test_of_many_homes_a_sample_is_explained_that_is_spread_evenly(count: int) -> None:
    model = Told()
    tried(model, count)
    assert len(model.explained) == MOST_EXPLAINED
    steps = np.diff(model.explained)
    assert steps.min() >= 1
    assert steps.max() - steps.min() <= 1
    assert model.explained[0] == 1
    assert model.explained[-1] > count - 1 - count / MOST_EXPLAINED
    again = Told()
    tried(again, count)
    assert again.explained == model.explained


def test_homes_that_would_be_refused_are_not_explained() -> None:
    model = Told(largest=500)
    tried(model, 1_000)
    assert len(model.explained) == MOST_EXPLAINED
    assert max(model.explained) <= 500


def test_where_every_home_would_be_refused_nothing_is_told() -> None:
    model = Told(largest=0)
    evaluation = tried(model, 40).evaluation
    assert evaluation is not None
    assert evaluation.drivers == {}
    assert evaluation.residuals is not None
    assert sum(cell.n for cell in evaluation.residuals.cells) == 40


def test_a_model_that_tells_nothing_apart_has_residuals_but_no_drivers() -> None:
    candidate = tried(SklearnTrainer().stub(), 40)
    assert candidate.evaluation is not None
    assert candidate.baseline is not None
    assert candidate.evaluation.drivers == {}
    assert candidate.evaluation.residuals is not None
    assert (candidate.baseline.residuals, candidate.baseline.drivers) == (None, {})
