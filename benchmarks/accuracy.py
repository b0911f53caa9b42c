"""How far ree's estimates are from prices that it has never seen, and how far others are.

Replays a CSV of real sales through the sandbox's HTTP API, retrains on what came before a cut with
`ree retrain`, estimates the sales from the cut on with `ree estimate` (valued on the day of the
sale), and scores them; then lets other models train on the very rows that ree trained on, and
scores those on the same sales. They need `make peers`. The seconds of ree are of `ree retrain`, the
fetching included, those of the others of tuning and fitting.

    python benchmarks/accuracy.py --data path/to/sales.csv --cut 2019-03-15
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from attrs import frozen

from peers import Peer, not_installed, peers
from ree.adapters.parquet import parquet_dataset
from ree.adapters.sandbox.csv_sales import RecordedSale, read_sales
from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import running
from ree.adapters.table import NumpyTable
from ree.domain.dataset import Dataset, Sale
from ree.domain.estimate import Home
from scores import (
    GROUPS,
    RATIOS,
    SCORES,
    Answers,
    group_rows,
    percent,
    ratio_row,
    score_row,
    table,
)

HOLDOUT = ("mdape", "mae", "wape", "within_10", "within_20")
WANTED = 0.97
"""The share of the homes that no row rule refuses which must get an estimate."""


@frozen(eq=False)
class Run:
    """What ree did: what it was trained on and took, and its answers for the later sales."""

    trained_on: Dataset
    seconds: float
    answers: Answers


def main() -> None:
    """Prints the run, the scores, ree against each peer, and ree by group."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a CSV of sales, as a replay's")
    parser.add_argument("--cut", type=date.fromisoformat, required=True)
    parser.add_argument("--estimator", default="accurate", choices=["fast", "accurate"])
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seconds", type=float, default=150, help="to tune each peer; default 150")
    asked = parser.parse_args()
    if asked.peers and (absent := not_installed()):
        sys.exit(f'No {", ".join(absent)}. Run "make peers", or leave the peers out: --no-peers.')

    sales = list(read_sales(asked.data))
    later, accepted = from_the_cut(sales, asked.cut)
    run = replay(asked.data, min(sale.day for sale in sales), asked.cut, asked.estimator, later)
    print_share(accepted, run.answers)
    judged = accepted & np.isfinite(run.answers.estimated_price)
    test, answers = columns(later).where(judged), run.answers.where(judged)
    others = list(peers(run.trained_on, test, asked.seconds)) if asked.peers else []
    print_comparison(test, answers, run.seconds, others)
    print(table(GROUPS, group_rows(test, answers)))


def from_the_cut(sales: Sequence[RecordedSale], cut: date) -> tuple[list[RecordedSale], Any]:
    """The sales to value, those with a price, and which of them no row rule refuses (a mask)."""
    later = [sale for sale in sales if sale.day >= cut and sale.price]
    return later, np.array([not _home(sale).faults for sale in later])


def columns(sales: Sequence[RecordedSale]) -> Dataset:
    """As the dataset that ree trains on."""
    return NumpyTable().sales(
        [
            Sale(s.property_id, 0, s.day.isoformat(), s.day, s.price or np.nan, _home(s).home)
            for s in sales
        ]
    )


def _home(sale: RecordedSale) -> Home:
    return Home.parse(str(sale.property_id), sale.parameters, sale.day)


def replay(
    data: Path, start: date, cut: date, estimator: str, later: Sequence[RecordedSale]
) -> Run:
    """Retrains on the sales before the cut, twice, and estimates the later ones."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ReplayedMarket.from_csv(data)) as sandbox,
    ):
        storage = {"REE_STORAGE_PATH": folder, "REE_API_BASE_URL": sandbox.base_url}
        environment = os.environ | storage
        period = [f"--start-date={start}", f"--end-date={cut - timedelta(days=1)}"]
        retrain = ("retrain", *period, f"--estimator={estimator}", "--json")
        started = perf_counter()
        report = json.loads(_ree(environment, *retrain))
        seconds = perf_counter() - started
        # In kB, of the largest child: the retrain is the first. Linux lets a child begin with its
        # parent's peak, so what is imported here is kept small.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"retrain: {seconds:.1f} s, peak memory {peak:,.0f} MB")
        asked = sandbox.requests.total()
        again = json.loads(_ree(environment, *retrain))
        print(f"requests: {asked}; of the second run: {sandbox.requests.total() - asked}")
        print(
            f"second run reused: {again['reused']}, same version: "
            f"{again['model_version'] == report['model_version']}"
        )
        print_report(report)
        [dataset] = Path(folder).glob("ree-snapshots/datasets/*/*/dataset.parquet")
        answers = _answers(environment, Path(folder), later)
        return Run(parquet_dataset(dataset.read_bytes()), seconds, answers)


def _ree(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "ree.entrypoints.cli", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"ree {arguments[0]} ended with {done.returncode}")
    return done.stdout


def _answers(environment: dict[str, str], folder: Path, later: Sequence[RecordedSale]) -> Answers:
    homes, estimates = folder / "homes.jsonl", folder / "estimates.csv"
    with homes.open("w") as file:
        for sale in later:
            own = {"property_id": sale.property_id, "valuation_date": sale.day.isoformat()}
            file.write(json.dumps(own | sale.parameters) + "\n")
    _ree(environment, "estimate", str(homes), "--output", str(estimates))
    return Answers.read(estimates)


def print_report(report: dict[str, Any]) -> None:
    """The funnel, the holdout and the verdict of a retrain."""
    print(json.dumps(report["manifest"]["counts"]))
    print(json.dumps(report["manifest"]["dropped_reasons"]))
    overall = report["metrics"]["overall"]
    print("holdout:", {name: round(overall[name], 4) for name in ("n", *HOLDOUT)})
    print("verdict passed:", report["verdict"]["passed"], "activated:", report["activated"])


def print_share(accepted: Any, answers: Answers) -> None:
    """How many of the homes that can be valued were."""
    refused = Counter(answers.error[accepted & np.isnan(answers.estimated_price)])
    n = int(accepted.sum())
    share = 1 - refused.total() / n
    enough = "enough" if share >= WANTED else "TOO FEW"
    print(f"never seen: {len(accepted)} sales, {n} accepted by the row rules")
    print(f"of those estimated: {n - refused.total()}, {percent(share)}: {enough}")
    if refused:
        print("refused:", dict(refused.most_common()))


def print_comparison(
    test: Dataset, answers: Answers, seconds: float, others: Sequence[Peer]
) -> None:
    """The scores of ree and its peers, what they were tuned to, and the ratios."""
    ours = answers.estimated_price
    rows = [("ree", ours, seconds), *((each.name, each.estimates, each.seconds) for each in others)]
    print()
    print(table(SCORES, (score_row(name, test, made, took) for name, made, took in rows)))
    for each in others:
        if each.tuned:
            print(f"{each.name}: {each.tuned}")
    print()
    if others:
        ratios = (ratio_row(each.name, test, ours, each.estimates) for each in others)
        print(table(RATIOS, ratios))


if __name__ == "__main__":
    main()
