"""Errors of estimates."""

from math import isnan, sqrt

import numpy as np
import pytest
from attrs import asdict, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.adapters.coverage import coverage
from ree.adapters.evaluator import NumpyEvaluator
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset
from ree.domain.evaluation import Comparison, Metrics
from ree.domain.ports import Evaluator
from ree.domain.reach import Reaches, Respect

ENEBOLIG, LEILIGHET = 0.0, 3.0


@pytest.fixture
def evaluator() -> Evaluator:
    return NumpyEvaluator(resamples=200)


def sales(
    price: list[float], kind: list[float] | None = None, place: list[float] | None = None
) -> Dataset:
    rows = len(price)
    return Dataset(
        {
            "day": np.arange(rows),
            "price": np.array(price, dtype=float),
            "realestate_type": np.array(kind or [ENEBOLIG] * rows),
            "municipality_number": np.array(place or [301.0] * rows),
        }
    )


def test_metrics_by_hand(evaluator: Evaluator) -> None:
    # Errors of +100, -200, 0 and +400: 10, 10, 0 and 50 % of the prices.
    found = evaluator.evaluate(
        sales([1_000, 2_000, 500, 800]), Appraisal(np.array([1_100.0, 1_800.0, 500.0, 1_200.0]))
    ).overall
    expected = Metrics(
        n=4,
        mae=175,
        rmse=sqrt(210_000 / 4),
        mape=0.175,
        mdape=0.10,
        wape=700 / 4_300,
        p90=200 + 0.7 * 200,
        within_10=0.75,
        within_20=0.75,
    )
    for name, figure in asdict(evolve(found, ratios=None)).items():
        assert figure == pytest.approx(asdict(expected)[name])
    assert found.ratios is not None
    assert found.ratios.median_ratio.value == pytest.approx(1.05)


def test_price_fifths_go_from_cheap_to_dear(evaluator: Evaluator) -> None:
    price = [float(1_000 + number) for number in (7, 3, 9, 1, 5, 0, 8, 2, 6, 4)]
    found = evaluator.evaluate(sales(price), Appraisal(np.array(price) + np.array(price) % 10))
    assert [found.by_price_fifth[name].mae for name in "12345"] == [0.5, 2.5, 4.5, 6.5, 8.5]
    assert sum(metrics.n for metrics in found.by_price_fifth.values()) == 10
    few = evaluator.evaluate(sales([2.0, 1.0]), Appraisal(np.array([2.0, 1.0]))).by_price_fifth
    assert sum(metrics.n for metrics in few.values()) == 2


@pytest.mark.parametrize(
    ("estimate", "within_10", "within_20"),
    [(1_100, 1, 1), (1_101, 0, 1), (900, 1, 1), (899, 0, 1), (1_200, 0, 1), (1_201, 0, 0)],
)
def test_shares_within_bounds_are_inclusive(
    evaluator: Evaluator, estimate: float, within_10: float, within_20: float
) -> None:
    overall = evaluator.evaluate(sales([1_000]), Appraisal(np.array([float(estimate)]))).overall
    assert (overall.within_10, overall.within_20) == (within_10, within_20)


def test_segments_have_their_own_rows(evaluator: Evaluator) -> None:
    found = evaluator.evaluate(
        sales(
            [1_000] * 5,
            [ENEBOLIG, LEILIGHET, ENEBOLIG, LEILIGHET, LEILIGHET],
            [301, 301, 4601, 301, 301],
        ),
        Appraisal(np.array([1_010.0, 1_020.0, 1_030.0, 1_040.0, 1_060.0])),
    )
    types, places = found.by_realestate_type, found.by_municipality
    assert {name: (m.n, m.mae) for name, m in types.items()} == {
        "enebolig": (2, 20),
        "leilighet": (3, 40),
    }
    assert {name: (m.n, m.mae) for name, m in places.items()} == {
        "0301": (4, 32.5),
        "4601": (1, 30),
    }
    assert sum(m.n for m in types.values()) == found.overall.n == 5


