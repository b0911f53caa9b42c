"""Within which bounds homes are valued: by what was sold of their type, and how near."""

from collections.abc import Callable
from datetime import date
from math import exp, inf, log, nan
from typing import Any

import numpy as np
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.adapters.features import FEATURES
from ree.adapters.training_domain import TrainingDomain, nearness
from ree.domain.reach import Reaches, Respect
from ree.domain.rules import Fault

ENEBOLIG, REKKEHUS, LEILIGHET, HYTTE = 0, 2, 3, 4
DAY = date(2026, 1, 1).toordinal()
NEAR = 1.0
"""km"""
NOT_FAR = np.array([0.5, nan, 3.0])
"""km that the newest sales were from those before."""


def homes(**columns: Any) -> dict[str, Any]:
    """Sound ones, on the first day of 2026; what is given may be one number for all."""
    rows = max((np.size(column) for column in columns.values()), default=1)
    usual = {
        "day": DAY,
        "realestate_type": ENEBOLIG,
        "usable_area": 100,
        "total_area": 500,
        "built_year": 1976,
        "municipality_number": 301,
        "lat": 59.9,
        "lon": 10.7,
    }
    return {
        name: np.broadcast_to(np.array(column, dtype=float), rows)
        for name, column in (usual | columns).items()
    }


@frozen
class Told:
    """Of homes in one respect, as columns."""

    respect: Respect
    value: Any
    warned: Any
    refused: Any
    faults: tuple[Fault, ...]
    """Of the first home, in any respect."""


def told(reaches: Reaches) -> list[Told]:
    return [
        Told(
            respect,
            reaches.value[:, place],
            reaches.warned[:, place],
            reaches.refused[:, place],
            reaches.faults(0) if len(reaches.value) else (),
        )
        for place, respect in enumerate(reaches.respects)
    ]


def reach(domain: TrainingDomain, what: str, distance: float = NEAR, **columns: Any) -> Told:
    asked = homes(**columns)
    found = told(domain.reaches(asked, np.full(len(asked["day"]), distance)))
    return next(each for each in found if each.respect.what == what)


def answer(found: Told) -> str:
    """Of one home."""
    assert found.warned[0] or not found.refused[0]
    return {(0, 0): "usual", (1, 0): "near_edge", (1, 1): "out_of_domain"}[
        int(found.warned[0]), int(found.refused[0])
    ]


# What was sold: 101 enebolig of 100 to 200 m2 on plots of 400 to 1400 m2, built 1926 to 2026.
HUNDRED_AND_ONE = np.arange(101.0)
SOLD = homes(
    usable_area=100 + HUNDRED_AND_ONE,
    total_area=400 + 10 * HUNDRED_AND_ONE,
    built_year=1926 + HUNDRED_AND_ONE,
)
DOMAIN = TrainingDomain.of(SOLD, NOT_FAR)
YEAR = 1 + DAY / 365.2425
"""2026, give or take half a day."""


def test_bounds_by_hand() -> None:
    """Refused a quarter beyond what was sold, or 25 years; warned beyond 0.5 and 99.5 %."""
    newest, oldest = YEAR - 2026, YEAR - 1926
    assert DOMAIN.bounds[:, ENEBOLIG] == pytest.approx(
        np.array(
            [
                [100 / 1.25, 100.5, 199.5, 200 * 1.25],
                [400 / 1.25, 405.0, 1_395.0, 1_400 * 1.25],
                [newest - 25, newest + 0.5, oldest - 0.5, oldest + 25],
            ]
        )
    )


