"""How often the gate refuses a model that is as good, and passes one that is 10 % worse.

    python benchmarks/gate_power.py --data path/to/sales.csv [--resamples 200]

Two models are trained as a retrain trains them and miss real later sales; that is where the errors
come from. In each repetition some of those sales are drawn with replacement and, sale by sale, a
coin decides whose estimate counts as the candidate's: so the two are equal by construction, and as
correlated as they really are. The worse candidate misses each sale by 10 % more. The evaluator and
the policy are the product's. docs/gate-power.md has what came of it.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from math import log, nan, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import evolve, frozen

from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.sandbox.csv_sales import read_sales
from ree.adapters.sklearn_model import SklearnTrainer
from ree.adapters.table import NumpyTable
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset, Sale, holdout_start, newest_sales, trainable
from ree.domain.evaluation import Comparison, Evaluation, Interval
from ree.domain.gating import Check, Evidence, GatingPolicy, Measured, Outcome, Verdict
from ree.domain.property import Property
from ree.domain.turnover import Period, add_months

Array = npt.NDArray[np.float64]
Gate = Callable[[Evidence], Verdict]
Count = Counter[str]

WORSE = 1.10
AVERAGED = 4
DEGRADATION = ("mae", "mdape", "p90")
"""WAPE is left out: on the same sales its ratio is that of the MAE."""
Z = NormalDist().inv_cdf(0.975)


@frozen(eq=False)
class Pair:
    """Two models' estimates, and the naive ones, of the same sales. NOK."""

    name: str
    sales: Dataset
    candidate: Array
    active: Array
    naive: Array

    def draw(self, random: np.random.Generator, n: int) -> "Pair":
        """*n* of the sales with replacement, the estimates exchanged at random."""
        rows, swap = random.integers(0, len(self.sales), n), random.random(n) < 0.5
        candidate, active = self.candidate[rows], self.active[rows]
        return Pair(
            self.name,
            self.sales.where(rows),
            np.where(swap, active, candidate),
            np.where(swap, candidate, active),
            self.naive[rows],
        )


@frozen
class Repetition:
    """What the gate sees of an equal candidate and of a worse one.

    *larger*: the share of sales that each of them misses by more than the active model does.
    """

    equal: Evidence
    worse: Evidence
    larger: tuple[float, float]


def read(path: Path) -> Dataset:
    """The sales that can be trained on, one a property."""
    sales = [
        Sale(
            sale.property_id,
            0,
            sale.day.isoformat(),
            sale.day,
            nan if sale.price is None else sale.price,
            Property.parse(sale.parameters)[0],
        )
        for sale in read_sales(path)
    ]
    dataset, _ = trainable(NumpyTable().sales(newest_sales(sales)[0]))
    return dataset


def pairs(dataset: Dataset, recipe: str, seed: int) -> Iterator[tuple[str, Callable[[], Pair]]]:
    """Honest models on the newest fifth, each trained on sales before it; by name, made if asked.

    retrain: what a scheduled retrain compares, a champion and a fit that lacks its oldest month;
    shifted: a champion that is also a month staler; resampled: bootstrap resamples of one window;
    averaged: as retrain, but each the mean of some fits on resamples that both models share.
    """
    days = dataset.columns["day"]
    first, last = (date.fromordinal(int(day)) for day in (days.min(), days.max()))
    cut = holdout_start(days, Period(last, last))
    whole, later = dataset.where(days < cut), dataset.where(days >= cut)
    days = whole.columns["day"]
    every = np.full(len(whole), True)
    newer = days >= add_months(first, 1).toordinal()
    older = days < add_months(date.fromordinal(cut), -1).toordinal()
    trainer = SklearnTrainer()
    naive = trainer.baseline(whole).estimate(later.columns)

    @cache
    def log_price(model: str, resample: int | None = None) -> Array:
        times = {"whole": every, "newer": newer, "older": older}[model].astype(int)
        if resample is not None:
            times *= np.random.default_rng([seed, resample]).poisson(1, len(whole))
        sales = whole.where(np.repeat(np.arange(len(whole)), times))
        logs: Array = np.log(trainer.fit(sales, trainer.recipe(recipe)).estimate(later.columns))
        return logs

    def mean(model: str) -> Array:
        members = [log_price(model, resample) for resample in range(AVERAGED)]
        average: Array = np.mean(members, axis=0)
        return average

    def pair(name: str, candidate: Array, active: Array) -> Pair:
        return Pair(name, judged(later), np.exp(candidate), np.exp(active), naive)

    yield "retrain", lambda: pair("retrain", log_price("newer"), log_price("whole"))
    yield "shifted", lambda: pair("shifted", log_price("newer"), log_price("older"))
    yield "resampled", lambda: pair("resampled", log_price("whole", 0), log_price("whole", 1))
    yield "averaged", lambda: pair("averaged", mean("newer"), mean("whole"))


