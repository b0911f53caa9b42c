"""What benchmarks/gate_power.py counts, on synthetic errors."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ree.domain.dataset import Dataset
from ree.domain.gating import GatingPolicy

BENCHMARK = Path(__file__).parents[2] / "benchmarks/gate_power.py"
TIMES = 60
JUDGE = GatingPolicy().judge

pytestmark = pytest.mark.skipif(not BENCHMARK.exists(), reason="tests without the benchmarks")


@pytest.fixture(scope="module")
def power() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gate_power", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair(power: ModuleType, disagreement: float = 0.05) -> Any:
    """Two models that miss 1,000 homes by about 15 %, and each other by about *disagreement*."""
    random = np.random.default_rng(7)
    price = np.exp(random.normal(15.0, 0.5, 1_000))
    common = random.normal(0.0, 0.15, len(price))
    candidate, active = (
        price * np.exp(common + random.normal(0.0, disagreement, len(price))) for _ in range(2)
    )
    sales = Dataset(
        {
            "day": np.full(len(price), 737_000),
            "price": price,
            "realestate_type": random.integers(0, 5, len(price)).astype(np.float64),
        }
    )
    return power.Pair("synthetic", power.judged(sales), candidate, active, price * 3)


def counts(power: ModuleType, side: str, n: int, **changes: float) -> dict[str, int]:
    disagreement = changes.pop("disagreement", 0.05)
    done = power.repetitions(pair(power, disagreement), n, TIMES, **changes)
    return dict(power.count(JUDGE(getattr(each, side)) for each in done))


@pytest.mark.parametrize("n", [100, 446])
def test_identical_estimates_are_never_refused(power: ModuleType, n: int) -> None:
    assert counts(power, "equal", n, disagreement=0.0) == {"passed": TIMES}


def test_a_model_twice_as_bad_never_passes(power: ModuleType) -> None:
    worse = counts(power, "worse", 446, worse=2.0)

    assert worse["failed"] == TIMES
    assert "passed" not in worse


def test_too_few_sales_are_inconclusive_and_block(power: ModuleType) -> None:
    equal = counts(power, "equal", GatingPolicy().segment_min_rows - 1)

    assert equal["inconclusive"] == TIMES


@pytest.mark.parametrize("side", ["equal", "worse"])
@pytest.mark.parametrize("n", [29, 60, 446])
def test_every_repetition_is_counted_once(power: ModuleType, side: str, n: int) -> None:
    counted = counts(power, side, n)

    assert sum(counted.get(name, 0) for name in ("passed", "failed", "inconclusive")) == TIMES


def test_an_equal_model_is_refused_less_often_than_a_worse_one(power: ModuleType) -> None:
    assert counts(power, "equal", 446)["passed"] > counts(power, "worse", 446).get("passed", 0)


def test_equal_means_that_either_is_larger_as_often(power: ModuleType) -> None:
    done = power.repetitions(pair(power), 446, TIMES)

    larger = np.array([each.larger for each in done]).mean(axis=0)
    assert larger[0] == pytest.approx(0.5, abs=0.02)
    assert larger[1] > 0.55


def test_a_seed_repeats_a_run_and_another_does_not(power: ModuleType) -> None:
    first, again, other = (
        power.repetitions(pair(power), 100, 5, seed=seed, resamples=20) for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_intervals_of_the_worse_model_are_those_of_its_own_errors(power: ModuleType) -> None:
    drawn = pair(power).draw(np.random.default_rng(0), 300)
    price = drawn.sales.columns["price"]
    worse = price + power.WORSE * (drawn.candidate - price)
    measured = power.NumpyEvaluator(50).compare(drawn.sales, worse, drawn.active)

    comparison = power._repetition(drawn, power.WORSE, 50).worse.measured.comparison

    for metric in ("mae", "mdape", "p90", "wape"):
        scaled, own = comparison.interval(None, metric), measured.interval(None, metric)
        assert (scaled.lower, scaled.upper) == pytest.approx((own.lower, own.upper))


def test_a_share_has_its_binomial_interval(power: ModuleType) -> None:
    assert power.share(0, 2_000) == "0.0 (0.0 to 0.2)"
    assert power.share(100, 2_000) == "5.0 (4.1 to 6.0)"


def test_every_gate_has_a_row_in_the_tables(power: ModuleType) -> None:
    done = power.repetitions(pair(power), 446, 20, resamples=20)

    for gates in (power.settings(), power.other_rules(), power.interval_rules()):
        assert all(len(power.gate_row(gate, done)) == 4 for gate in gates.values())
    rules = [row[0] for row in power.rule_rows(done)]
    assert rules == [check.rule for check in JUDGE(done[0].equal).checks]
    assert {len(row) for row in (*power.rule_rows(done), *power.floor_rows(done))} == {6}