@pytest.mark.parametrize(
    ("what", "field", "sizes"),
    [
        ("usable_area", "usable_area", (80, 100.5, 199.5, 250)),
        ("total_area", "total_area", (320, 405, 1_395, 1_750)),
    ],
)
def test_areas_that_are_valued(what: str, field: str, sizes: tuple[float, ...]) -> None:
    low, usual_low, usual_high, high = sizes
    for size, expected in [
        (low - 0.01, "out_of_domain"),
        (low, "near_edge"),
        (usual_low - 0.01, "near_edge"),
        (usual_low, "usual"),
        (usual_high, "usual"),
        (usual_high + 0.01, "near_edge"),
        (high, "near_edge"),
        (high + 0.01, "out_of_domain"),
    ]:
        found = reach(DOMAIN, what, **{what: size})
        assert (size, answer(found)) == (size, expected)
        assert (found.respect.field, found.respect.unit) == (field, " m2")


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (1900.9, "out_of_domain"),
        (1901.1, "near_edge"),
        (1926.4, "near_edge"),
        (1926.6, "usual"),
        (2025.4, "usual"),
        (2025.6, "near_edge"),
        (2050.9, "near_edge"),
        (2051.1, "out_of_domain"),
    ],
)
def test_ages_that_are_valued(built: float, expected: str) -> None:
    found = reach(DOMAIN, "age", built_year=built)
    assert (answer(found), found.respect.field, found.respect.unit) == (
        expected,
        "built_year",
        " years",
    )


def test_age_is_that_on_the_day() -> None:
    """A home ages: what was usual when it was valued once may not be so decades later."""
    later = date(2066, 1, 1).toordinal()
    assert answer(reach(DOMAIN, "age", built_year=1950)) == "usual"
    assert answer(reach(DOMAIN, "age", built_year=1950, day=later)) == "near_edge"
    assert answer(reach(DOMAIN, "age", built_year=1930, day=later)) == "out_of_domain"


def test_each_type_has_bounds_of_its_own() -> None:
    sold = homes(
        realestate_type=np.repeat([ENEBOLIG, HYTTE], 60),
        usable_area=np.repeat([200.0, 40.0], 60),
    )
    domain = TrainingDomain.of(sold, NOT_FAR)
    found = reach(domain, "usable_area", realestate_type=[ENEBOLIG, HYTTE], usable_area=[40, 200])
    assert found.refused.tolist() == [True, True]
    found = reach(domain, "usable_area", realestate_type=[HYTTE, ENEBOLIG], usable_area=[40, 200])
    assert not found.warned.any()
    assert domain.sales.tolist() == [60, 0, 0, 0, 60]


def test_of_a_type_that_was_never_sold_only_that_is_told() -> None:
    asked = homes(realestate_type=REKKEHUS, usable_area=[5, 5_000], built_year=[1600, 2028])
    reaches = told(DOMAIN.reaches(asked, np.array([NEAR, NEAR])))
    assert {found.respect.what for found in reaches if found.refused.any()} == {"realestate_type"}
    assert {found.respect.what for found in reaches if found.warned.any()} == {"realestate_type"}
    assert np.isnan(DOMAIN.bounds[:, REKKEHUS]).all()
    (fault,) = reach(DOMAIN, "realestate_type", realestate_type=REKKEHUS).faults
    assert fault.message == "0 sales of this type; at least 10 is valued"
    assert (fault.field, fault.code) == ("realestate_type", "out_of_domain:realestate_type")


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "out_of_domain"),
        (9, "out_of_domain"),
        (10, "near_edge"),
        (49, "near_edge"),
        (50, "usual"),
        (1_000, "usual"),
    ],
)
def test_sales_of_a_type_that_it_takes(count: int, expected: str) -> None:
    sold = homes(realestate_type=[REKKEHUS] * count + [LEILIGHET] * 200)
    domain = TrainingDomain.of(sold, NOT_FAR)
    assert answer(reach(domain, "realestate_type", realestate_type=REKKEHUS)) == expected
    assert answer(reach(domain, "realestate_type", realestate_type=LEILIGHET)) == "usual"


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (0, "usual"),
        (10, "usual"),
        (np.nextafter(10, inf), "near_edge"),
        (20, "near_edge"),
        (np.nextafter(20, inf), "out_of_domain"),
        (nan, "usual"),
    ],
)
def test_the_third_nearest_sale_may_be_so_far(distance: float, expected: str) -> None:
    found = reach(DOMAIN, "distance", distance)
    assert answer(found) == expected
    assert found.respect.field == "lat,lon"