def judged(sales: Dataset) -> Dataset:
    """What the gate looks at: prices, and which are of an enebolig; the rest is left out for speed.

    So a row has the code of enebolig or of the next type, and municipalities are one.
    """
    types = np.minimum(sales.columns["realestate_type"], 1)
    columns = {"day": sales.columns["day"], "price": sales.columns["price"]}
    return Dataset(columns | {"realestate_type": types, "municipality_number": np.ones(len(sales))})


def repetitions(
    pair: Pair, n: int, times: int, *, seed: int = 0, worse: float = WORSE, resamples: int = 0
) -> list[Repetition]:
    """Seeded draws of *n* sales, with bootstrap intervals if there are *resamples*."""
    random = np.random.default_rng([seed, n])
    return [_repetition(pair.draw(random, n), worse, resamples) for _ in range(times)]


def _repetition(drawn: Pair, worse: float, resamples: int) -> Repetition:
    evaluator, sales, price = NumpyEvaluator(resamples), drawn.sales, drawn.sales.columns["price"]
    naive = evaluator.evaluate(sales, Appraisal(drawn.naive))
    if resamples:
        equal = evaluator.compare(sales, drawn.candidate, drawn.active)
    else:
        equal = Comparison(
            evaluator.evaluate(sales, Appraisal(drawn.candidate)),
            evaluator.evaluate(sales, Appraisal(drawn.active)),
        )
    error = drawn.candidate - price
    degraded = Comparison(
        evaluator.evaluate(sales, Appraisal(price + worse * error)),
        equal.active,
        _scaled(equal.intervals, worse),
    )
    mine, theirs = np.abs(error), np.abs(drawn.active - price)
    larger = (float((mine > theirs).mean()), float((worse * mine > theirs).mean()))
    return Repetition(_evidence(equal, naive), _evidence(degraded, naive), larger)


def _scaled(
    intervals: Mapping[str, Mapping[str, Interval]], factor: float
) -> dict[str, dict[str, Interval]]:
    """A gated metric of larger errors is as much larger, in every resample."""
    return {
        segment: {
            metric: Interval((1 + each.lower) * factor - 1, (1 + each.upper) * factor - 1)
            for metric, each in metrics.items()
        }
        for segment, metrics in intervals.items()
    }


def _evidence(comparison: Comparison, naive: Evaluation) -> Evidence:
    n = comparison.candidate.overall.n
    rows = GatingPolicy().min_rows + n
    return Evidence(rows, n, Measured(comparison.candidate, naive, comparison))


def count(verdicts: Iterable[Verdict]) -> Count:
    """How many passed, failed and were inconclusive and blocked; and how many each rule refused."""
    counts: Count = Counter()
    for verdict in verdicts:
        outcomes = {check.outcome for check in verdict.blocking}
        failed = "failed" if Outcome.FAILED in outcomes else "inconclusive"
        counts["passed" if verdict.passed else failed] += 1
        counts.update(check.rule for check in verdict.blocking)
    return counts


def forgiving(policy: GatingPolicy, forgiven: Callable[[Check], bool]) -> Gate:
    """The policy without the checks that are forgiven."""

    def judge(evidence: Evidence) -> Verdict:
        checks = policy.judge(evidence).checks
        return Verdict(tuple(check for check in checks if not forgiven(check)))

    return judge


def settings() -> dict[str, Gate]:
    """The default gate, and what its settings can make of it."""
    default = GatingPolicy()

    def limits(percent: float, **others: Any) -> Gate:
        return evolve(
            default,
            overall_limit=percent / 100,
            enebolig_limit=(percent + 2) / 100,
            **others,
        ).judge

    return {
        "default": default.judge,
        **{f"limits {percent} / {percent + 2} %": limits(percent) for percent in (6, 7, 8, 9)},
        "tails from 1,000 rows": evolve(default, tail_min_rows=1_000).judge,
        "limits 7 / 9 %, tails from 1,000 rows": limits(7, tail_min_rows=1_000),
        "segments from 300 rows": evolve(default, segment_min_rows=300).judge,
        "limits 8 / 10 %, segments from 300 rows": limits(8, segment_min_rows=300),
        "limits 8.5 / 10.5 %, segments from 300 rows": limits(8.5, segment_min_rows=300),
    }


