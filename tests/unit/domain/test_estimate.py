"""What a home is valued for, and what is wrong with it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.domain.estimate import (
    CURRENCY,
    Home,
    OnInvalid,
    PriceEstimate,
    ValuationDates,
    id_faults,
)
from ree.domain.rules import Fault

DAY = date(2026, 1, 31)
FEATURES: dict[str, Any] = {
    "realestate_type": "leilighet",
    "municipality_number": 301,
    "lat": 59.9,
    "lon": 10.7,
    "built_year": 1990,
    "total_area": 80,
    "bra": 70,
    "floor": 2,
}


def faults(changes: dict[Any, Any], property_id: str = "1") -> list[tuple[str, str]]:
    home = Home.parse(property_id, FEATURES | changes, DAY)
    return [(fault.field, fault.code) for fault in home.faults]


def test_a_sound_home_has_no_faults() -> None:
    home = Home.parse("1", FEATURES, DAY)
    assert home.faults == ()
    assert (home.property_id, home.valuation_date, home.home.floor) == ("1", DAY, 2)


def test_a_home_that_was_not_parsed_has_only_the_faults_of_the_rules() -> None:
    home = Home.parse("1", FEATURES, DAY).home
    assert Home("1", home, DAY).faults == ()


@pytest.mark.parametrize("name", ["lat", "built_year", "realestate_type", "municipality_number"])
def test_what_was_given_but_cannot_be_read_is_not_also_missing(name: str) -> None:
    assert faults({name: []}) == [(name, f"invalid_type:{name}")]


def test_what_else_is_missing_is_told_without_it() -> None:
    assert faults({"lat": "59.9", "lon": None, "bra": None}) == [
        ("lat", "invalid_type:lat"),
        ("lon,usable_area", "missing:lon,usable_area"),
    ]


def test_the_message_of_what_is_missing_stays() -> None:
    home = Home.parse("1", FEATURES | {"lat": "59.9", "lon": None}, DAY)
    assert home.faults[1] == Fault("lon", "missing:lon", "must be given")


def test_a_floor_that_cannot_be_read_is_not_also_missing() -> None:
    assert faults({"floor": "2"}) == [("floor", "invalid_type:floor")]
    assert faults({"floor": None}) == [("floor", "missing:floor_for_leilighet")]


def test_a_rule_of_two_fields_is_told_when_one_of_them_can_be_read() -> None:
    assert faults({"lat": "59.9", "lon": 181}) == [
        ("lat", "invalid_type:lat"),
        ("lat,lon", "invalid:latlon"),
    ]


def test_a_usable_area_that_is_given_twice_is_not_judged_further() -> None:
    assert faults({"usable_area": 3}) == [("usable_area", "ambiguous:usable_area")]


def test_every_broken_rule_is_told() -> None:
    assert faults({"bra": 90, "rooms": 201, "size": 1}) == [
        ("size", "unknown:size"),
        ("total_area", "invalid:total_area_lt_bra"),
        ("rooms", "invalid:rooms"),
    ]


def test_of_what_is_not_an_object_nothing_else_is_told() -> None:
    home = Home.parse("x" * 65, ["leilighet"], DAY)
    assert [fault.code for fault in home.faults] == [
        "invalid:property_id",
        "invalid_type:property",
    ]


@pytest.mark.parametrize(("year", "sound"), [(2028, True), (2029, False)])
def test_the_built_year_is_judged_at_the_valuation(year: int, sound: bool) -> None:
    assert (faults({"built_year": year}) == []) is sound


@pytest.mark.parametrize("property_id", ["1", "x" * 64, " ", "~", "a b/c"])
def test_an_id_is_printable_ascii(property_id: str) -> None:
    assert id_faults(property_id) == ()


@pytest.mark.parametrize("property_id", ["", "x" * 65, "é", "a\n", "\x7f", "a\tb", "\ud800"])
def test_other_ids_are_a_fault(property_id: str) -> None:
    message = "must be 1 to 64 printable ASCII characters"
    fault = Fault("property_id", "invalid:property_id", message)
    assert id_faults(property_id) == (fault,)
    assert Home.parse(property_id, FEATURES, DAY).faults == (fault,)


NEWEST = date(2025, 8, 31)


@pytest.mark.parametrize(
    ("day", "codes", "warnings"),
    [
        ("2020-01-01", [], ()),
        ("2025-08-31", [], ()),
        ("2026-02-28", [], ()),
        ("2026-03-01", [], ("stale:valuation_date",)),
        ("2027-02-28", [], ("stale:valuation_date",)),
        ("2027-03-01", ["out_of_domain:valuation_date"], ()),
    ],
)
def test_a_valuation_is_not_far_from_the_newest_sale(
    day: str, codes: list[str], warnings: tuple[str, ...]
) -> None:
    found, warned = ValuationDates().look(date.fromisoformat(day), NEWEST)
    assert ([fault.code for fault in found], warned) == (codes, warnings)


def test_how_far_is_a_setting() -> None:
    dates = ValuationDates(warn_months=0, max_months=1)
    assert dates.look(date(2025, 9, 1), NEWEST) == ((), ("stale:valuation_date",))
    message = "is more than 1 months after the newest sale (2025-08-31) that the model knows"
    fault = Fault("valuation_date", "out_of_domain:valuation_date", message)
    assert dates.look(date(2025, 10, 1), NEWEST) == ((fault,), ())


OLDEST = date(2022, 8, 31)


@pytest.mark.parametrize(
    ("day", "codes", "warnings"),
    [
        ("2022-08-31", [], ()),
        ("2022-02-28", [], ()),
        ("2022-02-27", [], ("near_edge:valuation_date",)),
        ("2021-02-28", [], ("near_edge:valuation_date",)),
        ("2021-02-27", ["out_of_domain:valuation_date"], ()),
        ("1900-01-01", ["out_of_domain:valuation_date"], ()),
        ("2026-03-01", [], ("stale:valuation_date",)),
        ("2027-03-01", ["out_of_domain:valuation_date"], ()),
    ],
)
def test_a_valuation_is_not_far_from_the_oldest_sales_either(
    day: str, codes: list[str], warnings: tuple[str, ...]
) -> None:
    found, warned = ValuationDates().look(date.fromisoformat(day), NEWEST, OLDEST)
    assert ([fault.code for fault in found], warned) == (codes, warnings)


def test_how_far_before_is_the_same_setting() -> None:
    dates = ValuationDates(warn_months=0, max_months=1)
    assert dates.look(OLDEST, NEWEST, OLDEST) == ((), ())
    day_before = date(2022, 8, 30)
    assert dates.look(day_before, NEWEST, OLDEST) == ((), ("near_edge:valuation_date",))
    message = "is more than 1 months before the oldest sales (2022-08-31) that the model knows"
    fault = Fault("valuation_date", "out_of_domain:valuation_date", message)
    assert dates.look(date(2022, 7, 30), NEWEST, OLDEST) == ((fault,), ())


days = st.dates(date(2000, 1, 1), date(2050, 1, 1))


@given(days, days, days)
def test_a_date_is_usual_far_or_too_far(day: date, one: date, other: date) -> None:
    oldest, newest = sorted([one, other])
    found, warned = ValuationDates().look(day, newest, oldest)
    assert len(found) + len(warned) <= 1
    if oldest <= day <= newest:
        assert (found, warned) == ((), ())
    strict = ValuationDates(warn_months=0, max_months=0).look(day, newest, oldest)
    assert (strict[0] == ()) is (oldest <= day <= newest)


def test_a_model_whose_oldest_sale_nobody_knows_values_any_time_before() -> None:
    assert ValuationDates().look(date(1900, 1, 1), NEWEST) == ((), ())
    assert ValuationDates().look(date(1900, 1, 1), None, OLDEST)[0] != ()


def test_a_model_that_knows_no_sale_has_no_date() -> None:
    assert ValuationDates().look(date(2099, 1, 1), None) == ((), ())


def test_prices_are_in_kroner() -> None:
    estimate = PriceEstimate("1", 5_000_000, 50_000, "v", DAY)
    assert estimate.currency == CURRENCY == "NOK"
    assert estimate.warnings == ()
    assert (estimate.interval, estimate.fsd, estimate.confidence) == (None, None, None)


def test_what_to_do_with_an_invalid_home_is_asked_for_by_these_words() -> None:
    assert [choice.value for choice in OnInvalid] == ["fail", "skip"]