def test_what_is_too_far_is_told_in_km() -> None:
    (fault,) = reach(DOMAIN, "distance", 23.456).faults
    assert fault.message == "23.456 km to the third nearest sale; at most 20 is valued"
    assert fault.code == "out_of_domain:distance"


def test_nearness_is_that_of_the_third_sale_in_km() -> None:
    x = np.full((4, len(FEATURES)), 77.0)
    x[:, FEATURES.index("any_distance_3")] = [log(0.01), log(10.01), log(20.01), nan]
    assert nearness(x)[:3] == pytest.approx([0, 10, 20], abs=1e-12)
    assert np.isnan(nearness(x)[3])
    assert exp(log(20.01)) == pytest.approx(20.01)


def test_respects_are_told_in_this_order() -> None:
    reaches = DOMAIN.reaches(homes(), np.array([NEAR]))
    assert [respect.what for respect in reaches.respects] == [
        "distance",
        "realestate_type",
        "usable_area",
        "total_area",
        "age",
        "municipality_number",
    ]


def test_no_homes_have_no_reach() -> None:
    none = {name: column[:0] for name, column in homes().items()}
    assert DOMAIN.reaches(none, np.empty(0)).refused.shape == (0, 6)


kind = st.sampled_from([ENEBOLIG, LEILIGHET])
size, times, built = st.floats(5, 5_000), st.floats(1, 10), st.integers(1600, 2027)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(kind, size, times, built),
        min_size=1,
        max_size=60,
    )
)
def test_no_sale_is_refused_for_its_own_size_or_age(
    sold: list[tuple[int, float, float, int]],
) -> None:
    """And bounds are in order, so that they can be read again."""
    types, usable, plot, years = (np.array(column, float) for column in zip(*sold, strict=True))
    columns = homes(
        realestate_type=types, usable_area=usable, total_area=usable * plot, built_year=years
    )
    domain = TrainingDomain.of(columns, NOT_FAR)
    assert domain.sales.sum() == len(sold)
    for found in told(domain.reaches(columns, np.zeros(len(sold))))[2:]:
        assert not found.refused.any()
    again = TrainingDomain.from_arrays(domain.arrays())
    np.testing.assert_array_equal(again.bounds, domain.bounds)


@pytest.mark.parametrize(
    ("distances", "limits"),
    [
        ([], (10, 20)),
        ([nan], (10, 20)),
        (np.linspace(0, 20, 101), (19, 20)),
        (np.linspace(0, 100, 101), (95, 99)),
        ([*np.linspace(0, 100, 101), nan], (95, 99)),
    ],
)
def test_where_sales_are_sparse_the_limits_are_what_the_newest_had(
    distances: Any, limits: tuple[float, float]
) -> None:
    domain = TrainingDomain.of(homes(), np.array(distances, dtype=float))
    assert tuple(domain.distance) == limits
    for km, said in ((limits[0], "usual"), (limits[1], "near_edge"), (99.01, "out_of_domain")):
        assert answer(reach(domain, "distance", km)) == said


# Sold in 0301 from 59 to 60 degrees north and 10 to 11 east, in 1103 in one place.
PLACES = TrainingDomain.of(
    homes(
        municipality_number=[301, 301, 301, 1103],
        lat=[59, 60, 59.5, 58.9],
        lon=[10.5, 11, 10, 5.7],
    ),
    NOT_FAR,
)


@pytest.mark.parametrize(
    ("number", "lat", "lon", "km"),
    [
        (301, 59.0, 10.0, 0),
        (301, 59.3, 10.9, 0),
        (301, 60.1, 10.5, 11.12),
        (301, 58.9, 10.5, 11.12),
        (301, 59.5, 12.0, 111.2 * 0.50754),
        (1103, 58.9, 5.7, 0),
        (1103, 59.9, 5.7, 111.2),
        (301, 58.9, 5.7, 245.0),
        (9999, 58.9, 5.7, nan),
        (1, 58.9, 5.7, nan),
    ],
)
def test_a_municipality_far_from_its_sales_contradicts_the_place(
    number: float, lat: float, lon: float, km: float
) -> None:
    found = reach(PLACES, "municipality_number", municipality_number=number, lat=lat, lon=lon)
    assert found.value[0] == pytest.approx(km, rel=1e-2, nan_ok=True)
    expected = "out_of_domain" if km > 50 else "near_edge" if km > 10 else "usual"
    assert answer(found) == expected