def other_rules() -> dict[str, Gate]:
    """Gates that the product does not have."""
    policy = GatingPolicy()

    def few(*metrics: str) -> Gate:
        return forgiving(policy, lambda c: _metric(c) in metrics and c.figures["n"] < 1_000)

    return {
        "without the enebolig rules": forgiving(policy, lambda c: c.rule.startswith("enebolig")),
        "P90 from 1,000 rows": few("p90"),
        "MdAPE and P90 from 1,000 rows": few("mdape", "p90"),
        "overall MAE and WAPE only": forgiving(
            policy, lambda c: c.rule.startswith("enebolig") or _metric(c) in ("mdape", "p90")
        ),
    }


def interval_rules() -> dict[str, Gate]:
    """Gates that forgive what the bootstrap interval leaves open."""
    policy = GatingPolicy()
    zero, limit = (_unsure_above(limits) for limits in (0, 1))

    def unless_mae(unsure: Callable[[Check], bool]) -> Gate:
        return forgiving(policy, lambda c: c.rule != "overall_mae" and unsure(c))

    return {
        "default, on the same repetitions": policy.judge,
        "fails if the interval is above 0": forgiving(policy, zero),
        "fails if the interval is above the limit": forgiving(policy, limit),
        "overall MAE by its figure, others if the interval is above 0": unless_mae(zero),
        "overall MAE by its figure, others if the interval is above the limit": unless_mae(limit),
    }


def _metric(check: Check) -> str:
    return check.rule.partition("_")[2]


def _unsure_above(limits: int) -> Callable[[Check], bool]:
    def unsure(check: Check) -> bool:
        interval = check.figures.get("degradation_interval")
        if check.outcome is not Outcome.FAILED or interval is None:
            return False
        return bool(interval[0] <= limits * check.figures["limit"])

    return unsure


def share(k: int, n: int) -> str:
    """Percent, with Wilson's 95 % binomial interval."""
    p, spread = k / n, Z * sqrt(k / n * (1 - k / n) / n + (Z / n / 2) ** 2)
    middle, scale = p + Z * Z / (2 * n), 1 + Z * Z / n
    low, high = (100 * (middle + sign * spread) / scale for sign in (-1, 1))
    return f"{100 * p:.1f} ({max(low, 0):.1f} to {min(high, 100):.1f})"


def gate_row(gate: Gate, done: Sequence[Repetition]) -> tuple[str, ...]:
    """Refused though equal, of those inconclusive, passed though worse, what refused most."""
    equal = count(gate(each.equal) for each in done)
    worse = count(gate(each.worse) for each in done)
    rules = [item for item in equal.most_common() if item[0] not in OUTCOMES][:4]
    return (
        share(equal["failed"] + equal["inconclusive"], len(done)),
        str(equal["inconclusive"]),
        share(worse["passed"], len(done)),
        ", ".join(f"{rule} {100 * k / len(done):.1f}" for rule, k in rules) or "none",
    )


OUTCOMES = tuple(outcome.value for outcome in Outcome)


def rule_rows(done: Sequence[Repetition]) -> Iterator[tuple[str, ...]]:
    """Each rule as if it were alone, and how far the sampling noise lets it see."""
    equal, worse = ([GatingPolicy().judge(side) for side in sides] for sides in _sides(done))
    for index, check in enumerate(equal[0].checks):
        ours = [verdict.checks[index] for verdict in equal]
        refused = sum(each.outcome is Outcome.FAILED for each in ours)
        passed = sum(v.checks[index].outcome is not Outcome.FAILED for v in worse)
        silent = sum(each.outcome is Outcome.INCONCLUSIVE for each in ours)
        ratios = [log(1 + c.figures["degradation"]) for c in ours if "degradation" in c.figures]
        yield (
            check.rule,
            share(refused, len(done)),
            share(passed, len(done)),
            f"{100 * silent / len(done):.0f}",
            *_limits_of_sight(float(np.std(ratios)) if len(ratios) > 1 else nan),
        )


