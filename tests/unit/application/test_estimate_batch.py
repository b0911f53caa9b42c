"""Pricing a batch of homes by a model that knows only how big they are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from ree.application.estimate_batch import EstimateBatch
from ree.domain.appraisal import COVERAGES, Appraisal, Confidence, PriceInterval
from ree.domain.dataset import Dataset, DatasetManifest, Sale
from ree.domain.errors import BatchTooLarge, EmptyBatch, InvalidProperties, ModelNotReady
from ree.domain.estimate import Home, OnInvalid, PriceEstimate, Refusal, ValuationDates
from ree.domain.explanation import Explanation
from ree.domain.funnel import Funnel
from ree.domain.model import Kind, LoadedModel, ModelVersion, Recipe, TrainingRecord
from ree.domain.places import Place
from ree.domain.ports import ActiveModel, Tabulate
from ree.domain.reach import Reaches, Respect
from ree.domain.turnover import Period

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

    def places(self) -> list[Place]:
        return []


@frozen
class Lists:
    def sales(self, sales: Sequence[Sale]) -> Dataset:
        raise NotImplementedError

    def homes(self, homes: Sequence[Home]) -> Mapping[str, Any]:
        assert homes
        return {
            "usable_area": [home.home.usable_area for home in homes],
            "lat": [home.home.lat for home in homes],
            "municipality_number": [home.home.municipality_code for home in homes],
        }

    def renumber(self, columns: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[int]]:
        """219 became 301."""
        codes = columns["municipality_number"]
        today = [301 if code == 219 else code for code in codes]
        rows = [row for row, code in enumerate(codes) if code == 219]
        return {**columns, "municipality_number": today}, rows


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


def test_a_number_that_is_no_longer_in_force_is_a_warning() -> None:
    answers = batch()([home("a"), home("b", municipality_number=219), home("c")])
    assert [getattr(answer, "warnings", None) for answer in answers] == [
        (),
        ("renumbered:municipality_number",),
        (),
    ]


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


# How sure, and how far


@frozen
class Surveyor:
    """A price per m2, for homes near a latitude of 59.9. It is surer of small ones than of large.

    The standard deviation is a thousandth of the price per m2 of area, and an interval reaches as
    many of them as its coverage tells. Of 666 m2 it knows nothing.
    """

    digest: str = "digest"
    price: float = 50_000

    def estimate(self, homes: Mapping[str, Any]) -> Any:
        return np.array(homes["usable_area"]) * self.price

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        price, fsd = self.estimate(homes), np.array(homes["usable_area"]) / 1_000
        fsd = np.where(np.array(homes["usable_area"]) == 666, nan, fsd)
        distance = (np.array(homes["lat"]) - 59.9) * 100
        respects = (
            Respect("distance", "lat,lon", " km to the third nearest sale"),
            Respect("usable_area", "usable_area", " m2"),
        )

        def each(*bound: float) -> Any:
            return np.full((len(price), 2), bound)

        warn = each(-inf, 50), each(10, 300)
        refuse = each(-inf, 40), each(20, 1_000)
        return Appraisal(
            price,
            {share: (price * (1 - share * fsd), price * (1 + share * fsd)) for share in coverages},
            fsd,
            Reaches(respects, np.column_stack([distance, price / self.price]), warn, refuse),
        )

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        """Of homes that it gives an estimate of, and of no others."""
        found = self.appraise(homes, ()).reaches
        assert found is not None
        assert not found.refused.any()
        return [Explanation.whole(price) for price in self.estimate(homes).tolist()]


SURVEYOR = LoadedModel(loaded().current().version, Surveyor())


def surveyed(*homes: Home, coverage: float | None = None, **wishes: Any) -> Any:
    asked = wishes if coverage is None else wishes | {"coverage": coverage}
    return batch(Loaded(SURVEYOR))(homes, **asked)


def test_a_home_that_is_too_far_is_not_explained() -> None:
    near, far = surveyed(
        home("1"), home("2", lat=60.2), on_invalid=OnInvalid.SKIP, explain=True, coverage=0.8
    )
    assert near.explanation == Explanation(5_000_000, {})
    assert near.interval.coverage == 0.8
    assert isinstance(far, Refusal)


@pytest.mark.parametrize("coverage", COVERAGES)
def test_an_estimate_has_an_interval_of_the_coverage_that_was_asked_for(coverage: float) -> None:
    (answer,) = surveyed(home(), coverage=coverage)
    off = round(5_000_000 * 0.1 * coverage)
    assert answer.interval == PriceInterval(5_000_000 - off, 5_000_000 + off, coverage)
    assert (answer.estimated_price, answer.warnings) == (5_000_000, ())


def test_nine_of_ten_are_meant_where_nothing_is_asked_for() -> None:
    (answer,) = surveyed(home())
    assert answer.interval == PriceInterval(4_550_000, 5_450_000, 0.9)


@pytest.mark.parametrize(
    ("area", "confidence"),
    [
        (130, Confidence.HIGH),
        (131, Confidence.MEDIUM),
        (200, Confidence.MEDIUM),
        (201, Confidence.LOW),
    ],
)
def test_confidence_follows_the_standard_deviation(area: int, confidence: Confidence) -> None:
    (answer,) = surveyed(home(bra=area))
    assert (answer.fsd, answer.confidence) == (area / 1_000, confidence)


def test_of_a_home_that_it_is_not_sure_of_it_does_not_say_how_sure() -> None:
    sure, unsure = surveyed(home("1", bra=80), home("2", bra=666))
    assert sure.interval is not None
    assert (unsure.interval, unsure.fsd, unsure.confidence) == (None, None, None)
    assert unsure.estimated_price == 666 * 50_000


def test_a_model_that_does_not_know_how_far_off_it_is() -> None:
    (answer,) = batch()([home()], coverage=0.8)
    assert isinstance(answer, PriceEstimate)
    assert (answer.interval, answer.fsd, answer.confidence) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({"bra": 50}, ()),
        ({"bra": 49}, ("near_edge:usable_area",)),
        ({"bra": 40}, ("near_edge:usable_area",)),
        ({"bra": 300}, ()),
        ({"bra": 301}, ("near_edge:usable_area",)),
        ({"bra": 1_000}, ("near_edge:usable_area",)),
        ({"lat": 60.05}, ("near_edge:distance",)),
        ({"lat": 60.05, "bra": 45}, ("near_edge:distance", "near_edge:usable_area")),
    ],
)
def test_at_the_edge_of_what_was_sold_there_is_a_warning(
    changes: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    (answer,) = surveyed(home(**changes))
    assert isinstance(answer, PriceEstimate)
    assert answer.warnings == warnings
    assert answer.interval is not None


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"bra": 39}, ["out_of_domain:usable_area"]),
        ({"bra": 1_001}, ["out_of_domain:usable_area"]),
        ({"lat": 60.2}, ["out_of_domain:distance"]),
        ({"lat": 60.2, "bra": 39}, ["out_of_domain:distance", "out_of_domain:usable_area"]),
        ({"lat": 60.2, "bra": 45}, ["out_of_domain:distance"]),
    ],
)
def test_beyond_it_there_is_no_estimate_and_every_respect_is_told(
    changes: dict[str, Any], codes: list[str]
) -> None:
    (answer,) = surveyed(home(**changes), on_invalid=OnInvalid.SKIP)
    assert isinstance(answer, Refusal)
    assert [fault.code for fault in answer.faults] == codes
    with pytest.raises(InvalidProperties) as refused:
        surveyed(home("2"), home(**changes))
    assert [(name, fault.code) for name, fault in refused.value.faults] == [
        ("1", code) for code in codes
    ]


def test_a_refusal_has_the_figures() -> None:
    (answer,) = surveyed(home(lat=60.15, bra=39), on_invalid=OnInvalid.SKIP)
    assert [(fault.field, fault.message) for fault in answer.faults] == [
        ("lat,lon", "25 km to the third nearest sale; at most 20 is valued"),
        ("usable_area", "39 m2; at least 40 and at most 1,000 is valued"),
    ]


BATCH = (
    home("invalid", rooms=201),
    home("far", lat=60.2),
    home("small", bra=60),
    home("edge", bra=400),
    home("too small", bra=10),
    home("late", day=date(2027, 7, 1)),
    home("large", bra=200),
)


def test_the_others_are_priced_each_with_its_own() -> None:
    answers = surveyed(*BATCH, on_invalid=OnInvalid.SKIP)
    assert [answer.property_id for answer in answers] == [asked.property_id for asked in BATCH]
    priced = [answer for answer in answers if isinstance(answer, PriceEstimate)]
    assert [
        (answer.property_id, answer.estimated_price, answer.fsd, answer.warnings)
        for answer in priced
    ] == [
        ("small", 3_000_000, 0.06, ()),
        ("edge", 20_000_000, 0.4, ("near_edge:usable_area",)),
        ("large", 10_000_000, 0.2, ()),
    ]
    assert [answer.interval and answer.interval.upper for answer in priced] == [
        3_162_000,
        27_200_000,
        11_800_000,
    ]


def test_one_home_out_of_the_domain_refuses_the_batch_beside_the_invalid_ones() -> None:
    with pytest.raises(InvalidProperties) as refused:
        surveyed(*BATCH)
    assert [(name, fault.code) for name, fault in refused.value.faults] == [
        ("invalid", "invalid:rooms"),
        ("far", "out_of_domain:distance"),
        ("too small", "out_of_domain:usable_area"),
        ("late", "out_of_domain:valuation_date"),
    ]


def test_the_respects_in_which_a_home_is_far_come_after_how_old_the_model_is() -> None:
    (answer,) = surveyed(home(bra=45, day=date(2026, 7, 1), municipality_number=302))
    assert answer.warnings == (
        "stale:valuation_date",
        "near_edge:usable_area",
        "unknown:municipality_number",
    )


# Before the sales


MANIFEST = DatasetManifest(
    "d", Period(date(2023, 1, 1), date(2025, 12, 31)), "digest", Funnel(()), 1, 1, ()
)


@pytest.mark.parametrize(
    ("day", "warnings"),
    [
        ("2023-01-01", ()),
        ("2022-07-01", ()),
        ("2022-06-30", ("near_edge:valuation_date",)),
        ("2021-07-01", ("near_edge:valuation_date",)),
        ("2021-06-30", None),
    ],
)
def test_a_valuation_long_before_the_oldest_sale(
    day: str, warnings: tuple[str, ...] | None
) -> None:
    version = SURVEYOR.version
    known = evolve(version, record=evolve(version.record, dataset=MANIFEST))
    asked = home(day=date.fromisoformat(day))
    (answer,) = batch(Loaded(LoadedModel(known, Surveyor())))([asked], OnInvalid.SKIP)
    if warnings is None:
        assert isinstance(answer, Refusal)
        (fault,) = answer.faults
        assert fault.code == "out_of_domain:valuation_date"
        assert "18 months before the oldest sales (2023-01-01)" in fault.message
    else:
        assert isinstance(answer, PriceEstimate)
        assert answer.warnings == warnings
