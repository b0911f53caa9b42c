"""Reading a home strictly."""

from math import isnan, nan
from typing import Any

import pytest

from ree.domain.property import MOST_FIELDS, TYPE_CODES, Property, RealEstateType, padded
from ree.domain.rules import COMMERCIAL, LEILIGHET, PROPERTY_RULES, Fault, faults

FEATURES: dict[str, Any] = {
    "realestate_type": "enebolig",
    "municipality_number": 4003,
    "lat": 59.21,
    "lon": 9.584,
    "built_year": 2016,
    "total_area": 472.8,
    "bra": 167,
    "bedrooms": 2,
    "rooms": 4,
}
HOME = Property("enebolig", "4003", 59.21, 9.584, 2016, 472.8, 167, None, 2, 4)
NUMBERS = ["lat", "lon", "built_year", "total_area", "usable_area", "floor", "bedrooms", "rooms"]
HUGE = [pytest.param(10**400, id="10**400"), pytest.param(-(10**400), id="-10**400")]
IGNORED = ["gnr_number", "bnr_number", "snr_number"]


def test_a_home_is_read() -> None:
    assert Property.parse(FEATURES) == (HOME, ())


def test_bra_and_usable_area_are_two_spellings() -> None:
    spelled = {"usable_area" if name == "bra" else name: FEATURES[name] for name in FEATURES}
    assert Property.parse(spelled) == (HOME, ())


@pytest.mark.parametrize("features", [None, [], "enebolig", 5, [("lat", 59.0)]])
def test_features_are_an_object(features: object) -> None:
    fault = Fault("", "invalid_type:property", "must be an object of features")
    assert Property.parse(features) == (Property(), (fault,))


@pytest.mark.parametrize("value", [True, False, "59.2", "", [], {}, 1j, b"1"])
@pytest.mark.parametrize("name", [*NUMBERS, *IGNORED])
def test_a_number_is_a_number(name: str, value: object) -> None:
    home, found = Property.parse({name: value})
    assert (home, found) == (
        Property(),
        (Fault(name, f"invalid_type:{name}", "must be a number"),),
    )


@pytest.mark.parametrize("value", [nan, float("inf"), float("-inf"), *HUGE])
@pytest.mark.parametrize("name", [*NUMBERS, *IGNORED])
def test_a_number_is_finite(name: str, value: float) -> None:
    home, found = Property.parse({name: value})
    assert (home, found) == (
        Property(),
        (Fault(name, f"not_finite:{name}", "must be a finite number"),),
    )


@pytest.mark.parametrize("value", [1.7976931348623157e308, -1.7976931348623157e308, 0, -5])
def test_whether_a_number_makes_sense_is_for_the_rules(value: float) -> None:
    assert Property.parse({"lat": value}) == (Property(lat=value), ())


def test_a_fault_of_bra_is_one_of_the_usable_area() -> None:
    _, found = Property.parse({"bra": "167"})
    assert [(fault.field, fault.code) for fault in found] == [
        ("usable_area", "invalid_type:usable_area")
    ]


@pytest.mark.parametrize("value", [3, True, ["enebolig"]])
def test_a_type_is_a_text(value: object) -> None:
    fault = Fault("realestate_type", "invalid_type:realestate_type", "must be a text")
    assert Property.parse({"realestate_type": value}) == (Property(), (fault,))


@pytest.mark.parametrize("value", [301, "301", "0301"])
def test_a_municipality_is_kept_as_four_digits(value: object) -> None:
    home, found = Property.parse({"municipality_number": value})
    assert (home.municipality_number, home.municipality_code, found) == ("0301", 301, ())


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        301.0,
        "30a",
        "",
        " 301",
        "-301",
        "+301",
        "٣٠١",
        [301],
        pytest.param(10**5000, id="huge"),
    ],
)
def test_a_municipality_is_digits(value: object) -> None:
    fault = Fault(
        "municipality_number",
        "invalid_type:municipality_number",
        'must be digits, as 301 or "0301"',
    )
    assert Property.parse({"municipality_number": value}) == (Property(), (fault,))


