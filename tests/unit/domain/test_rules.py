"""The row rules: one home and a column get the same answer."""

from collections import Counter
from collections.abc import Mapping
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.domain.rules import PROPERTY_RULES, TRAINING_RULES, Fault, faults, missing_code, sort_out

VALID = {
    "price": 5_000_000.0,
    "realestate_type": 0.0,
    "municipality_number": 301.0,
    "lat": 59.9,
    "lon": 10.7,
    "built_year": 1990.0,
    "total_area": 200.0,
    "usable_area": 150.0,
    "floor": nan,
    "bedrooms": nan,
    "rooms": nan,
    "year": 2026.0,
}
RULES = {
    "missing:floor_for_leilighet": ("floor", "is needed for a leilighet"),
    "invalid:realestate_type": (
        "realestate_type",
        "must be enebolig, tomannsbolig, rekkehus, leilighet or hytte",
    ),
    "unsupported:realestate_type": (
        "realestate_type",
        "næringseiendom (commercial property) is not valued",
    ),
    "invalid:municipality_number": (
        "municipality_number",
        "must be four digits, as 0301 for Oslo",
    ),
    "invalid:latlon": (
        "lat,lon",
        "must be degrees, lat between -90 and 90 and lon between -180 and 180",
    ),
    "invalid:built_year": (
        "built_year",
        "must lie between 1600 and two years after the sale or valuation",
    ),
    "invalid:usable_area": ("usable_area", "must lie between 5 and 5,000 m2"),
    "invalid:total_area": ("total_area", "must lie between 5 and 1,000,000 m2"),
    "invalid:total_area_lt_bra": ("total_area", "must not be smaller than the usable area"),
    "invalid:floor": ("floor", "must lie between -20 and 100"),
    "invalid:bedrooms": ("bedrooms", "must lie between 0 and 100"),
    "invalid:rooms": ("rooms", "must lie between 0 and 200"),
}
OUTLIER = (
    "price",
    "must lie between 1,000 and 1,000,000 NOK per m2 of usable area",
)


def codes(row: Mapping[str, float]) -> list[str]:
    return [rule.code for rule in TRAINING_RULES if rule.broken(row)]


def columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in VALID}


def test_the_rules_stand_in_this_order_with_these_messages() -> None:
    told = {rule.code: (rule.field, rule.message) for rule in TRAINING_RULES}
    assert list(told.items()) == [*RULES.items(), ("outlier:price_per_sqm", OUTLIER)]
    assert TRAINING_RULES[:-1] == PROPERTY_RULES


def test_a_valid_row_breaks_none() -> None:
    assert codes(VALID) == []


@pytest.mark.parametrize(
    "inside",
    [
        {"realestate_type": 4},
        {"realestate_type": 3, "floor": 0},
        {"municipality_number": 1},
        {"municipality_number": 9999},
        {"lat": -90},
        {"lat": 90},
        {"lon": -180},
        {"lon": 180},
        {"built_year": 1600},
        {"built_year": 2028},
        {"usable_area": 5, "total_area": 5, "price": 5_000},
        {"usable_area": 5_000, "total_area": 1_000_000},
        {"total_area": 150},
        {"floor": -20},
        {"floor": 100},
        {"bedrooms": 0},
        {"bedrooms": 100},
        {"rooms": 0},
        {"rooms": 200},
        {"price": 150_000},
        {"price": 150_000_000},
    ],
    ids=str,
)
def test_bounds_are_inclusive(inside: dict[str, float]) -> None:
    assert codes(VALID | inside) == []


