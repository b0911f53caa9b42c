"""What is served is what was trained, to the last bit."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ree.adapters import elementary
from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.features import FEATURES
from ree.adapters.frames import offsets
from ree.adapters.market import Market, as_known_then, vintage_starts
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.registry import ObjectRegistry
from ree.adapters.sklearn_model import STUB_PRICE_PER_SQM, SklearnTrainer, UnknownRecipe
from ree.adapters.stored_arrays import npz
from ree.domain.dataset import Dataset
from ree.domain.model import Kind, Recipe, TrainingRecord
from ree.domain.ports import Trainer

from .made_up_sales import sales

TRAINER = SklearnTrainer()
FEW = {"max_iter": 20, "vintages": 6, "origins": (0.8,)}
RECIPE = Recipe("small", {**TRAINER.recipe("accurate").settings, **FEW})
NOWHERE = 9999.0


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 2, 3, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where cores are shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sales(1_500)


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> BoostedTrees:
    return TRAINER.fit(dataset, RECIPE)


@pytest.fixture(scope="module")
def members(model: BoostedTrees) -> Any:
    """The scikit-learn estimators as a version keeps them."""
    registry = ObjectRegistry(MemoryObjects(), Clock())
    version = registry.publish(model, TrainingRecord(Kind.TRAINED, RECIPE, {}))
    return pickle.loads(registry.artifact(version.version, "model.pkl"))  # noqa: S301


@pytest.fixture(scope="module")
def served(model: BoostedTrees) -> BoostedTrees:
    """The model as a service has it: from the bytes of its arrays."""
    with np.load(BytesIO(npz(model.arrays())), allow_pickle=False) as stored:
        return BoostedTrees.from_arrays({name: stored[name] for name in stored.files})


def priced(members: Any, model: BoostedTrees, homes: Any) -> Any:
    """By scikit-learn: the mean of the members' logs, each added to what it was fitted beside."""
    x, hedonic = model.market.features(homes), model.market.hedonic.log_per_sqm(homes)
    logs = np.column_stack([member.predict(x) for member in members["members"].values()])
    return elementary.exp((logs + offsets(homes, hedonic, model.frames)).mean(axis=1))


def among(monkeypatch: pytest.MonkeyPatch, x: Any) -> Any:
    """Let a model price given features instead of homes, which tell their row by their year."""
    monkeypatch.setattr(Market, "features", lambda market, homes: x[homes["year"].astype(np.int64)])
    return {**sales(len(x)).columns, "year": np.arange(len(x))}


def assert_same_bits(one: Any, other: Any) -> None:
    assert one.dtype == other.dtype == np.float64
    assert one.tobytes() == other.tobytes()


def test_homes_are_priced_as_by_scikit_learn(served: BoostedTrees, members: Any) -> None:
    columns = dict(sales(2_000, seed=8).columns)
    columns["municipality_number"][:300] = NOWHERE
    for name in ("floor", "bedrooms", "rooms"):
        columns[name][100:400] = np.nan
    assert_same_bits(served.estimate(columns), priced(members, served, columns))