# Stored


def test_it_comes_back_from_its_arrays() -> None:
    arrays = DOMAIN.arrays()
    assert TrainingDomain.inside(arrays)
    assert not TrainingDomain.inside({"frames": DOMAIN.sales})
    again = TrainingDomain.from_arrays(arrays)
    np.testing.assert_array_equal(again.sales, DOMAIN.sales)
    np.testing.assert_array_equal(again.bounds, DOMAIN.bounds)


@pytest.mark.parametrize(
    "name", ["domain_sales", "domain_bounds", "domain_distance", "domain_places"]
)
def test_an_array_that_is_missing_is_refused(name: str) -> None:
    arrays = DOMAIN.arrays()
    del arrays[name]
    assert TrainingDomain.inside(arrays)
    with pytest.raises(KeyError, match=name):
        TrainingDomain.from_arrays(arrays)


def put(place: Any, value: float) -> Callable[[Any], Any]:
    def change(row: Any) -> Any:
        changed = row.copy()
        changed[place] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("sales", lambda row: row.astype(np.int64), "one count of sales a type"),
        ("sales", lambda row: row[1:], "one count of sales a type"),
        ("sales", lambda row: row[None], "one count of sales a type"),
        ("sales", put(2, -1), "one count of sales a type"),
        ("sales", put(2, nan), "one count of sales a type"),
        ("bounds", lambda row: row.astype(np.float32), "four bounds a measure and type"),
        ("bounds", lambda row: row[1:], "four bounds a measure and type"),
        ("bounds", lambda row: row[:, 1:], "four bounds a measure and type"),
        ("bounds", lambda row: row[:, :, 1:], "four bounds a measure and type"),
        ("bounds", lambda row: row.ravel(), "four bounds a measure and type"),
        ("bounds", lambda row: row[:, :, ::-1].copy(), "not in order"),
        ("bounds", put((0, 0, 1), 1.0), "not in order"),
        ("bounds", put((2, 0, 3), 0.0), "not in order"),
        ("bounds", put((1, 0, 0), nan), "not in order"),
        ("bounds", put((1, 0, 2), nan), "not in order"),
        ("places", lambda row: row.astype(np.float32), "five numbers a municipality"),
        ("places", lambda row: row[:0], "five numbers a municipality"),
        ("places", lambda row: row[:, 1:], "five numbers a municipality"),
        ("places", put((0, 2), nan), "not finite and sorted"),
        ("places", lambda row: np.vstack([row, row]), "not finite and sorted"),
        ("places", put((0, 1), 89.0), "ends before it begins"),
        ("places", put((0, 4), -1.0), "ends before it begins"),
        ("distance", lambda row: row.astype(np.float32), "two limits of the distance"),
        ("distance", lambda row: row[1:], "two limits of the distance"),
        ("distance", put(0, nan), "two limits of the distance"),
        ("distance", put(1, 0.0), "two limits of the distance"),
        ("distance", put(0, 20.1), "two limits of the distance"),
    ],
)
def test_what_cannot_be_a_domain_is_refused(
    name: str, change: Callable[[Any], Any], why: str
) -> None:
    arrays = DOMAIN.arrays()
    arrays[f"domain_{name}"] = change(arrays[f"domain_{name}"])
    with pytest.raises(ValueError, match=why):
        TrainingDomain.from_arrays(arrays)


def test_equal_bounds_are_in_order() -> None:
    """As of a type of which one home was sold."""
    domain = TrainingDomain.of(homes(), NOT_FAR)
    low, usual_low, usual_high, high = domain.bounds[0, ENEBOLIG]
    assert (low, usual_low, usual_high, high) == (80, 100, 100, 125)
    TrainingDomain.from_arrays(domain.arrays())