@pytest.mark.parametrize(
    ("beyond", "code"),
    [
        ({"realestate_type": 3}, "missing:floor_for_leilighet"),
        ({"realestate_type": -1}, "invalid:realestate_type"),
        ({"realestate_type": 6}, "invalid:realestate_type"),
        ({"realestate_type": 5}, "unsupported:realestate_type"),
        ({"municipality_number": 0}, "invalid:municipality_number"),
        ({"municipality_number": -1}, "invalid:municipality_number"),
        ({"municipality_number": 10_000}, "invalid:municipality_number"),
        ({"lat": -90.001}, "invalid:latlon"),
        ({"lat": 90.001}, "invalid:latlon"),
        ({"lon": -180.001}, "invalid:latlon"),
        ({"lon": 180.001}, "invalid:latlon"),
        ({"lat": inf}, "invalid:latlon"),
        ({"lat": 91, "lon": 181}, "invalid:latlon"),
        ({"built_year": 1599}, "invalid:built_year"),
        ({"built_year": 2029}, "invalid:built_year"),
        ({"built_year": 2028, "year": 2025}, "invalid:built_year"),
        ({"usable_area": 4.9, "total_area": 5, "price": 5_000}, "invalid:usable_area"),
        ({"usable_area": 5_001, "total_area": 5_001, "price": 9e6}, "invalid:usable_area"),
        ({"total_area": 1_000_001}, "invalid:total_area"),
        ({"total_area": 149.9}, "invalid:total_area_lt_bra"),
        ({"floor": -21}, "invalid:floor"),
        ({"floor": 101}, "invalid:floor"),
        ({"bedrooms": -1}, "invalid:bedrooms"),
        ({"bedrooms": 101}, "invalid:bedrooms"),
        ({"rooms": -1}, "invalid:rooms"),
        ({"rooms": 201}, "invalid:rooms"),
        ({"price": 149_999}, "outlier:price_per_sqm"),
        ({"price": 150_000_001}, "outlier:price_per_sqm"),
    ],
    ids=str,
)
def test_one_step_beyond_a_bound_breaks_its_rule(beyond: dict[str, float], code: str) -> None:
    assert codes(VALID | beyond) == [code]


def test_a_total_area_below_its_bound() -> None:
    row = VALID | {"total_area": 4.9, "usable_area": nan}
    assert codes(row) == ["invalid:total_area"]


def test_one_home_hears_of_everything_that_is_wrong() -> None:
    row = VALID | {"lat": nan, "built_year": nan, "lon": 181, "rooms": 201, "price": nan}
    assert faults(row) == (
        Fault("built_year,lat", "missing:built_year,lat", "must be given"),
        Fault("lat,lon", "invalid:latlon", RULES["invalid:latlon"][1]),
        Fault("rooms", "invalid:rooms", RULES["invalid:rooms"][1]),
    )
    assert faults(VALID) == ()


def test_a_home_to_value_needs_no_price() -> None:
    assert faults(VALID | {"price": nan}) == ()


def test_the_code_of_what_is_missing_has_the_fields_in_order() -> None:
    assert missing_code(["price", "lat", "lon"]) == "missing:lat,lon,price"


REQUIRED = {
    "price",
    "realestate_type",
    "municipality_number",
    "lat",
    "lon",
    "built_year",
    "total_area",
    "usable_area",
}


@pytest.mark.parametrize("field", sorted(REQUIRED))
def test_a_row_to_train_on_lacks_nothing(field: str) -> None:
    mask, counts = sort_out(columns([VALID, VALID | {field: nan, "rooms": 201}]))
    assert (mask.tolist(), counts) == ([True, False], {f"missing:{field}": 1})


def test_rows_that_lack_the_same_fields_count_together() -> None:
    lacks = {"lat": nan, "price": nan, "built_year": nan}
    mask, counts = sort_out(columns([VALID | lacks, VALID, VALID | {"lat": nan}, VALID | lacks]))
    assert mask.tolist() == [False, True, False, False]
    assert counts == {"missing:built_year,lat,price": 2, "missing:lat": 1}


def test_a_row_counts_under_the_first_rule_it_breaks() -> None:
    rows = [
        VALID | {"realestate_type": 3, "lat": 91, "rooms": 201},
        VALID | {"lat": 91, "rooms": 201},
        VALID | {"rooms": 201, "price": 1},
        VALID | {"price": 1},
    ]
    assert list(sort_out(columns(rows))[1].items()) == [
        ("missing:floor_for_leilighet", 1),
        ("invalid:latlon", 1),
        ("invalid:rooms", 1),
        ("outlier:price_per_sqm", 1),
    ]


