"""Intervals and bounds of what was trained: made out of time, stored, served, equal to the bit."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from threadpoolctl import threadpool_limits

from ree.adapters import lessons as lessons_module
from ree.adapters import version_objects
from ree.adapters.active_model import LatestModel
from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.golden import check_golden_rows, golden_rows
from ree.adapters.lessons import Lessons
from ree.adapters.market import as_known_then
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import digest
from ree.adapters.registry import ObjectRegistry
from ree.adapters.sklearn_model import SklearnTrainer
from ree.adapters.stored_arrays import npz
from ree.adapters.table import NumpyTable
from ree.adapters.version_objects import MANIFEST, MODEL, SCHEMA, decode_model, encode_model
from ree.application.estimate_batch import EstimateBatch
from ree.domain.appraisal import COVERAGES, Appraisal, Confidence
from ree.domain.dataset import Dataset
from ree.domain.errors import UnreadableVersion
from ree.domain.estimate import Home, OnInvalid, PriceEstimate, Refusal
from ree.domain.model import Kind, LoadedModel, Recipe, TrainingRecord

TRAINER = SklearnTrainer()
RECIPE = Recipe("small", {**TRAINER.recipe("fast").settings, "max_iter": 30, "vintages": 6})
FIRST, NEWEST = date(2025, 1, 1), date(2025, 12, 31)
RECORD = TrainingRecord(Kind.TRAINED, RECIPE, {}, trained_until=NEWEST)


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 2, 3, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def sales(rows: int, seed: int) -> Dataset:
    """Of one distribution all year; an enebolig's price is twice as hard to tell."""
    random = np.random.default_rng(seed)
    kind = random.choice([0.0, 3.0], rows)
    usable = np.round(np.exp(random.normal(4.5, 0.35, rows)), 1)
    noise = random.normal(0, 0.08, rows) * np.where(kind == 0, 2, 1)
    return Dataset(
        {
            "property_id": np.arange(rows),
            "day": random.integers(FIRST.toordinal(), NEWEST.toordinal() + 1, rows),
            "year": np.full(rows, 2025),
            "price": np.round(usable * 50_000 * np.exp(noise), -3),
            "realestate_type": kind,
            "municipality_number": np.full(rows, 301.0),
            "lat": random.normal(59.9, 0.03, rows),
            "lon": random.normal(10.7, 0.06, rows),
            "built_year": random.integers(1900, 2024, rows).astype(float),
            "total_area": usable + np.round(random.uniform(0, 80, rows), 1),
            "usable_area": usable,
            "floor": np.where(kind == 3, random.integers(1, 6, rows), np.nan),
            "bedrooms": random.integers(1, 5, rows).astype(float),
            "rooms": np.full(rows, np.nan),
        }
    )


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where cores are shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sales(1_500, seed=1)


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> BoostedTrees:
    fitted = TRAINER.fit(dataset, RECIPE)
    assert fitted.conformal is not None
    assert fitted.domain is not None
    return fitted


@pytest.fixture(scope="module")
def asked() -> Dataset:
    return sales(4_000, seed=2)


@pytest.fixture(scope="module")
def appraisal(model: BoostedTrees, asked: Dataset) -> Appraisal:
    return model.appraise(asked.columns, COVERAGES)


def told(appraisal: Appraisal) -> dict[str, Any]:
    """All that it says of homes, as columns."""
    bounds = {
        f"{side} {share}": bound
        for share, pair in appraisal.intervals.items()
        for side, bound in zip(("lower", "upper"), pair, strict=True)
    }
    found = appraisal.reaches
    assert found is not None
    reaches = {
        f"{respect.what} {name}": table[:, place]
        for place, respect in enumerate(found.respects)
        for name, table in [
            ("value", found.value),
            ("usual from", found.warn[0]),
            ("usual to", found.warn[1]),
            ("valued from", found.refuse[0]),
            ("valued to", found.refuse[1]),
        ]
    }
    return {"price": appraisal.price, "fsd": appraisal.fsd} | bounds | reaches


def assert_same_bits(one: Appraisal, other: Appraisal) -> None:
    mine, theirs = told(one), told(other)
    assert mine.keys() == theirs.keys()
    for name, column in mine.items():
        assert column.dtype == theirs[name].dtype == np.float64
        assert column.tobytes() == theirs[name].tobytes(), name


def joined(parts: list[Appraisal]) -> dict[str, Any]:
    columns = [told(part) for part in parts]
    return {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}


# Of homes


