"""Columns with numbers of before are told under those of today."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.adapters.municipalities import reference
from ree.adapters.table import COLUMNS, MUNICIPALITY, HomeTable, NumpyTable

REFERENCE = reference()
CENTRES = {one.number: (one.lat, one.lon) for one in REFERENCE.current}
CURRENT, FORMER = sorted(CENTRES), sorted(REFERENCE.successors)
TABULATE = NumpyTable()


def columns(numbers: Sequence[str], places: Sequence[tuple[float, float]]) -> dict[str, Any]:
    lat, lon = np.array(places, dtype=np.float64).T
    return {
        "municipality_number": np.array(numbers, dtype=np.float64),
        "lat": lat,
        "lon": lon,
        "usable_area": np.arange(len(numbers), dtype=np.float64),
    }


def haversine(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Of the angle between them, which grows with the distance."""
    (lat, lon), (to_lat, to_lon) = np.radians(one), np.radians(other)
    north, east = np.sin((to_lat - lat) / 2) ** 2, np.sin((to_lon - lon) / 2) ** 2
    return float(north + np.cos(lat) * np.cos(to_lat) * east)


norway = st.tuples(st.floats(58, 71), st.floats(4.6, 31))
any_number = st.one_of(
    st.sampled_from(FORMER),
    st.sampled_from(["1507", "1850", "5012"]),
    st.sampled_from(CURRENT),
    st.integers(1, 9999).map("{:04}".format),
)


@given(st.lists(st.tuples(any_number, norway), min_size=1, max_size=30))
def test_each_row_is_told_under_the_number_of_today(
    homes: list[tuple[str, tuple[float, float]]],
) -> None:
    numbers, places = zip(*homes, strict=True)
    told, rows = TABULATE.renumber(columns(numbers, places))
    assert list(rows) == [row for row, number in enumerate(numbers) if number in FORMER]
    codes = told["municipality_number"]
    for row, (number, place) in enumerate(homes):
        parts = REFERENCE.successors.get(number, (number,))
        assert codes[row] in [float(part) for part in parts]
        if len(parts) > 1:
            away = {float(part): haversine(place, CENTRES[part]) for part in parts}
            ranked = sorted(away.values())
            if ranked[1] > 1.2 * ranked[0]:  # far enough from the border of the two formulas
                assert away[codes[row]] == ranked[0]


def test_the_parts_of_split_municipalities() -> None:
    """Korsvika and Drag in Tysfjord, Krokstadøra in Snillfjord, Brattvåg in Haram."""
    places = {
        "1507": {"1508": (62.47, 6.15), "1580": (62.6, 6.44)},
        "1850": {"1806": (68.35, 17.1), "1875": (68.05, 16.07)},
        "5012": {"5055": (63.3, 9.2), "5056": (63.5, 8.9), "5059": (63.38, 9.56)},
    }
    for number, parts in places.items():
        told, _ = TABULATE.renumber(columns([number] * len(parts), list(parts.values())))
        assert told["municipality_number"].tolist() == [float(part) for part in parts]


def test_what_has_no_old_number_is_not_copied() -> None:
    plain = columns(["0301", "9999"], [(60, 10), (60, 10)])
    told, rows = TABULATE.renumber(plain)
    assert told is plain
    assert not rows


@pytest.mark.parametrize("number", ["0219", "5012"])
def test_what_was_given_stays_as_it_is(number: str) -> None:
    matrix = np.arange(len(COLUMNS) * 3, dtype=np.float64).reshape(len(COLUMNS), 3)
    matrix[MUNICIPALITY] = [301, float(number), 301]
    given, before = HomeTable(matrix), matrix.copy()
    told, rows = TABULATE.renumber(given)
    assert np.array_equal(matrix, before)
    assert isinstance(told, HomeTable)
    assert list(rows) == [1]
    others = [name for name in COLUMNS if name != "municipality_number"]
    assert all(np.array_equal(told[name], given[name]) for name in others)
    assert told["municipality_number"][[0, 2]].tolist() == [301, 301]
    assert told["municipality_number"][1] in [float(one) for one in REFERENCE.successors[number]]