@pytest.mark.parametrize("value", ["00301", 10_000, "12345", -1, -301, 0, "0000", 1_000_301])
def test_digits_that_are_no_municipality_break_the_rule(value: object) -> None:
    home, found = Property.parse(FEATURES | {"municipality_number": value})
    codes = [fault.code for fault in (*found, *faults(home.values(year=2026)))]
    assert codes == ["invalid:municipality_number"]


@pytest.mark.parametrize(
    ("given", "kept"), [(1, "0001"), ("42", "0042"), ("5001", "5001"), (None, None)]
)
def test_municipalities_are_padded(given: int | str | None, kept: str | None) -> None:
    assert padded(given) == kept
    assert Property(municipality_number=given).municipality_number == kept


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("size", "size"),
        ("Lat", "Lat"),
        ("prïce", "pr\\xefce"),
        (5, "5"),
        ("x" * 65, "x" * 64),
        ("\ud800", "\\ud800"),
    ],
)
@pytest.mark.parametrize("value", [1, None])
def test_an_unknown_field_is_a_fault(name: object, shown: str, value: object) -> None:
    message = "is not a field; the API documentation lists them"
    assert Property.parse({name: value}) == (
        Property(),
        (Fault(shown, f"unknown:{shown}", message),),
    )


def test_the_usable_area_is_given_once() -> None:
    _, found = Property.parse({"bra": 100, "usable_area": 100})
    message = "is given twice, as bra and usable_area; give one of them"
    assert found == (Fault("usable_area", "ambiguous:usable_area", message),)


@pytest.mark.parametrize("absent", ["bra", "usable_area"])
def test_null_is_absent(absent: str) -> None:
    features = {"bra": 167, "usable_area": 167} | dict.fromkeys([*IGNORED, "floor", absent])
    assert Property.parse(features) == (Property(usable_area=167), ())


def test_ignored_fields_are_accepted_and_not_used() -> None:
    assert Property.parse(dict.fromkeys(IGNORED, 5)) == (Property(), ())


def test_every_fault_is_told_and_what_can_be_read_is_read() -> None:
    home, found = Property.parse({"lat": "59", "lon": 10.7, "size": 3, "rooms": True})
    assert home == Property(lon=10.7)
    assert [fault.code for fault in found] == [
        "invalid_type:lat",
        "unknown:size",
        "invalid_type:rooms",
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("enebolig", 0),
        ("tomannsbolig", 1),
        ("rekkehus", 2),
        ("leilighet", 3),
        ("hytte", 4),
        ("næringseiendom", 5),
        ("Enebolig", -1),
        ("slott", -1),
    ],
)
def test_types_have_codes(name: str, code: int) -> None:
    assert Property(name).type_code == code


def test_the_codes_agree_with_each_other() -> None:
    assert {kind.code for kind in RealEstateType} == set(range(5))
    assert TYPE_CODES[RealEstateType.LEILIGHET.value] == LEILIGHET
    assert TYPE_CODES["næringseiendom"] == COMMERCIAL


def test_the_rules_look_at_numbers() -> None:
    values = HOME.values(year=2026, price=5_000_000)
    floor = values.pop("floor")
    assert isnan(floor)
    assert values == {
        "realestate_type": 0,
        "municipality_number": 4003,
        "lat": 59.21,
        "lon": 9.584,
        "built_year": 2016,
        "total_area": 472.8,
        "usable_area": 167,
        "bedrooms": 2,
        "rooms": 4,
        "price": 5_000_000,
        "year": 2026,
    }


def test_what_is_unknown_is_nan() -> None:
    values = Property().values(year=2026)
    assert values.pop("year") == 2026
    assert len(values) == 11
    assert all(isnan(value) for value in values.values())


def test_an_unknown_home_breaks_no_rule_but_lacks_all() -> None:
    values = Property().values(year=2026)
    assert not any(rule.broken(values) for rule in PROPERTY_RULES)
    assert [fault.field for fault in faults(values)] == [
        "built_year,lat,lon,municipality_number,realestate_type,total_area,usable_area"
    ]


def test_a_flood_of_fields_is_one_fault() -> None:
    few = {f"field{number}": 1 for number in range(MOST_FIELDS)}
    assert len(Property.parse(few)[1]) == MOST_FIELDS
    home, [fault] = Property.parse(few | {"one more": 1})
    assert (home, fault.code) == (Property(), "invalid_type:property")
    assert "101 fields" in fault.message
