"""What an estimate is made of adds up, and is what the definitions say."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import permutations
from math import log
from typing import Any

import numpy as np
import pytest
from attrs import fields, frozen
from threadpoolctl import threadpool_limits

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.comparables import HALF_LIFE, LIKE_AREA, LIKE_YEARS
from ree.adapters.contributions import FIELDS, SEEN, contributions
from ree.adapters.features import FEATURES, OF_HOMES
from ree.adapters.frames import offsets
from ree.adapters.mixed_trees import predict_mixtures
from ree.adapters.reference_home import ReferenceHome
from ree.adapters.sklearn_model import SklearnTrainer
from ree.adapters.stored_arrays import npz
from ree.adapters.table import NumpyTable
from ree.application.estimate_batch import EstimateBatch
from ree.domain.dataset import Dataset
from ree.domain.estimate import Home, OnInvalid, PriceEstimate, Refusal
from ree.domain.explanation import GROUPS, ComparableSale, Explanation
from ree.domain.model import Kind, LoadedModel, ModelVersion, Recipe, TrainingRecord
from ree.domain.property import NUMBERS, RealEstateType

from .made_up_sales import sales

TRAINER = SklearnTrainer()
RECIPE = Recipe(
    "small",
    {**TRAINER.recipe("accurate").settings, "max_iter": 20, "vintages": 6, "origins": ()},
)
TYPES = [kind.value for kind in RealEstateType]


def town(rows: int, seed: int = 7) -> Dataset:
    """Sales that are near to each other."""
    columns = dict(sales(rows, seed).columns)
    columns["lat"] = 59.9 + (columns["lat"] - 64) / 100
    columns["lon"] = 10.7 + (columns["lon"] - 17) / 100
    return Dataset(columns)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other are slow where cores are shared."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def sold() -> Dataset:
    return town(1_500)


@pytest.fixture(scope="module")
def model(sold: Dataset) -> BoostedTrees:
    """As a service has it: from the bytes of its arrays."""
    with np.load(BytesIO(npz(TRAINER.fit(sold, RECIPE).arrays()))) as stored:
        return BoostedTrees.from_arrays({name: stored[name] for name in stored.files})


@pytest.fixture(scope="module")
def reference(model: BoostedTrees) -> Mapping[str, Any]:
    assert model.reference is not None
    return model.reference.columns()


@pytest.fixture(scope="module")
def homes() -> Mapping[str, Any]:
    """Valued from before the first sale until a year after the last."""
    columns = dict(town(60, seed=9).columns)
    columns["day"] = date(2024, 12, 1).toordinal() + 13 * np.arange(60)
    return columns


def only(homes: Mapping[str, Any], row: int) -> dict[str, Any]:
    return {name: column[[row]] for name, column in homes.items()}


# They add up


@frozen
class Active:
    loaded: LoadedModel

    def current(self) -> LoadedModel:
        return self.loaded


@pytest.fixture(scope="module")
def estimate(model: BoostedTrees) -> EstimateBatch:
    record = TrainingRecord(Kind.TRAINED, RECIPE, {}, trained_until=date(2025, 12, 31))
    version = ModelVersion("v1", datetime(2026, 1, 1, tzinfo=UTC), record, model.digest)
    return EstimateBatch(Active(LoadedModel(version, model)), NumpyTable(), {"0301"})


def asked(rows: int) -> list[Home]:
    """Every tenth of them cannot be valued."""
    columns = town(rows, seed=11).columns
    found = []
    for row in range(rows):
        numbers = {name: float(columns[name][row]) for name in NUMBERS}
        told = {name: number for name, number in numbers.items() if number == number}
        code = int(columns["realestate_type"][row])
        told |= {"floor": 2.0} if TYPES[code] == "leilighet" else {}
        told |= {"lat": 95.0} if row % 10 == 9 else {}
        place = int(columns["municipality_number"][row])
        home = {"realestate_type": TYPES[code], "municipality_number": place, **told}
        day = date.fromordinal(int(columns["day"][row])) + timedelta(days=90)
        found.append(Home.parse(str(row), home, day))
    return found


def test_contributions_add_up_to_the_krone_on_a_thousand_homes(estimate: EstimateBatch) -> None:
    homes = asked(1_100)
    plain = estimate(homes, OnInvalid.SKIP)
    explained = estimate(homes, OnInvalid.SKIP, explain=True)
    bases, count = set(), 0
    for before, answer in zip(plain, explained, strict=True):
        if isinstance(answer, Refusal):
            assert answer == before
            continue
        assert isinstance(before, PriceEstimate)
        assert before.explanation is None
        assert answer.explanation is not None
        assert answer.estimated_price == before.estimated_price
        parts = answer.explanation.contributions
        assert tuple(parts) == GROUPS
        assert answer.explanation.base + sum(parts.values()) == answer.estimated_price
        assert len(answer.explanation.comparables) == 5
        bases.add(answer.explanation.base)
        count += 1
    assert count >= 950
    assert len(bases) == 1


def test_a_home_is_explained_the_same_alone_and_among_others(
    model: BoostedTrees, homes: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = model.explain(homes)
    assert [model.explain(only(homes, row))[0] for row in range(60)] == together
    monkeypatch.setattr("ree.adapters.contributions._AT_ONCE", 7)
    monkeypatch.setattr("ree.adapters.boosted_trees._AT_ONCE", 16)
    assert model.explain(homes) == together


def test_no_homes_have_no_explanations(model: BoostedTrees) -> None:
    assert model.explain(town(0).columns) == []


def test_explaining_changes_no_column(model: BoostedTrees, homes: Mapping[str, Any]) -> None:
    before = {name: column.copy() for name, column in homes.items()}
    model.explain(homes)
    for name, column in homes.items():
        np.testing.assert_array_equal(column, before[name])


# They are Shapley values


def value(
    model: BoostedTrees, home: Mapping[str, Any], other: Mapping[str, Any], own: frozenset[str]
) -> float:
    """The price of the home with only the facts of some groups its own, written down plainly."""

    def of(group: str) -> Mapping[str, Any]:
        return home if group in own else other

    mixed = {name: of(group)[name] for group, names in FIELDS.items() for name in names}
    neighbours = model.market.features(of("comparables"))[:, len(OF_HOMES) :]
    x = np.hstack([model.market.features(mixed)[:, : len(OF_HOMES)], neighbours])
    hedonic, level = model.market.hedonic, model.market.hedonic.index.level
    per_sqm = hedonic.log_per_sqm(mixed) - level(mixed["day"]) + level(of("time")["day"])
    logs = model.trees.predict(x) + offsets(mixed, per_sqm, model.frames)
    return float(np.exp(logs.mean()))


def test_a_contribution_is_the_mean_of_what_a_group_adds_over_all_orders(
    model: BoostedTrees, homes: Mapping[str, Any], reference: Mapping[str, Any]
) -> None:
    for row in (0, 7, 23, 41):
        home = only(homes, row)
        (found,) = contributions(model.market, model.trees, model.frames, home, reference)
        worth: dict[frozenset[str], float] = {}
        added = dict.fromkeys(GROUPS, 0.0)
        for order in permutations(GROUPS):
            own: frozenset[str] = frozenset()
            before = worth.setdefault(own, value(model, home, reference, own))
            for group in order:
                own |= {group}
                if own not in worth:
                    worth[own] = value(model, home, reference, own)
                added[group] += worth[own] - before
                before = worth[own]
        assert found == pytest.approx({name: sum_ / 720 for name, sum_ in added.items()}, abs=1e-3)
        assert any(abs(part) > 10_000 for part in found.values())
        assert worth[frozenset()] == pytest.approx(model.estimate(reference)[0], rel=1e-12)
        assert worth[frozenset(GROUPS)] == pytest.approx(model.estimate(home)[0], rel=1e-12)


@pytest.mark.parametrize("group", FIELDS)
def test_a_group_that_is_as_in_the_reference_adds_nothing(
    model: BoostedTrees, homes: Mapping[str, Any], reference: Mapping[str, Any], group: str
) -> None:
    same = {name: np.repeat(reference[name], 60) for name in FIELDS[group]}
    explained = model.explain({**homes, **same})
    assert {explanation.contributions[group] for explanation in explained} == {0}
    others = [any(explanation.contributions.values()) for explanation in explained]
    assert all(others)


def test_time_adds_nothing_from_the_newest_sale_on(
    model: BoostedTrees, homes: Mapping[str, Any], sold: Dataset
) -> None:
    newest = sold.columns["day"].max()
    times = [explanation.contributions["time"] for explanation in model.explain(homes)]
    later = homes["day"] >= newest
    assert not np.array(times)[later].any()
    assert np.array(times)[~later].any()


def test_the_reference_is_all_base(model: BoostedTrees, reference: Mapping[str, Any]) -> None:
    (explanation,) = model.explain(reference)
    assert explanation.base == round(float(model.estimate(reference)[0]))
    assert explanation.contributions == dict.fromkeys(GROUPS, 0)


def test_every_feature_and_field_belongs_to_one_group(reference: Mapping[str, Any]) -> None:
    assert sorted(name for names in SEEN.values() for name in names) == sorted(FEATURES)
    assert sorted(name for names in FIELDS.values() for name in names) == sorted(reference)
    assert {*SEEN, *FIELDS, "time"} == set(GROUPS)


def test_features_of_a_group_are_made_of_its_fields(
    model: BoostedTrees, homes: Mapping[str, Any], reference: Mapping[str, Any]
) -> None:
    own, names = model.market.features(homes)[:, : len(OF_HOMES)], np.array(OF_HOMES)
    for group, changed in FIELDS.items():
        other = {**homes, **{name: np.repeat(reference[name], 60) for name in changed}}
        moved = ~np.isclose(model.market.features(other)[:, : len(OF_HOMES)], own, equal_nan=True)
        assert set(names[moved.any(axis=0)]) <= set(SEEN[group])


def test_mixtures_are_priced_as_if_each_walked_alone(model: BoostedTrees) -> None:
    random = np.random.default_rng(3)
    x = model.market.features(town(40, seed=5).columns)
    x[random.random(x.shape) < 0.1] = np.nan
    other = x[-1]
    inside = random.random((7, len(FEATURES))) < 0.5
    words = (inside.T.astype(np.uint64) << np.arange(7, dtype=np.uint64)).sum(axis=1)
    found = predict_mixtures(model.trees, x, other, words.astype(np.uint64), 7)
    for mixture in range(7):
        mixed = np.where(inside[mixture], x, other)
        np.testing.assert_allclose(
            found[:, mixture], model.trees.predict(mixed), rtol=1e-12, atol=1e-12
        )


# The sales that counted most


def test_a_price_is_what_was_paid(model: BoostedTrees, sold: Dataset) -> None:
    paid = model.market.paid(np.arange(len(sold)))
    assert [round(price) for price in paid.tolist()] == sold.columns["price"].tolist()


def told(sold: Dataset, comparable: ComparableSale) -> int:
    """The place of the sale among those that were trained on."""
    columns = sold.columns
    (place,) = np.flatnonzero(
        (columns["price"] == comparable.price)
        & (columns["day"] == comparable.sold_on.toordinal())
        & (np.abs(columns["usable_area"] - comparable.usable_area) < 0.051)
    )
    return int(place)


def test_comparables_are_the_most_alike_and_the_first_counts_most(
    model: BoostedTrees, homes: Mapping[str, Any], sold: Dataset
) -> None:
    """By a loop over the sales of the type, of which the nearest 50 count."""
    columns = sold.columns
    for row, explanation in enumerate(model.explain(homes)):
        home = {name: float(column[row]) for name, column in homes.items()}
        own = np.flatnonzero(columns["realestate_type"] == home["realestate_type"])
        km = {place: away(home, columns, place) for place in own.tolist()}
        near = sorted(km, key=lambda place: km[place])[:50]
        weights = {}
        for place in near:
            days = home["day"] - columns["day"][place]
            if days < 0:
                continue
            unlike = abs(log(columns["usable_area"][place] / home["usable_area"])) / LIKE_AREA
            unlike += abs(columns["built_year"][place] - home["built_year"]) / LIKE_YEARS
            unlike += km[place] / (km[near[7]] + 0.05)
            weights[place] = 0.5 ** (days / HALF_LIFE) * np.exp(-unlike)
        best = sorted(weights, key=lambda place: -weights[place])[:5]
        found = explanation.comparables
        assert [told(sold, comparable) for comparable in found] == best
        assert [comparable.distance_km for comparable in found] == pytest.approx(
            [km[place] for place in best], abs=0.0051
        )
        for comparable, place in zip(found, best, strict=True):
            assert comparable.lat == round(float(columns["lat"][place]), 5)
            assert comparable.lon == round(float(columns["lon"][place]), 5)


def away(home: Mapping[str, float], columns: Mapping[str, Any], place: int) -> float:
    """km, by the haversine formula."""
    one = np.radians([home["lat"], home["lon"]])
    other = np.radians([columns["lat"][place], columns["lon"][place]])
    half = np.sin((one - other) / 2) ** 2
    share = half[0] + np.cos(one[0]) * np.cos(other[0]) * half[1]
    return float(2 * 6371.0088 * np.arcsin(np.sqrt(share)))


def test_adjusted_prices_follow_the_index(model: BoostedTrees, homes: Mapping[str, Any]) -> None:
    level = model.market.hedonic.index.level
    moved = 0
    for day, explanation in zip(homes["day"], model.explain(homes), strict=True):
        for comparable in explanation.comparables:
            was, then = (float(level([at])[0]) for at in (comparable.sold_on.toordinal(), day))
            expected = comparable.price * np.exp(then - was)
            assert comparable.adjusted_price == pytest.approx(expected, abs=1)
            moved += comparable.adjusted_price != comparable.price
    assert moved > 50


def test_no_comparable_was_sold_after_the_valuation(
    model: BoostedTrees, homes: Mapping[str, Any], sold: Dataset
) -> None:
    first = sold.columns["day"].min()
    counts = set()
    for day, explanation in zip(homes["day"].tolist(), model.explain(homes), strict=True):
        found = explanation.comparables
        assert all(comparable.sold_on.toordinal() <= day for comparable in found)
        assert len(found) <= 5
        counts.add(len(found))
        if day < first:
            assert found == ()
    assert {0, 5} < counts


def test_of_a_type_that_was_never_sold_there_are_no_comparables(sold: Dataset) -> None:
    model = TRAINER.fit(sold.where(sold.columns["realestate_type"] != 4), RECIPE)
    cabins = {**town(20).columns, "realestate_type": np.full(20, 4.0)}
    explained = model.explain(cabins)
    assert {explanation.comparables for explanation in explained} == {()}
    for explanation, price in zip(explained, model.estimate(cabins).tolist(), strict=True):
        assert explanation.base + sum(explanation.contributions.values()) == round(price)


def test_a_comparable_tells_where_it_is_but_not_who_sold() -> None:
    assert [item.name for item in fields(ComparableSale)] == [
        "price", "sold_on", "distance_km", "usable_area", "adjusted_price", "lat", "lon"
    ]  # fmt: skip


# The reference, and models without one


def test_the_reference_is_a_typical_sale_on_the_day_of_the_newest(sold: Dataset) -> None:
    columns = {**sold.columns, "realestate_type": np.where(np.arange(1_500) < 900, 3.0, 0.0)}
    found = {name: float(row[0]) for name, row in ReferenceHome.of(columns).columns().items()}
    assert found["realestate_type"] == 3
    assert found["day"] == columns["day"].max()
    places = [
        place
        for place in range(900)
        if all(
            columns[name][place] == value or (np.isnan(value) and np.isnan(columns[name][place]))
            for name, value in found.items()
            if name != "day"
        )
    ]
    assert len(places) == 1
    for name in NUMBERS:
        low, high = np.nanquantile(columns[name][:900], [0.1, 0.9])
        assert low <= found[name] <= high


def test_what_most_homes_do_not_tell_the_reference_does_not(sold: Dataset) -> None:
    columns = {**sold.columns, "floor": np.where(np.arange(1_500) % 3, np.nan, 2.0)}
    reference = ReferenceHome.of(columns)
    assert np.isnan(reference.floor).all()
    assert np.isfinite(reference.bedrooms).all()


def test_the_reference_of_one_sale_is_that_sale() -> None:
    columns = town(1).columns
    reference = ReferenceHome.of(columns)
    for name, row in reference.columns().items():
        np.testing.assert_array_equal(row, columns[name])


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("lat", np.array([np.nan])),
        ("day", np.array([np.inf])),
        ("floor", np.array([-np.inf])),
        ("lon", np.array([1.0, 2.0])),
        ("lon", np.array(1.0)),
        ("rooms", np.array([3])),
        ("realestate_type", np.array([5.0])),
        ("usable_area", np.array([0.0])),
        ("total_area", np.array([-1.0])),
    ],
)
def test_a_damaged_reference_is_refused(model: BoostedTrees, name: str, row: Any) -> None:
    with pytest.raises(ValueError, match="reference home"):
        BoostedTrees.from_arrays(model.arrays() | {f"reference_{name}": row})


def test_half_a_reference_is_refused(model: BoostedTrees) -> None:
    arrays = model.arrays()
    del arrays["reference_lat"]
    with pytest.raises(KeyError):
        BoostedTrees.from_arrays(arrays)


def test_without_a_reference_all_is_base_and_the_comparables_are_told(
    model: BoostedTrees, homes: Mapping[str, Any]
) -> None:
    kept = {name: row for name, row in model.arrays().items() if "reference_" not in name}
    older = BoostedTrees.from_arrays(kept)
    assert older.explain(homes) == [
        Explanation.whole(price, explanation.comparables)
        for price, explanation in zip(
            model.estimate(homes).tolist(), model.explain(homes), strict=True
        )
    ]


@pytest.mark.parametrize("naive", [TRAINER.baseline(town(90)), TRAINER.stub()])
def test_a_median_explains_nothing(naive: Any, homes: Mapping[str, Any]) -> None:
    prices = naive.estimate(homes).tolist()
    assert naive.explain(homes) == [Explanation(round(price), {}, ()) for price in prices]
