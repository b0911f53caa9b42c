"""The nearest sales are the nearest: against every way measured, with many in one place."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.adapters.nearest import COLUMN, KM, MOST, Planted, ask

KINDS = 3


def near(lat: Any, lon: Any, kinds: Any, asked: Any) -> Any:
    """Places and km by home and group, of points that are grouped by kind."""
    every = np.arange(len(lat))
    planted = Planted.of(lat, lon, [*(every[kinds == kind] for kind in range(KINDS)), every])
    at_lat, at_lon, of_kind = np.array(asked, dtype=float).reshape(-1, 3).T.copy()
    found = planted.near(at_lat, at_lon, of_kind, 2)
    return planted.points[3][found[..., COLUMN].astype(int)], found[..., KM]


def every_way(lat: Any, lon: Any, members: Any, asked: Any) -> tuple[Any, Any]:
    """Of one home: the places and km of the nearest members, by all that there are."""
    points, _ = ask(lat, lon, lat, 0)
    at_lat, at_lon, kind = np.array(asked, dtype=float)[:, None]
    home, _ = ask(at_lat, at_lon, kind, 0)
    way = points[:, members] - home
    squared = way[0] * way[0] + way[1] * way[1] + way[2] * way[2]
    order = np.lexsort((members, squared))[:MOST]
    return members[order], np.sqrt(squared[order])


def assert_nearest(lat: Any, lon: Any, kinds: Any, asked: Any) -> None:
    places, km = near(lat, lon, kinds, asked)
    for row, home in enumerate(asked):
        groups = np.flatnonzero(kinds == home[2]), np.arange(len(lat))
        for group, members in enumerate(groups):
            expected, ways = every_way(lat, lon, members, home)
            count = len(expected)
            assert places[row, group, :count].tolist() == expected.tolist()
            assert km[row, group, :count].tobytes() == ways.tobytes()
            assert np.isinf(km[row, group, count:]).all()


def towns(rows: int, seed: int) -> tuple[Any, Any, Any]:
    """Half of the homes are flats of a few buildings."""
    random = np.random.default_rng(seed)
    lat, lon = 59 + random.exponential(0.3, rows), 10 + random.exponential(0.6, rows)
    block = random.integers(0, max(1, rows // 60), rows)
    flat = random.random(rows) < 0.5
    lat, lon = np.where(flat, lat[block], lat), np.where(flat, lon[block], lon)
    return lat, lon, random.choice([0.0, 0.0, 0.0, 1.0], rows)


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 49, 50, 51, 64, 65, 130, 1_000, 6_000])
def test_they_are_the_nearest_of_all_that_there_are(rows: int) -> None:
    lat, lon, kinds = towns(rows, seed=rows)
    random = np.random.default_rng(1)
    asked = []
    for kind in (0, 1, 2):
        at = random.integers(0, rows, 12)
        asked += [(lat[row], lon[row], kind) for row in at]
        asked += [(lat[row] + random.normal(0, 0.05), lon[row] + 0.01, kind) for row in at]
        asked += [(random.uniform(-90, 90), random.uniform(-180, 180), kind) for row in at[:4]]
    assert_nearest(lat, lon, kinds, asked)


def test_of_a_thousand_flats_in_one_building_those_of_the_lowest_places() -> None:
    lat, lon = np.full(1_000, 59.9), np.full(1_000, 10.7)
    kinds = np.arange(1_000.0) % 2
    places, km = near(lat, lon, kinds, [(59.9, 10.7, 1), (70, 30, 1)])
    assert places[:, 0].tolist() == [list(range(1, 100, 2))] * 2
    assert places[:, 1].tolist() == [list(range(50))] * 2
    assert not km[0].any()
    assert len(set(km[1].ravel().tolist())) == 1


@pytest.mark.parametrize("kind", [-1, 2, 3, 0.5, 1e300, np.nan, np.inf])
def test_of_a_kind_that_there_is_not_there_are_none(kind: float) -> None:
    lat, lon, _ = towns(100, seed=2)
    _, km = near(lat, lon, np.zeros(100), [(59.9, 10.7, kind)])
    assert np.isinf(km[0, 0]).all()
    assert np.isfinite(km[0, 1]).all()


@pytest.mark.parametrize("lat", [np.nan, np.inf, -np.inf])
def test_a_home_that_is_nowhere_has_none(lat: float) -> None:
    points = towns(500, seed=3)
    _, km = near(*points, [(lat, 10.7, 0), (59.9, 10.7, 0)])
    assert np.isinf(km[0]).all()
    assert np.isfinite(km[1]).all()


degree = st.integers(0, 6).map(lambda number: number / 4)


@settings(deadline=None)
@given(
    st.lists(st.tuples(degree, degree, st.sampled_from([0, 0, 1])), min_size=1, max_size=200),
    st.lists(st.tuples(degree, degree, st.sampled_from([0, 1, 2])), min_size=1, max_size=4),
)
def test_ways_that_are_equal_are_told_by_place(
    points: list[tuple[float, float, float]], asked: list[tuple[float, float, float]]
) -> None:
    lat, lon, kinds = np.array(points, dtype=float).T.copy()
    assert_nearest(lat, lon, kinds, asked)


def test_who_is_near_does_not_depend_on_who_else_asks() -> None:
    points = towns(3_000, seed=4)
    random = np.random.default_rng(5)
    asked = [(59.5 + random.normal(), 10.5 + random.normal(), number % 3) for number in range(60)]
    together, ways = near(*points, asked)
    order = random.permutation(60)
    others, other_ways = near(*points, [asked[row] for row in order])
    np.testing.assert_array_equal(others, together[order])
    assert other_ways.tobytes() == ways[order].tobytes()
    for row in range(0, 60, 7):
        alone, way = near(*points, [asked[row]])
        np.testing.assert_array_equal(alone[0], together[row])
        assert way[0].tobytes() == ways[row].tobytes()