def test_at_every_threshold_and_one_ulp_beside_it(
    model: BoostedTrees,
    served: BoostedTrees,
    members: Any,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = np.flatnonzero(np.isfinite(model.trees.threshold))
    thresholds, features = model.trees.threshold[inner], model.trees.feature[inner]
    assert len(inner) > 1_000
    assert {"lat", "log_usable_area", "built_year", "floor", "same_residual_8"} <= {
        FEATURES[feature] for feature in features
    }
    base = model.market.features(dataset.columns)[np.arange(len(inner)) % len(dataset)]
    rows = []
    for direction in (0.0, -np.inf, np.inf):
        x = base.copy()
        beside = np.nextafter(thresholds, direction) if direction else thresholds
        x[np.arange(len(inner)), features] = beside
        rows.append(x)
    x = np.concatenate(rows)
    homes = among(monkeypatch, x)
    assert_same_bits(served.estimate(homes), priced(members, served, homes))


@pytest.mark.parametrize("feature", range(len(FEATURES)))
@pytest.mark.parametrize("value", [np.nan, -1e300, 1e300, 0.0])
def test_where_a_feature_is_missing_or_extreme(
    served: BoostedTrees,
    members: Any,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    feature: int,
    value: float,
) -> None:
    x = served.market.features(dataset.columns)[:50]
    x[:, feature] = value
    homes = among(monkeypatch, x)
    with np.errstate(over="ignore"):
        assert_same_bits(served.estimate(homes), priced(members, served, homes))


def test_a_home_is_priced_the_same_alone_and_among_others(
    served: BoostedTrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = sales(60, seed=9).columns
    together = served.estimate(columns)
    alone = [
        served.estimate({name: column[[row]] for name, column in columns.items()})
        for row in range(60)
    ]
    assert_same_bits(np.concatenate(alone), together)
    monkeypatch.setattr("ree.adapters.trees._MANY", 5)
    monkeypatch.setattr("ree.adapters.boosted_trees._AT_ONCE", 11)
    assert_same_bits(served.estimate(columns), together)


def test_no_homes_have_no_prices(served: BoostedTrees) -> None:
    assert served.estimate(sales(0).columns).shape == (0,)


def test_pricing_changes_no_column(served: BoostedTrees) -> None:
    columns = sales(20).columns
    before = {name: column.copy() for name, column in columns.items()}
    served.estimate(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(column, before[name])


def test_stored_arrays_are_the_model(model: BoostedTrees, served: BoostedTrees) -> None:
    assert served.digest == model.digest
    assert npz(served.arrays()) == npz(model.arrays())


FIT = """
import sys
from hashlib import sha256
import numpy as np
from ree.adapters.sklearn_model import SklearnTrainer
from ree.domain.dataset import Dataset
from ree.domain.model import Recipe
few = {"max_iter": 10, "vintages": 6, "origins": (0.8,)}
settings = {**SklearnTrainer().recipe("accurate").settings, **few}
with np.load(sys.argv[1]) as stored:
    dataset = Dataset({name: stored[name] for name in stored.files})
model = SklearnTrainer().fit(dataset, Recipe("small", settings))
print(model.digest, sha256(model.estimate(dataset.columns)).hexdigest())
"""


def test_the_same_sales_give_the_same_model_in_any_process_on_any_processor(
    dataset: Dataset, tmp_path: Path
) -> None:
    recipe = Recipe("small", {**RECIPE.settings, "max_iter": 10})
    model = TRAINER.fit(dataset, recipe)
    assert TRAINER.fit(dataset, recipe).digest == model.digest
    priced = sha256(model.estimate(dataset.columns)).hexdigest()
    path = tmp_path / "dataset.npz"
    np.savez(path, **dataset.columns)
    for environment in (
        # As on processors that are older: with AVX2, and without.
        {
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
            "NUMBA_CPU_NAME": "haswell",
            "OMP_NUM_THREADS": "2",
            "OMP_WAIT_POLICY": "passive",
            "PYTHONHASHSEED": "2",
        },
        {
            "OPENBLAS_CORETYPE": "Prescott",
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
            "NUMBA_CPU_NAME": "generic",
        },
    ):
        made = subprocess.run(
            [sys.executable, "-c", FIT, str(path)],
            env=os.environ | environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert made.stdout.split() == [model.digest, priced]


@pytest.mark.parametrize("name", ["floor", "bedrooms", "rooms"])
def test_a_feature_that_no_sale_has_is_not_used(dataset: Dataset, name: str) -> None:
    columns = {**dataset.columns, name: np.full(len(dataset), np.nan)}
    model = TRAINER.fit(Dataset(columns), RECIPE)
    assert name not in {FEATURES[feature] for feature in model.trees.feature[1:]}
    expected = priced(model.estimator, model, dataset.columns)
    assert_same_bits(model.estimate(dataset.columns), expected)
    assert np.isfinite(model.estimate(columns)).all()


def test_other_sales_or_settings_give_another_model(dataset: Dataset, model: BoostedTrees) -> None:
    price = dataset.columns["price"].copy()
    price[0] *= 2
    assert TRAINER.fit(Dataset({**dataset.columns, "price": price}), RECIPE).digest != model.digest
    fewer = Recipe("small", {**RECIPE.settings, "max_iter": 19})
    assert TRAINER.fit(dataset, fewer).digest != model.digest


# What a sale's features know


def test_features_know_neither_their_own_price_nor_that_of_a_later_or_the_same_day(
    dataset: Dataset,
) -> None:
    columns = dataset.columns
    day, price = columns["day"], columns["price"]
    seen = as_known_then(columns, 6)
    assert len(seen.rows) > 0.85 * len(dataset)
    for first in np.quantile(day, [0.1, 0.37, 0.62, 0.9]).astype(int):
        changed = np.where(day >= first, price * 3 + 1, price)
        again = as_known_then({**columns, "price": changed}, 6)
        np.testing.assert_array_equal(again.rows, seen.rows)
        earlier = day[seen.rows] <= first
        assert_same_bits(again.features[earlier], seen.features[earlier])
        assert_same_bits(again.hedonic[earlier], seen.hedonic[earlier])
    changed = np.where(day == day.min(), price * 2, price)
    others = as_known_then({**columns, "price": changed}, 6).features
    assert (others != seen.features).any(axis=1).all()


def test_sales_are_seen_as_a_home_is_on_that_day(dataset: Dataset) -> None:
    """Training and serving share one definition: a part's market prices its sales as homes."""
    day = dataset.columns["day"]
    start = vintage_starts(day, 6)[-1]
    known = Market.of(dataset.where(day < start).columns)
    asked = dataset.where(day >= start)
    homes = {name: column for name, column in asked.columns.items() if name != "price"}
    seen = as_known_then(dataset.columns, 6)
    assert_same_bits(known.features(homes), seen.features[-len(asked) :])


def test_the_first_sales_have_no_market_to_be_seen_by(dataset: Dataset) -> None:
    day = dataset.columns["day"]
    rows = as_known_then(dataset.columns, 6).rows
    first = vintage_starts(day, 6)[0]
    np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(day >= first))


@pytest.mark.parametrize("value", [np.nan, -50.0, 1e6])
@pytest.mark.parametrize("name", ["floor", "bedrooms", "rooms"])
def test_optional_fields_may_be_missing_or_strange(
    served: BoostedTrees, name: str, value: float
) -> None:
    columns = sales(40).columns
    estimates = served.estimate({**columns, name: np.full(40, value)})
    assert (estimates > 0).all()
    assert np.isfinite(estimates).all()


def test_a_type_that_was_never_sold_is_priced(dataset: Dataset) -> None:
    model = TRAINER.fit(dataset.where(dataset.columns["realestate_type"] != 4), RECIPE)
    cabins = {**sales(20).columns, "realestate_type": np.full(20, 4.0)}
    x = model.market.features(cabins)
    assert np.isnan(x[:, FEATURES.index("same_residual_8")]).all()
    assert np.isfinite(model.estimate(cabins)).all()


def test_age_is_taken_at_the_sale(served: BoostedTrees) -> None:
    columns = dict(sales(2).columns)
    columns["day"] = np.array([date(2026, 7, 1).toordinal(), date(2016, 7, 1).toordinal()])
    columns["built_year"] = np.array([2006.0, 2006.0])
    ages = served.market.features(columns)[:, FEATURES.index("age")]
    assert ages == pytest.approx([20.5, 10.5], abs=0.01)


# The naive baseline and the stub


def test_the_baseline_is_the_median_of_municipality_and_type(dataset: Dataset) -> None:
    columns = dataset.where(np.arange(1_500) < 301).columns
    groups: dict[tuple[float, ...], list[float]] = {}
    for price, area, kind, place in zip(
        *(
            columns[name]
            for name in ("price", "usable_area", "realestate_type", "municipality_number")
        ),
        strict=True,
    ):
        for group in [(), (kind,), (kind, place)]:
            groups.setdefault(group, []).append(price / area)
    model = TRAINER.baseline(Dataset(columns))
    asked = [(kind, place) for kind in range(6) for place in (301, 1103, 3403, 4601, 5001, 1, 9999)]
    homes = {
        "realestate_type": np.array([kind for kind, _ in asked], dtype=float),
        "municipality_number": np.array([place for _, place in asked], dtype=float),
        "usable_area": np.full(len(asked), 50.0),
    }
    expected = [
        50 * median(groups.get((kind, place)) or groups.get((kind,)) or groups[()])
        for kind, place in asked
    ]
    assert model.estimate(homes) == pytest.approx(expected, rel=1e-12)


def test_the_baseline_of_one_sale() -> None:
    sale = sales(1)
    estimate = TRAINER.baseline(sale).estimate(sale.columns)
    assert estimate == pytest.approx(sale.columns["price"])


@pytest.mark.parametrize("made", [lambda: TRAINER.baseline(sales(90)), TRAINER.stub])
def test_medians_come_back_from_their_arrays(made: Any) -> None:
    model = made()
    with np.load(BytesIO(npz(model.arrays())), allow_pickle=False) as stored:
        served = MedianPricePerSqm.from_arrays({name: stored[name] for name in stored.files})
    columns = sales(500, seed=3).columns
    assert_same_bits(served.estimate(columns), model.estimate(columns))
    assert served.digest == model.digest


def test_a_stub_is_a_plain_price_per_square_metre() -> None:
    columns = sales(50).columns
    stub = TRAINER.stub()
    assert stub.estimate(columns) == pytest.approx(STUB_PRICE_PER_SQM * columns["usable_area"])
    assert stub.digest == TRAINER.stub().digest


# Recipes


@pytest.fixture
def trainer() -> Trainer:
    return TRAINER


def test_recipes_have_names(trainer: Trainer) -> None:
    fast, accurate = trainer.recipe("fast"), trainer.recipe("accurate")
    assert (fast.name, accurate.name) == ("fast", "accurate")
    assert fast.settings["max_iter"] < accurate.settings["max_iter"]
    with pytest.raises(UnknownRecipe, match="accurate, fast"):
        trainer.recipe("slow")