def test_no_rows_are_sorted_out_too() -> None:
    mask, counts = sort_out({name: np.array([]) for name in VALID})
    assert (mask.tolist(), counts) == ([], {})


EDGES: dict[str, list[float]] = {
    "price": [nan, 1, 149_999, 150_000, 150_000_000, 150_000_001],
    "realestate_type": [nan, -1, 3, 4, 5, 6],
    "municipality_number": [nan, -1, 0, 1, 9999, 10_000],
    "lat": [nan, -inf, -91, -90, 90, 91],
    "lon": [nan, -181, -180, 180, 181, inf],
    "built_year": [nan, 1599, 1600, 2027, 2028, 2029],
    "total_area": [nan, 4, 5, 149, 150, 1e6, 1e6 + 1],
    "usable_area": [nan, 4, 5, 200, 201, 5_000, 5_001],
    "floor": [nan, -21, -20, 0, 100, 101],
    "bedrooms": [nan, -1, 0, 100, 101],
    "rooms": [nan, -1, 0, 200, 201],
    "year": [2025, 2027],
}
CHANGES = st.sampled_from([(name, float(edge)) for name, edges in EDGES.items() for edge in edges])
ROWS = st.lists(
    st.lists(CHANGES, max_size=5).map(lambda changes: VALID | dict(changes)), max_size=20
)


def first_code(row: Mapping[str, float]) -> str | None:
    """What design.md says of a row, told another way than the rules tell it."""

    def within(name: str, low: float, high: float) -> bool:
        return isnan(row[name]) or low <= row[name] <= high

    absent = sorted(name for name in REQUIRED if isnan(row[name]))
    if absent:
        return "missing:" + ",".join(absent)
    kind, usable = row["realestate_type"], row["usable_area"]
    if kind == 3 and isnan(row["floor"]):
        return "missing:floor_for_leilighet"
    if kind == 5:
        return "unsupported:realestate_type"
    if kind not in {0, 1, 2, 3, 4}:
        return "invalid:realestate_type"
    bounds = {
        "municipality_number": within("municipality_number", 1, 9999),
        "latlon": within("lat", -90, 90) and within("lon", -180, 180),
        "built_year": within("built_year", 1600, row["year"] + 2),
        "usable_area": within("usable_area", 5, 5_000),
        "total_area": within("total_area", 5, 1_000_000),
        "total_area_lt_bra": row["total_area"] >= usable,
        "floor": within("floor", -20, 100),
        "bedrooms": within("bedrooms", 0, 100),
        "rooms": within("rooms", 0, 200),
    }
    for name, kept in bounds.items():
        if not kept:
            return f"invalid:{name}"
    return None if 1_000 <= row["price"] / usable <= 1_000_000 else "outlier:price_per_sqm"


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(ROWS)
def test_every_rule_says_the_same_of_a_home_and_of_a_column(rows: list[dict[str, float]]) -> None:
    for rule in (*PROPERTY_RULES, *TRAINING_RULES):
        column = rule.broken(columns(rows))
        assert column.dtype == bool
        assert column.tolist() == [rule.broken(row) for row in rows], rule.code


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(ROWS)
def test_a_column_is_sorted_out_as_its_rows_are(rows: list[dict[str, float]]) -> None:
    firsts = [first_code(row) for row in rows]
    mask, counts = sort_out(columns(rows))
    assert mask.tolist() == [code is None for code in firsts]
    assert counts == Counter(code for code in firsts if code)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(ROWS)
def test_a_home_is_refused_when_its_row_would_be(rows: list[dict[str, float]]) -> None:
    for row in rows:
        usable = row["usable_area"]
        fair = row | {"price": 5_000_000 if isnan(usable) else 50_000 * usable}
        assert next((fault.code for fault in faults(fair)), None) == first_code(fair)
