"""Pricing a batch of homes by a model that knows only how big they are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from math import inf, nan
from typing import Any

import pytest
from attrs import evolve, frozen

from ree.application.estimate_batch import EstimateBatch
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset, Sale
from ree.domain.errors import BatchTooLarge, EmptyBatch, InvalidProperties, ModelNotReady
from ree.domain.estimate import Home, OnInvalid, PriceEstimate, Refusal, ValuationDates
from ree.domain.explanation import Explanation
from ree.domain.model import Kind, LoadedModel, ModelVersion, Recipe, TrainingRecord
from ree.domain.ports import ActiveModel, Tabulate

DAY = date(2026, 1, 17)
FEATURES: dict[str, Any] = {
    "realestate_type": "enebolig",
    "municipality_number": 301,
    "lat": 59.9,
    "lon": 10.7,
    "built_year": 1990,
    "total_area": 2000,
    "bra": 100,
}


@frozen
class PerSquareMetre:
    """So much a m2; it counts no homes that it was not asked for."""

    price: float
    digest: str = "digest"

    def estimate(self, homes: Mapping[str, Any]) -> list[float]:
        return [area * self.price for area in homes["usable_area"]]

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        return Appraisal(self.estimate(homes))

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        """Nothing but their size adds to the price of a home of 100 m2."""
        base = 100 * self.price
        return [
            Explanation.of(base, {"size": price - base}, price) for price in self.estimate(homes)
        ]


@frozen
class Lists:
    def sales(self, sales: Sequence[Sale]) -> Dataset:
        raise NotImplementedError

    def homes(self, homes: Sequence[Home]) -> Mapping[str, Any]:
        assert homes
        return {"usable_area": [home.home.usable_area for home in homes]}


@frozen
class Loaded:
    """The model in use, or none."""

    model: LoadedModel | None

    def current(self) -> LoadedModel:
        if self.model is None:
            raise ModelNotReady
        return self.model


def loaded(price: float = 50_000, kind: Kind = Kind.TRAINED) -> Loaded:
    record = TrainingRecord(kind, Recipe("fast"), {}, trained_until=date(2025, 12, 31))
    version = ModelVersion("v1", datetime(2026, 1, 1, tzinfo=UTC), record, "digest")
    return Loaded(LoadedModel(version, PerSquareMetre(price)))


def batch(model: ActiveModel | None = None, **settings: Any) -> EstimateBatch:
    tabulate: Tabulate = Lists()
    return EstimateBatch(model or loaded(), tabulate, {"0301"}, **settings)


def home(property_id: str = "1", day: date = DAY, **changes: Any) -> Home:
    return Home.parse(property_id, FEATURES | changes, day)


def test_a_home_is_priced() -> None:
    assert batch()([home()]) == (PriceEstimate("1", 5_000_000, 50_000, "v1", DAY),)


def test_prices_are_whole_kroner() -> None:
    (answer,) = batch(loaded(50_000.006))([home()])
    assert answer == PriceEstimate("1", 5_000_001, 50_000, "v1", DAY)


def test_the_answers_are_in_the_order_of_the_homes() -> None:
    homes = [home("b", bra=200), home("a", lat=91), home("c", bra=300), home("d")]
    answers = batch()(homes, OnInvalid.SKIP)
    assert [answer.property_id for answer in answers] == ["b", "a", "c", "d"]
    prices = [answer.estimated_price for answer in answers if isinstance(answer, PriceEstimate)]
    assert prices == [10_000_000, 15_000_000, 5_000_000]


def test_estimates_are_explained_if_asked_for() -> None:
    homes = [home("a", bra=120), home("b", lat=91), home("c", bra=90)]
    plain = batch()(homes, OnInvalid.SKIP)
    first, refused, last = batch()(homes, OnInvalid.SKIP, explain=True)
    assert [getattr(answer, "explanation", None) for answer in plain] == [None] * 3
    assert isinstance(first, PriceEstimate)
    assert isinstance(last, PriceEstimate)
    assert first.explanation == Explanation(5_000_000, {"size": 1_000_000})
    assert last.explanation == Explanation(5_000_000, {"size": -500_000})
    assert (evolve(first, explanation=None), refused, evolve(last, explanation=None)) == plain


def test_where_no_home_is_priced_nothing_is_explained() -> None:
    bad = home("a", lat=91)
    assert batch()([bad], OnInvalid.SKIP, explain=True) == (Refusal("a", bad.faults),)


def test_one_invalid_home_refuses_the_batch_with_every_fault() -> None:
    homes = [home("a", lat=91, rooms=201), home("b"), home("c", lon=None)]
    with pytest.raises(InvalidProperties) as refused:
        batch()(homes)
    assert [(name, fault.code) for name, fault in refused.value.faults] == [
        ("a", "invalid:latlon"),
        ("a", "invalid:rooms"),
        ("c", "missing:lon"),
    ]


def test_an_invalid_home_can_be_skipped() -> None:
    bad = home("a", lat=91)
    assert batch()([bad], OnInvalid.SKIP) == (Refusal("a", bad.faults),)


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(EmptyBatch):
        batch()([])


def test_a_batch_has_a_limit() -> None:
    assert len(batch(max_batch=2)([home(), home()])) == 2
    with pytest.raises(BatchTooLarge, match="3 properties in one batch; at most 2"):
        batch(max_batch=2)([home(), home(), home()])


def test_without_a_model_there_is_no_estimate() -> None:
    with pytest.raises(ModelNotReady):
        batch(Loaded(None))([home()])


def test_a_stub_is_marked() -> None:
    (answer,) = batch(loaded(kind=Kind.STUB))([home()])
    assert isinstance(answer, PriceEstimate)
    assert answer.warnings == ("stub:model",)


def test_a_municipality_that_is_not_in_the_table_is_a_warning() -> None:
    (answer,) = batch()([home(municipality_number=302)])
    assert isinstance(answer, PriceEstimate)
    assert answer.warnings == ("unknown:municipality_number",)


def test_a_valuation_long_after_the_newest_sale() -> None:
    (late,) = batch()([home(day=date(2026, 7, 1))])
    assert isinstance(late, PriceEstimate)
    assert (late.warnings, late.valuation_date) == (("stale:valuation_date",), date(2026, 7, 1))
    (too_late,) = batch()([home(day=date(2027, 7, 1))], OnInvalid.SKIP)
    assert isinstance(too_late, Refusal)
    assert [fault.code for fault in too_late.faults] == ["out_of_domain:valuation_date"]


def test_how_long_is_a_setting() -> None:
    dates = ValuationDates(warn_months=0)
    (answer,) = batch(dates=dates)([home()])
    assert isinstance(answer, PriceEstimate)
    assert answer.warnings == ("stale:valuation_date",)


def test_every_warning_is_told() -> None:
    odd = home(day=date(2026, 7, 1), municipality_number=302)
    (answer,) = batch(loaded(kind=Kind.STUB))([odd])
    assert answer == evolve(
        PriceEstimate("1", 5_000_000, 50_000, "v1", date(2026, 7, 1)),
        warnings=("stale:valuation_date", "stub:model", "unknown:municipality_number"),
    )


@pytest.mark.parametrize("price", [0, -1, nan, inf])
def test_what_the_model_has_no_price_for_is_refused(price: float) -> None:
    (answer,) = batch(loaded(price))([home()], OnInvalid.SKIP)
    assert isinstance(answer, Refusal)
    with pytest.raises(InvalidProperties, match="1 property is invalid"):
        batch(loaded(price))([home()])
    assert [fault.code for fault in answer.faults] == ["out_of_domain:price"]