def floor_rows(done: Sequence[Repetition]) -> Iterator[tuple[str, ...]]:
    """The least error of tests that are not in the gate, on the same draws.

    Every gated metric of the worse model is larger by the same factor, so the best weighting of
    the three logs is by the inverse of their covariance. The sign test sees each sale.
    """
    comparisons = [each.equal.measured.comparison for each in done]
    logs = np.array([_log_ratios(c) for c in comparisons if isinstance(c, Comparison)])
    spread = 1 / sqrt(float(np.linalg.pinv(np.cov(logs.T)).sum()))
    yield ("best weighting of MAE, MdAPE and P90", "", "", "", *_limits_of_sight(spread))
    larger = np.array([each.larger for each in done])
    middle = float(larger.mean())
    refused, passed = int((larger[:, 0] > middle).sum()), int((larger[:, 1] <= middle).sum())
    yield "sign test on the sales", share(refused, len(done)), share(passed, len(done)), "0", "", ""


def _log_ratios(comparison: Comparison) -> list[float]:
    candidate, active = comparison.candidate.overall, comparison.active.overall
    return [log(getattr(candidate, name) / getattr(active, name)) for name in DEGRADATION]


def _sides(done: Sequence[Repetition]) -> tuple[list[Evidence], list[Evidence]]:
    return [each.equal for each in done], [each.worse for each in done]


def _limits_of_sight(spread: float) -> tuple[str, str]:
    """The noise of a log ratio in percent; the least that both errors can be at once, in percent.

    With the limit halfway between equal and worse, if the noise is normal.
    """
    if not spread > 0:
        return "", ""
    return f"{100 * spread:.1f}", f"{100 * NormalDist().cdf(-log(WORSE) / 2 / spread):.1f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def describe(pair: Pair) -> str:
    """How good and how alike the two models are."""
    price = pair.sales.columns["price"]
    mine, theirs = (np.abs(side - price) for side in (pair.candidate, pair.active))
    houses = (pair.sales.columns["realestate_type"] == 0).mean()
    alike = np.corrcoef(mine, theirs)[0, 1]
    return (
        f"{pair.name}: {len(price)} sales, {houses:.0%} enebolig; MAE {mine.mean():,.0f} and "
        f"{theirs.mean():,.0f}, MdAPE {np.median(mine / price):.2%} and "
        f"{np.median(theirs / price):.2%}; correlation of |error| {alike:.3f}"
    )


def report(pair: Pair, asked: argparse.Namespace) -> None:
    """Every table of a pair."""
    print(f"\n## {describe(pair)}\n", flush=True)
    done = {n: repetitions(pair, n, asked.repetitions, seed=asked.seed) for n in asked.rows}
    header = ("n", "refused though equal %", "inconclusive", "passed though worse %", "by rule %")
    default = GatingPolicy().judge
    print(table(header, ((str(n), *gate_row(default, each)) for n, each in done.items())))
    columns = ("rule alone", *header[1:2], *header[3:4], "inconclusive %", "noise %", "floor %")
    for n, each in done.items():
        print(f"n = {n}\n")
        rows = (*rule_rows(each), *floor_rows(each))
        print(table(columns, rows), flush=True)
    print(_gates(settings() | other_rules(), done), flush=True)
    if asked.resamples:
        times = min(asked.repetitions, asked.bootstrapped)
        done = {
            n: repetitions(pair, n, times, seed=asked.seed, resamples=asked.resamples)
            for n in asked.rows
        }
        print(_gates(interval_rules(), done), flush=True)


def _gates(gates: Mapping[str, Gate], done: Mapping[int, Sequence[Repetition]]) -> str:
    header = ("gate: equal refused, worse passed %", *(f"n = {n}" for n in done))
    rows = ((name, *(_both(gate, each) for each in done.values())) for name, gate in gates.items())
    return table(header, rows)


def _both(gate: Gate, done: Sequence[Repetition]) -> str:
    refused, _, passed, _ = gate_row(gate, done)
    return f"{refused.split()[0]}, {passed.split()[0]}"


def main() -> None:
    """Prints the tables of every pair of models."""
    names = ["retrain", "shifted", "resampled", "averaged"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a CSV of sales, as a replay's")
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 446, 2_000])
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--resamples", type=int, default=0, help="of the bootstrap; 0: none")
    parser.add_argument("--bootstrapped", type=int, default=500, help="repetitions that have it")
    parser.add_argument("--recipe", default="accurate")
    parser.add_argument("--pairs", nargs="+", choices=names, default=names[:3])
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    for name, made in pairs(read(asked.data), asked.recipe, asked.seed):
        if name in asked.pairs:
            report(made(), asked)


if __name__ == "__main__":
    main()