def test_a_home_has_the_same_interval_alone_and_among_others(
    model: BoostedTrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = sales(40, seed=3).columns
    together = model.appraise(columns, COVERAGES)
    alone = [
        model.appraise({name: column[[row]] for name, column in columns.items()}, COVERAGES)
        for row in range(40)
    ]
    for name, column in joined(alone).items():
        assert column.tobytes() == told(together)[name].tobytes(), name
    monkeypatch.setattr("ree.adapters.boosted_trees._AT_ONCE", 11)
    assert_same_bits(model.appraise(columns, COVERAGES), together)


def test_prices_are_the_same_with_intervals_and_without(
    model: BoostedTrees, asked: Dataset, appraisal: Appraisal
) -> None:
    assert model.estimate(asked.columns).tobytes() == appraisal.price.tobytes()


def test_only_what_was_asked_for_is_told(model: BoostedTrees, asked: Dataset) -> None:
    few = {name: column[:5] for name, column in asked.columns.items()}
    assert list(model.appraise(few, (0.8,)).intervals) == [0.8]
    assert not model.appraise(few, ()).intervals


def test_no_homes_have_no_intervals(model: BoostedTrees) -> None:
    none = model.appraise(sales(0, seed=3).columns, COVERAGES)
    assert {column.shape for column in told(none).values()} == {(0,)}
    assert list(none.intervals) == list(COVERAGES)


def test_intervals_are_nested_around_the_price(appraisal: Appraisal) -> None:
    bounds = [appraisal.intervals[share] for share in COVERAGES]
    assert (bounds[0][0] < appraisal.price).all()
    assert (appraisal.price < bounds[0][1]).all()
    for (low, high), (lower, higher) in pairwise(bounds):
        assert (lower <= low).all()
        assert (high <= higher).all()


@pytest.mark.parametrize("share", COVERAGES)
def test_prices_of_the_same_distribution_lie_within_as_often_as_was_wanted(
    appraisal: Appraisal, asked: Dataset, share: float
) -> None:
    """Within three standard deviations of what a quantile of so many errors may hold."""
    found = NumpyEvaluator(resamples=0).evaluate(asked, appraisal)
    types = found.by_realestate_type
    widths = {}
    for name, metrics, rested_on in [
        ("overall", found.overall, 300),
        ("enebolig", types["enebolig"], 150),
        ("leilighet", types["leilighet"], 150),
    ]:
        covered = metrics.covered(share)
        assert covered is not None
        chance = 3 * sqrt(share * (1 - share) / rested_on)
        assert covered.covered == pytest.approx(share, abs=chance), name
        widths[name] = covered.width
    assert widths["enebolig"] > 1.5 * widths["leilighet"]


def test_what_was_sold_is_within_the_bounds(appraisal: Appraisal, asked: Dataset) -> None:
    found = NumpyEvaluator(resamples=0).evaluate(asked, appraisal).by_reach
    assert found["usual"].n > 0.9 * len(asked)
    assert found["near_edge"].n > 0


# Out of time


def lessons(dataset: Dataset) -> Lessons:
    settings = dict(RECIPE.settings)
    names, vintages, _ = (settings.pop(name) for name in ("members", "vintages", "origins"))
    return Lessons(dataset, as_known_then(dataset.columns, vintages), names, settings)


TWO = (0.8, 0.9)


def starts(dataset: Dataset) -> list[int]:
    ordered = np.sort(dataset.columns["day"])
    return [int(ordered[int(share * len(ordered))]) for share in TWO]


def changed(dataset: Dataset, start: float, end: float = np.inf) -> Dataset:
    """Other prices from a day on, up to another."""
    day, price = dataset.columns["day"], dataset.columns["price"]
    other = np.where((day >= start) & (day < end), price * 3 + 1, price)
    return Dataset({**dataset.columns, "price": other})


def seen_when_calibrating(dataset: Dataset, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The sales that intervals rest on, with what the models of their origins made of them."""
    kept: dict[str, Any] = {}

    def keep(x: Any, members: Any, types: Any, price: Any) -> None:
        kept.update(x=x, members=members, types=types, price=price)

    patch.setattr(lessons_module, "calibrated", keep)
    assert lessons(dataset).calibrate(TWO) is None
    patch.undo()
    return kept


@pytest.mark.parametrize("origin", [0, 1])
def test_a_model_up_to_an_origin_knows_nothing_of_what_came_from_then_on(
    dataset: Dataset, origin: int
) -> None:
    start = starts(dataset)[origin]
    learned = lessons(dataset).learn(start)
    assert learned is not None
    without = dataset.columns["day"] < start
    known = learned.market.comparables
    assert len(known.day) == without.sum()
    assert known.day.max() < start
    for other, same in [(changed(dataset, start), True), (changed(dataset, start - 1), False)]:
        again = lessons(other).learn(start)
        assert again is not None
        assert (again.digest == learned.digest) is same


def test_errors_are_those_of_the_sales_from_the_first_origin_on(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, (first, second) = seen_when_calibrating(dataset, monkeypatch), starts(dataset)
    day = dataset.columns["day"]
    order = [*np.flatnonzero((day >= first) & (day < second)), *np.flatnonzero(day >= second)]
    assert 0.2 * len(day) <= len(order) < 0.21 * len(day)
    np.testing.assert_array_equal(kept["price"], dataset.columns["price"][order])
    np.testing.assert_array_equal(kept["types"], dataset.columns["realestate_type"][order])


def test_no_later_sale_says_anything_of_one_that_is_asked_for(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was paid from an origin on, up to the next: estimates of that time do not change."""
    first, second = starts(dataset)
    kept = seen_when_calibrating(dataset, monkeypatch)
    early = (
        np.arange(len(kept["price"]))
        < ((dataset.columns["day"] >= first) & (dataset.columns["day"] < second)).sum()
    )
    late = seen_when_calibrating(changed(dataset, second), monkeypatch)
    for name in ("x", "members"):
        assert late[name].tobytes() == kept[name].tobytes()
    assert ((late["price"] != kept["price"]) == ~early).all()
    between = seen_when_calibrating(changed(dataset, first, second), monkeypatch)
    assert between["members"][early].tobytes() == kept["members"][early].tobytes()
    assert between["x"][early].tobytes() == kept["x"][early].tobytes()
    assert (between["members"][~early] != kept["members"][~early]).all()
    assert ((between["price"] != kept["price"]) == early).all()


def test_with_too_few_sales_before_an_origin_there_are_no_intervals() -> None:
    few = sales(30, seed=4)
    assert lessons(few).calibrate(TWO) is None
    assert lessons(sales(120, seed=4)).calibrate(()) is None


def test_a_field_that_hardly_any_sale_has(dataset: Dataset) -> None:
    rooms = dataset.columns["rooms"].copy()
    rooms[[dataset.columns["day"].argmin(), dataset.columns["day"].argmax()]] = 4.0
    assert TRAINER.fit(Dataset({**dataset.columns, "rooms": rooms}), RECIPE).conformal is not None


# The same each time


FIT = """
import sys
import numpy as np
from ree.adapters.sklearn_model import SklearnTrainer
from ree.domain.dataset import Dataset
from ree.domain.model import Recipe
settings = {**SklearnTrainer().recipe("fast").settings, "max_iter": 30, "vintages": 6}
with np.load(sys.argv[1]) as stored:
    dataset = Dataset({name: stored[name] for name in stored.files})
print(SklearnTrainer().fit(dataset, Recipe("small", settings)).digest)
"""


def test_the_same_sales_give_the_same_intervals_in_any_process(
    dataset: Dataset, model: BoostedTrees, tmp_path: Path
) -> None:
    assert TRAINER.fit(dataset, RECIPE).digest == model.digest
    path = tmp_path / "dataset.npz"
    np.savez(path, **dataset.columns)
    environment = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive", "PYTHONHASHSEED": "5"}
    fitted = subprocess.run(
        [sys.executable, "-c", FIT, str(path)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert fitted.stdout.strip() == model.digest


def test_a_digest_is_that_of_the_intervals_and_bounds_too(model: BoostedTrees) -> None:
    assert model.conformal is not None
    assert model.domain is not None
    wider = evolve(model.conformal, above=model.conformal.above * 1.01)
    farther = evolve(model.domain, bounds=model.domain.bounds * 1.01)
    others = [
        evolve(model, conformal=None),
        evolve(model, domain=None),
        evolve(model, conformal=wider),
        evolve(model, domain=farther),
    ]
    assert len({model.digest, *(other.digest for other in others)}) == 5


# Stored


def published(model: BoostedTrees) -> ObjectRegistry:
    registry = ObjectRegistry(MemoryObjects(), Clock())
    version = registry.publish(model, RECORD)
    registry.activate(version.version, expected=None, by="test", why="a test")
    return registry


def current(registry: ObjectRegistry) -> LoadedModel:
    return LatestModel(registry).current()


def test_what_is_served_has_the_intervals_that_were_trained(
    model: BoostedTrees, asked: Dataset, appraisal: Appraisal
) -> None:
    served = current(published(model)).model
    assert_same_bits(served.appraise(asked.columns, COVERAGES), appraisal)


@pytest.mark.parametrize("name", ["below", "above"])
def test_other_intervals_are_not_those_that_were_published(model: BoostedTrees, name: str) -> None:
    golden = golden_rows(model, NEWEST.toordinal())
    check_golden_rows(model, golden)
    assert model.conformal is not None
    other = evolve(model.conformal, **{name: getattr(model.conformal, name) * 1.001})
    with pytest.raises(ValueError, match="golden rows are priced differently"):
        check_golden_rows(evolve(model, conformal=other), golden)
    with pytest.raises(ValueError, match="other things"):
        check_golden_rows(evolve(model, conformal=None), golden)
    with pytest.raises(ValueError, match="other things"):
        check_golden_rows(model, golden_rows(evolve(model, conformal=None), NEWEST.toordinal()))


@pytest.mark.parametrize("lost", ["expected_error_edges", "expected_error_value", "domain_bounds"])
def test_a_part_of_the_intervals_is_not_none_at_all(model: BoostedTrees, lost: str) -> None:
    bodies = encode_model(model, RECORD)
    bodies[MODEL] = npz({name: row for name, row in model.arrays().items() if name != lost})
    with pytest.raises(UnreadableVersion, match=lost):
        decode_model(f"v-{digest(bodies[MODEL])[:8]}", bodies)


def test_the_arrays_tell_whether_there_are_intervals(model: BoostedTrees) -> None:
    plain = BoostedTrees(model.market, model.trees, model.frames)
    with np.load(BytesIO(npz(plain.arrays())), allow_pickle=False) as stored:
        again = BoostedTrees.from_arrays({name: stored[name] for name in stored.files})
    assert (again.conformal, again.domain) == (None, None)
    assert again.digest == plain.digest != model.digest


# The format before


FLAT = {
    "realestate_type": "leilighet",
    "municipality_number": 301,
    "lat": 59.9,
    "lon": 10.7,
    "built_year": 1990,
    "total_area": 90,
    "usable_area": 80,
    "floor": 3,
}


def home(number: str, **changes: Any) -> Home:
    return Home.parse(number, FLAT | changes, date(2026, 1, 17))


HOMES = [home("1"), home("2", lat=70.0), home("3", usable_area=4_000, total_area=4_000)]


@pytest.fixture
def before(model: BoostedTrees, monkeypatch: pytest.MonkeyPatch) -> ObjectRegistry:
    """A registry whose active version was written before there were intervals."""
    plain = BoostedTrees(model.market, model.trees, model.frames, estimator=model.estimator)
    with monkeypatch.context() as patch:
        patch.setattr(version_objects, "FORMAT", 2)
        registry = published(plain)
    active = registry.active()
    assert active is not None
    manifest = registry.objects.get(f"models/{active.version}/{MANIFEST}").body
    assert json.loads(manifest)["format"] == 2
    golden = json.loads(registry.artifact(active.version, SCHEMA))["golden_rows"]
    assert set(golden) == {"homes", "estimates"}
    return registry


def test_a_version_of_the_format_before_prices_homes(
    before: ObjectRegistry, asked: Dataset, appraisal: Appraisal
) -> None:
    found = current(before).model.appraise(asked.columns, COVERAGES)
    assert found.price.tobytes() == appraisal.price.tobytes()
    assert (found.intervals, found.fsd, found.reaches) == ({}, None, None)


def test_it_does_not_say_how_sure_it_is(before: ObjectRegistry) -> None:
    estimate = EstimateBatch(LatestModel(before), NumpyTable(), {"0301"})
    answers = estimate(HOMES)
    for answer in answers:
        assert isinstance(answer, PriceEstimate)
        assert answer.estimated_price > 0
        assert (answer.interval, answer.fsd, answer.confidence) == (None, None, None)
        assert answer.warnings == ()


def test_one_of_the_format_since_does(model: BoostedTrees) -> None:
    estimate = EstimateBatch(LatestModel(published(model)), NumpyTable(), {"0301"})
    sure, far, large = estimate(HOMES, OnInvalid.SKIP, coverage=0.8)
    assert isinstance(sure, PriceEstimate)
    assert sure.interval is not None
    assert sure.interval.lower < sure.estimated_price < sure.interval.upper
    assert sure.interval.coverage == 0.8
    assert sure.fsd == pytest.approx(0.1, abs=0.03)
    assert sure.confidence is Confidence.HIGH
    assert isinstance(far, Refusal)
    assert [fault.code for fault in far.faults] == [
        "out_of_domain:distance",
        "out_of_domain:municipality_number",
    ]
    assert isinstance(large, Refusal)
    assert [fault.code for fault in large.faults] == [
        "out_of_domain:usable_area",
        "out_of_domain:total_area",
    ]