def test_the_ten_municipalities_with_the_most_sales(evaluator: Evaluator) -> None:
    # Municipality 1000 + k has k sales; 3 has as many as 1003, and the lower number is first.
    places = [1_000.0 + k for k in range(1, 13) for _ in range(k)] + [3.0] * 3
    random = np.random.default_rng(0)
    random.shuffle(places)
    rows = len(places)
    even = Appraisal(np.full(rows, 900.0))
    found = evaluator.evaluate(sales([1_000.0] * rows, None, places), even)
    expected = {f"{1_000 + k}": k for k in range(12, 3, -1)} | {"0003": 3}
    assert {name: m.n for name, m in found.by_municipality.items()} == expected


def test_without_rows_there_are_no_metrics(evaluator: Evaluator) -> None:
    found = evaluator.evaluate(sales([]), Appraisal(np.empty(0)))
    assert found.overall.n == 0
    assert isnan(found.overall.mae)
    assert found.by_realestate_type == found.by_municipality == {}
    comparison = evaluator.compare(sales([]), np.empty(0), np.empty(0))
    assert comparison.intervals == {}


def compared(evaluator: Evaluator, rows: int = 400) -> Comparison:
    random = np.random.default_rng(5)
    price = random.uniform(1e6, 9e6, rows)
    kind = random.choice([ENEBOLIG, LEILIGHET], rows)
    candidate = price * np.exp(random.normal(0, 0.10, rows))
    active = price * np.exp(random.normal(0, 0.25, rows))
    return evaluator.compare(sales(list(price), list(kind)), candidate, active)


def test_both_models_are_measured_on_the_same_sales(evaluator: Evaluator) -> None:
    data = sales([1_000, 1_000])
    found = evaluator.compare(data, np.array([1_010.0, 1_010.0]), np.array([1_040.0, 1_040.0]))
    assert (found.candidate.overall.mae, found.active.overall.mae) == (10, 40)
    interval = found.interval(None, "mae")
    assert interval is not None
    assert (interval.lower, interval.upper) == pytest.approx((-0.75, -0.75))


@pytest.mark.parametrize("metric", ["mae", "mdape", "p90", "wape"])
@pytest.mark.parametrize("segment", [None, "enebolig", "leilighet"])
def test_the_interval_contains_the_figure_and_tells_the_better_model(
    evaluator: Evaluator, metric: str, segment: str | None
) -> None:
    found = compared(evaluator)
    interval = found.interval(segment, metric)
    mine = getattr(found.candidate.segment(segment), metric)
    theirs = getattr(found.active.segment(segment), metric)
    assert interval is not None
    assert interval.lower < mine / theirs - 1 < interval.upper < 0


def test_the_bootstrap_is_the_same_each_time(evaluator: Evaluator) -> None:
    assert compared(evaluator) == compared(evaluator)
    assert compared(NumpyEvaluator(200, seed=1)).intervals != compared(evaluator).intervals


def test_the_bootstrap_is_paired(evaluator: Evaluator) -> None:
    # Two models with the same errors never differ, whatever is drawn.
    random = np.random.default_rng(2)
    price = random.uniform(1e6, 9e6, 100)
    estimates = price * random.uniform(0.5, 1.5, 100)
    intervals = evaluator.compare(sales(list(price)), estimates, estimates.copy()).intervals
    for interval in intervals["overall"].values():
        assert (interval.lower, interval.upper) == (0, 0)


def test_a_segment_without_rows_has_no_interval(evaluator: Evaluator) -> None:
    found = compared(evaluator)
    assert set(found.intervals) == {"overall", "enebolig", "leilighet"}
    assert found.interval("hytte", "mae") is None


# By reach, and what intervals hold


def reach(*ways: tuple[list[float], float, float]) -> Reaches:
    """How far homes are in a few respects, and from where on they are warned of and refused."""
    value = np.column_stack([np.array(way, dtype=float) for way, _, _ in ways])
    low, usual, high = (
        np.tile(np.array(bound, dtype=float), (len(value), 1))
        for bound in (
            [-np.inf] * len(ways), [warn for _, warn, _ in ways], [refuse for *_, refuse in ways]
        )
    )  # fmt: skip
    respects = tuple(Respect(f"way {number}", "lat,lon", " km") for number in range(len(ways)))
    return Reaches(respects, value, (low, usual), (low, high))


