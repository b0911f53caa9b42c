"""How far ree's estimates are from prices that it has never seen.

Replays a CSV of real sales through the sandbox's HTTP API, retrains on what came before a cut with
`ree retrain`, estimates the sales from the cut on with `ree estimate` (valued on the day of the
sale), and scores them.

    python benchmarks/accuracy.py --data path/to/sales.csv --cut 2019-03-15
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from ree.adapters.evaluator import FORMULAS
from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import running

SHOWN = ("mdape", "mae", "wape", "within_10", "within_20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cut", type=date.fromisoformat, required=True)
    parser.add_argument("--estimator", default="accurate", choices=["fast", "accurate"])
    options = parser.parse_args()

    with options.data.open(newline="") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["turnover_date"]) for row in rows]
    later = [row for row, day in zip(rows, days, strict=True) if day >= options.cut]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(ReplayedMarket.from_csv(options.data)) as sandbox,
    ):
        environment = os.environ | {
            "REE_STORAGE_PATH": folder,
            "REE_API_BASE_URL": sandbox.base_url,
        }
        period = [f"--start-date={min(days)}", f"--end-date={options.cut - timedelta(days=1)}"]
        estimator = f"--estimator={options.estimator}"
        report = json.loads(_ree(environment, "retrain", *period, estimator, "--json"))
        asked = sandbox.requests.total()
        again = json.loads(_ree(environment, "retrain", *period, estimator, "--json"))
        print(f"requests: {asked}; of the second run: {sandbox.requests.total() - asked}")
        print(
            f"second run reused: {again['reused']}, same version: "
            f"{again['model_version'] == report['model_version']}"
        )
        _print_funnel(report["manifest"])
        _print_verdict(report)
        estimates = _estimates(environment, Path(folder), later)
    _print_scores(later, estimates)


def _ree(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "ree.entrypoints.cli", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"ree {arguments[0]} ended with {done.returncode}")
    return done.stdout


def _estimates(
    environment: dict[str, str], folder: Path, later: list[dict[str, str]]
) -> list[dict[str, str]]:
    homes, answers = folder / "homes.csv", folder / "estimates.csv"
    columns = ["valuation_date" if name == "turnover_date" else name for name in later[0]]
    columns.remove("price")
    with homes.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"valuation_date": row["turnover_date"]} for row in later)
    _ree(environment, "estimate", str(homes), "--output", str(answers))
    with answers.open(newline="") as file:
        return list(csv.DictReader(file))


def _print_funnel(manifest: dict[str, object]) -> None:
    print(json.dumps(manifest["counts"]))
    print(json.dumps(manifest["dropped_reasons"]))


def _print_verdict(report: dict[str, dict[str, object]]) -> None:
    overall = report["metrics"]["overall"]
    assert isinstance(overall, dict)
    print("holdout:", {name: round(overall[name], 4) for name in ("n", *SHOWN)})
    print("verdict passed:", report["verdict"]["passed"], "activated:", report["activated"])


def _print_scores(later: list[dict[str, str]], estimates: list[dict[str, str]]) -> None:
    priced = [
        (float(row["price"]), float(estimate["estimated_price"]))
        for row, estimate in zip(later, estimates, strict=True)
        if estimate["estimated_price"]
    ]
    price, estimate = np.array(priced).T
    scores = {name: float(FORMULAS[name](estimate - price, price)) for name in SHOWN}
    print(f"never seen: {len(later)} sales, {len(priced)} estimated")
    print({name: round(value, 4) for name, value in scores.items()})


if __name__ == "__main__":
    main()
