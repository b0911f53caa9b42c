"""ree on a CSV of real sales: retrained on what came before a cut, asked about what came after."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from attrs import frozen

from ree.adapters.parquet import parquet_dataset
from ree.adapters.sandbox.csv_sales import RecordedSale
from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import running
from ree.adapters.table import NumpyTable
from ree.domain.dataset import Dataset, Sale
from ree.domain.estimate import Home
from scores import Answers

SHOWN = ("n", "mdape", "mae", "wape", "within_10", "within_20")


@frozen(eq=False)
class Run:
    """The rows that ree trained on, the seconds that the retrain took, and the answers.

    *forced*: NOK, what the model says of the accepted homes that were refused.
    """

    trained_on: Dataset
    seconds: float
    answers: Answers
    forced: Any


def from_the_cut(sales: Sequence[RecordedSale], cut: date) -> tuple[list[RecordedSale], Any]:
    """The sales to value, those with a price, and which of them no row rule refuses (a mask)."""
    later = [sale for sale in sales if sale.day >= cut and sale.price]
    return later, np.array([not _home(sale).faults for sale in later])


def parted(accepted: Any, answers: Answers) -> tuple[Any, Any]:
    """Of the accepted ones those that got an estimate, and those that were refused all the same."""
    estimated = np.isfinite(answers.estimated_price)
    return accepted & estimated, accepted & ~estimated


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
    data: Path,
    days: tuple[date, date],
    estimator: str,
    later: Sequence[RecordedSale],
    accepted: Any,
) -> Run:
    """Retrains twice on the sales of *days*, tells what came of it, and values the later ones."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ReplayedMarket.from_csv(data)) as sandbox,
    ):
        storage = {"REE_STORAGE_PATH": folder, "REE_API_BASE_URL": sandbox.base_url}
        environment = os.environ | storage
        period = (f"--start-date={days[0]}", f"--end-date={days[1]}")
        retrain = ("retrain", *period, f"--estimator={estimator}", "--json")
        started = perf_counter()
        report = json.loads(_ree(environment, *retrain))
        seconds = perf_counter() - started
        # In kB, of the largest child: the retrain is the first. Linux lets a child begin with its
        # parent's peak, so nothing heavy is imported before.
        megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"retrain: {seconds:.1f} s, peak memory {megabytes:,.0f} MB")
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
        forced = _forced(environment, columns(later).where(parted(accepted, answers)[1]))
        return Run(parquet_dataset(dataset.read_bytes()), seconds, answers, forced)


def print_report(report: dict[str, Any]) -> None:
    """The funnel, the holdout and the verdict of a retrain."""
    print(json.dumps(report["manifest"]["counts"]))
    print(json.dumps(report["manifest"]["dropped_reasons"]))
    overall = report["metrics"]["overall"]
    print("holdout:", {name: round(overall[name], 4) for name in SHOWN})
    print("verdict passed:", report["verdict"]["passed"], "activated:", report["activated"])


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


def _forced(environment: dict[str, str], homes: Dataset) -> Any:
    if not len(homes):
        return np.empty(0)
    from ree import Container, load_settings

    container = Container()
    container.settings.override(load_settings(environment))
    return container.latest_model().current().model.estimate(homes.columns)