def test_homes_are_told_apart_by_how_far_they_are(evaluator: Evaluator) -> None:
    reaches = reach(([1, 10, 11, 20, 21, 1], 10, 20), ([0, 0, 0, 0, 0, 6], 5, 9))
    estimates = np.array([1_001.0, 1_002.0, 1_004.0, 1_008.0, 1_016.0, 1_032.0])
    found = evaluator.evaluate(sales([1_000] * 6), Appraisal(estimates, reaches=reaches)).by_reach
    assert {name: (metrics.n, metrics.mae) for name, metrics in found.items()} == {
        "usual": (2, 1.5),
        "near_edge": (3, (4 + 8 + 32) / 3),
        "out_of_domain": (1, 16),
    }


def test_who_is_refused_in_one_respect_is_not_also_at_the_edge(evaluator: Evaluator) -> None:
    reaches = reach(([30], 10, 20), ([6], 5, 9))
    found = evaluator.evaluate(sales([1_000]), Appraisal(np.array([1_000.0]), reaches=reaches))
    assert list(found.by_reach) == ["out_of_domain"]


def test_without_reaches_or_sales_nothing_is_told_apart(evaluator: Evaluator) -> None:
    assert evaluator.evaluate(sales([1_000]), Appraisal(np.array([1_000.0]))).by_reach == {}
    none = Appraisal(np.empty(0), reaches=reach(([], 10, 20)))
    assert evaluator.evaluate(sales([]), none).by_reach == {}


far = st.floats(0, 40) | st.just(float("nan"))


@settings(deadline=None)
@given(st.lists(st.tuples(far, far), min_size=1, max_size=30))
def test_every_sale_is_of_one_reach(distances: list[tuple[float, float]]) -> None:
    one, other = ([*column] for column in zip(*distances, strict=True))
    price = [1_000.0 + row for row in range(len(distances))]
    appraisal = Appraisal(np.zeros(len(price)), reaches=reach((one, 10, 20), (other, 5, 30)))
    found = NumpyEvaluator(resamples=0).evaluate(sales(price), appraisal)
    assert set(found.by_reach) <= {"usual", "near_edge", "out_of_domain"}
    assert sum(metrics.n for metrics in found.by_reach.values()) == len(price)
    paid = sum(metrics.n * metrics.mae for metrics in found.by_reach.values())
    assert paid == pytest.approx(sum(price))


def test_every_segment_has_the_coverage_of_its_own_sales_that_are_valued(
    evaluator: Evaluator,
) -> None:
    random = np.random.default_rng(4)
    rows = 300
    price = random.uniform(1e6, 9e6, rows)
    estimate = price * np.exp(random.normal(0, 0.2, rows))
    kind = random.choice([ENEBOLIG, LEILIGHET], rows)
    place = random.choice([301.0, 4601.0], rows)
    half = {0.8: 0.1, 0.95: 0.3}
    appraisal = Appraisal(
        estimate,
        {share: (estimate * (1 - off), estimate * (1 + off)) for share, off in half.items()},
        reaches=reach((list(random.uniform(0, 30, rows)), 10, 20)),
    )
    found = evaluator.evaluate(sales(list(price), list(kind), list(place)), appraisal)
    assert appraisal.reaches is not None
    distance = appraisal.reaches.value[:, 0]
    fifth = np.argsort(np.argsort(price)) // 60
    segments = [
        (found.overall, np.full(rows, True)),
        (found.by_realestate_type["enebolig"], kind == ENEBOLIG),
        (found.by_realestate_type["leilighet"], kind == LEILIGHET),
        (found.by_municipality["0301"], place == 301),
        (found.by_municipality["4601"], place == 4601),
        *((found.by_price_fifth[str(number + 1)], fifth == number) for number in range(5)),
        (found.by_reach["usual"], distance <= 10),
        (found.by_reach["near_edge"], (distance > 10) & (distance <= 20)),
    ]
    valued = distance <= 20
    for metrics, mask in segments:
        assert metrics.n == mask.sum()
        assert metrics.coverage == coverage(appraisal, price, mask & valued)
        assert [level.wanted for level in metrics.coverage] == [0.8, 0.95]
        assert {level.n for level in metrics.coverage} == {int((mask & valued).sum())}
    assert found.by_reach["out_of_domain"].n == (~valued).sum()
    assert found.by_reach["out_of_domain"].coverage == ()
    told = found.overall.covered(0.95)
    assert told is not None
    assert told.covered == np.mean(np.abs(price / estimate - 1)[valued] <= 0.3)
    assert found.overall.covered(0.9) is None
