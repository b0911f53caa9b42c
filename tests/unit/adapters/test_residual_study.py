"""Residuals by week, price and place, and prices against estimates on a grid."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise, permutations
from math import inf, isnan, nan
from statistics import fmean, median
from typing import Any

import numpy as np
import pytest
from attrs import asdict
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.adapters import codec
from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.residual_study import BANDS, FINEST_STEP, MOST_CELLS
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset
from ree.domain.ports import Evaluator
from ree.domain.residuals import Residuals, Spread, Week

MARCH = date(2026, 3, 1)
Sale = tuple[int, float, float, int, float, float]
"""Days since the first of March, price, estimate, municipality, lat, lon."""
SALES: list[Sale] = [
    (3, 2_000_000, 2_200_000, 301, 59.91, 10.71),
    (0, 1_000_000, 900_000, 301, 59.92, 10.72),
    (6, 4_000_000, 4_000_000, 4601, 60.394, 5.32),
    (7, 3_000_000, 3_900_000, 301, 59.96, 10.76),
    (30, 5_000_000, 4_000_000, 4601, 60.394, 5.325),
]
"""Off by 10, -10, 0, 30 and -20 %."""


def study(rows: list[Sale]) -> Residuals:
    day, price, estimate, place, lat, lon = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "day": np.array([MARCH.toordinal() + since for since in day]),
        "price": np.array(price, dtype=float),
        "municipality_number": np.array(place, dtype=float),
        "lat": np.array(lat, dtype=float),
        "lon": np.array(lon, dtype=float),
    }
    evaluator: Evaluator = NumpyEvaluator()
    return evaluator.residuals(Dataset(columns), np.array(estimate, dtype=float))


def at(price: float, estimate: float | None = None) -> Sale:
    """A sale of which nothing else counts."""
    return (0, price, price if estimate is None else estimate, 301, 60.0, 10.0)


def quantile(values: list[float], share: float) -> float:
    """Linear between ranks."""
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (rank - low) * (ordered[high] - ordered[low])


def spread(values: list[float]) -> Any:
    shares = {"p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9}
    told = {name: quantile(values, share) for name, share in shares.items()}
    return pytest.approx({"n": len(values)} | told, abs=1e-12)


# By hand


def test_weeks_are_counted_from_the_first_sale_and_empty_ones_are_left_out() -> None:
    found = study(SALES).by_week
    weeks = {0: [0.1, -0.1, 0.0], 1: [0.3], 4: [-0.2]}
    assert [week.start for week in found] == [MARCH + timedelta(7 * week) for week in weeks]
    for week, residuals in zip(found, weeks.values(), strict=True):
        assert asdict(week.spread) == spread(residuals)
    later = study([(since + 2, *rest) for since, *rest in SALES])  # type: ignore[misc]
    assert [week.start for week in later.by_week] == [week.start + timedelta(2) for week in found]


def test_few_sales_are_one_band_from_the_cheapest_to_the_dearest() -> None:
    (band,) = study(SALES).by_price
    assert (band.lower, band.upper) == (1_000_000, 5_000_000)
    assert (band.median_price, band.median_estimate) == (3_000_000, 3_900_000)
    assert asdict(band.spread) == spread([0.1, -0.1, 0.0, 0.3, -0.2])


def test_places_have_their_mean_coordinates_and_their_own_errors() -> None:
    found = study(SALES).places
    assert list(found) == ["0301", "4601"]
    told = {"lat": 59.93, "lon": 10.73, "n": 3, "median": 0.1, "mdape": 0.1}
    assert asdict(found["0301"]) == pytest.approx(told)
    told = {"lat": 60.39, "lon": 5.32, "n": 2, "median": -0.1, "mdape": 0.1}
    assert asdict(found["4601"]) == pytest.approx(told)


def test_a_mean_between_two_roundings_does_not_depend_on_the_order() -> None:
    degrees = [59.337, 59.463, 60.64, 59.925, 60.16]
    told = {
        study([(0, 1e6, 1e6, 301, lat, 10.0) for lat in order]).places["0301"].lat
        for order in permutations(degrees)
    }
    assert len(told) == 1


def test_cells_hold_prices_and_estimates_of_about_the_same() -> None:
    found = study([at(1_000_000), at(1_001_000, 1_002_000), at(1_000_000, 2_000_000)])
    assert found.step == FINEST_STEP
    near, far = found.cells
    assert (near.price, near.estimate, near.n) == (near.price, near.price, 2)
    assert (far.price, far.n) == (near.price, 1)
    assert near.price <= 1_000_000 < near.price * found.step
    assert far.estimate <= 2_000_000 < far.estimate * found.step


def test_a_hundred_sales_are_ten_bands_of_ten() -> None:
    price = [float(1_000_000 + 1_000 * number) for number in range(100)]
    bands = study([at(paid, paid * 1.1) for paid in reversed(price)]).by_price
    assert [band.spread.n for band in bands] == [10] * 10
    for number, band in enumerate(bands):
        own = price[10 * number : 10 * number + 10]
        assert (band.lower, band.upper) == (own[0], own[-1])
        assert band.median_price == median(own)
        assert band.median_estimate == pytest.approx(median(own) * 1.1)
        assert band.spread.median == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("sales", "bands"), [(1, 1), (19, 1), (20, 2), (59, 5), (99, 9), (991, 10)]
)
def test_a_band_has_ten_sales_or_more_where_there_are_so_many(sales: int, bands: int) -> None:
    sizes = [band.spread.n for band in study([at(1e6 + n) for n in range(sales)]).by_price]
    assert len(sizes) == bands
    assert max(sizes) - min(sizes) <= 1


def test_sales_of_one_price_are_in_one_band() -> None:
    rows = [at(3_000_000)] * 60 + [at(1_000_000 + n) for n in range(20)] + [at(5e6 + 1)] * 20
    bands = study(rows).by_price
    assert [(band.lower, band.upper, band.spread.n) for band in bands] == [
        (1_000_000, 1_000_009, 10),
        (1_000_010, 1_000_019, 10),
        (3_000_000, 3_000_000, 60),
        (5_000_001, 5_000_001, 20),
    ]


def test_the_errors_of_a_place_are_those_of_its_segment() -> None:
    random = np.random.default_rng(3)
    rows = [
        (0, float(paid), float(paid * off), int(place), 60.0, 10.0)
        for paid, off, place in zip(
            random.uniform(1e6, 9e6, 300),
            random.lognormal(0, 0.3, 300),
            random.choice([301, 1103, 4601], 300),
            strict=True,
        )
    ]
    price = np.array([row[1] for row in rows])
    columns = {
        "price": price,
        "realestate_type": np.zeros(300),
        "municipality_number": np.array([float(row[3]) for row in rows]),
    }
    estimates = Appraisal(np.array([row[2] for row in rows]))
    segments = NumpyEvaluator(resamples=0).evaluate(Dataset(columns), estimates).by_municipality
    assert {name: (place.n, place.mdape) for name, place in study(rows).places.items()} == {
        name: (metrics.n, metrics.mdape) for name, metrics in sorted(segments.items())
    }


def test_the_grid_is_coarser_where_sales_lie_far_apart() -> None:
    random = np.random.default_rng(1)
    wide = [at(*row) for row in np.exp(random.uniform(13, 18, (3_000, 2))).tolist()]
    found = study(wide)
    assert FINEST_STEP < found.step < 2
    assert MOST_CELLS / 3 < len(found.cells) <= MOST_CELLS
    assert sum(cell.n for cell in found.cells) == 3_000


@pytest.mark.parametrize("estimate", [nan, inf, -inf, 0.0, -5.0, 1e300])
def test_an_estimate_that_is_no_price_is_counted_at_an_end_of_the_grid(estimate: float) -> None:
    found = study([at(1_000_000), at(1_000_000, estimate)])
    (odd,) = (cell for cell in found.cells if not 900_000 < cell.estimate < 1_100_000)
    assert odd.n == 1
    assert sum(cell.n for cell in found.cells) == 2
    assert odd.estimate > 1e14 if estimate > 0 else odd.estimate == 1
    assert found.by_week[0].spread.n == found.by_price[0].spread.n == found.places["0301"].n == 2
    assert codec.to_json(codec.plain(found))


def test_no_sales_have_no_residuals() -> None:
    columns = ("day", "price", "municipality_number", "lat", "lon")
    found = NumpyEvaluator().residuals(
        Dataset({name: np.empty(0) for name in columns}), np.empty(0)
    )
    assert found == Residuals((), (), {}, FINEST_STEP, ())


def test_it_is_read_back_from_storage_as_it_was() -> None:
    found = study(SALES)
    body = codec.to_json({"found": codec.plain(found)})
    assert codec.structured(codec.from_json(body, "x")["found"], Residuals, "x") == found
    none = codec.plain(Week(MARCH, Spread(0, nan, nan, nan, nan, nan)))
    assert isnan(codec.structured(none, Week, "x").spread.median)


# Whatever the sales

prices = st.integers(5_000, 10**9).map(float) | st.sampled_from([1e6, 2e6, 2.5e6, 3e6])
rows_of_sales = st.lists(
    st.tuples(
        st.integers(0, 40),
        prices,
        st.floats(1, 1e10),
        st.sampled_from([301, 1103, 4601, 5501]),
        st.floats(57, 72),
        st.floats(4, 32),
    ),
    min_size=1,
    max_size=150,
)


def ordered(told: Spread) -> bool:
    figures = [told.p10, told.p25, told.median, told.p75, told.p90]
    return figures == sorted(figures)


@settings(deadline=None)
@given(rows_of_sales)
def test_every_sale_is_in_one_week_band_place_and_cell(rows: list[Sale]) -> None:
    found = study(rows)
    first = min(since for since, *_ in rows)
    weeks = Counter(MARCH + timedelta(first + (row[0] - first) // 7 * 7) for row in rows)
    assert {week.start: week.spread.n for week in found.by_week} == weeks
    assert [week.start for week in found.by_week] == sorted(weeks)
    for band in found.by_price:
        assert band.spread.n == sum(band.lower <= row[1] <= band.upper for row in rows)
    assert sum(band.spread.n for band in found.by_price) == len(rows)
    assert {name: place.n for name, place in found.places.items()} == Counter(
        f"{row[3]:04d}" for row in rows
    )
    assert sum(cell.n for cell in found.cells) == len(rows)


@settings(deadline=None)
@given(rows_of_sales)
def test_bands_rise_without_overlap_between_prices_that_were_paid(rows: list[Sale]) -> None:
    bands = study(rows).by_price
    paid = {row[1] for row in rows}
    bounds = [bound for band in bands for bound in (band.lower, band.upper)]
    assert bounds == sorted(bounds)
    assert set(bounds) <= paid
    assert (bounds[0], bounds[-1]) == (min(paid), max(paid))
    assert all(one.upper < other.lower for one, other in pairwise(bands))
    assert len(bands) <= min(BANDS, max(1, len(rows) // 10))


@settings(deadline=None)
@given(rows_of_sales)
def test_figures_are_those_that_plain_python_finds(rows: list[Sale]) -> None:
    found = study(rows)
    own: dict[Any, list[Sale]] = defaultdict(list)
    for row in rows:
        own[f"{row[3]:04d}"].append(row)
    for name, place in found.places.items():
        off = [estimate / paid - 1 for _, paid, estimate, *_ in own[name]]
        assert place.median == pytest.approx(median(off), rel=1e-9, abs=1e-9)
        assert place.mdape == pytest.approx(median(map(abs, off)), rel=1e-9, abs=1e-9)
        assert place.lat == pytest.approx(fmean(row[4] for row in own[name]), abs=0.00501)
        assert place.lon == pytest.approx(fmean(row[5] for row in own[name]), abs=0.00501)
        assert (place.lat, place.lon) == (round(place.lat, 2), round(place.lon, 2))
    for band in found.by_price:
        inside = [row for row in rows if band.lower <= row[1] <= band.upper]
        assert band.median_price == median(row[1] for row in inside)
        assert band.median_estimate == pytest.approx(median(row[2] for row in inside))
    for week in found.by_week:
        since = (week.start - MARCH).days
        off = [row[2] / row[1] - 1 for row in rows if since <= row[0] < since + 7]
        assert week.spread.median == pytest.approx(median(off), rel=1e-9, abs=1e-9)
        assert week.spread.p90 == pytest.approx(quantile(off, 0.9), rel=1e-9, abs=1e-9)
    for spreads in (found.by_week, found.by_price):
        assert all(ordered(part.spread) for part in spreads)


@settings(deadline=None)
@given(rows_of_sales)
def test_cells_lie_on_one_grid_around_their_sales(rows: list[Sale]) -> None:
    found = study(rows)
    assert len(found.cells) <= MOST_CELLS
    assert len({(cell.price, cell.estimate) for cell in found.cells}) == len(found.cells)
    for lower, column in (("price", 1), ("estimate", 2)):
        bounds = sorted({getattr(cell, lower) for cell in found.cells})
        assert all(bound == round(bound) for bound in bounds)
        counted: Counter[float] = Counter()
        for cell in found.cells:
            counted[getattr(cell, lower)] += cell.n
        for bound, following in zip(bounds, [*bounds[1:], inf], strict=True):
            own = [row[column] for row in rows if bound <= row[column] < following]
            assert len(own) == counted[bound]
            assert max(own) < bound * found.step + 1  # bounds are whole kroner


@settings(deadline=None)
@given(rows_of_sales, st.randoms(use_true_random=False))
def test_the_order_of_the_sales_changes_nothing(rows: list[Sale], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert study(shuffled) == study(rows)
