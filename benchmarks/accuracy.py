"""How far ree's estimates are from prices that it has never seen, and how far others are.

Replays a CSV of real sales through the sandbox's HTTP API, retrains on what came before a cut with
`ree retrain`, estimates the sales from the cut on with `ree estimate` (valued on the day of the
sale), and scores them; then lets other models train on the very rows that ree trained on, and
scores those on the same sales. They need `make peers`. The seconds of ree are of `ree retrain`, the
fetching included, those of the others of tuning and fitting.

    python benchmarks/accuracy.py --data path/to/sales.csv --cut 2019-03-15
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from attrs import evolve

from peers import Peer, not_installed, peers
from ree.adapters.sandbox.csv_sales import read_sales
from ree.domain.dataset import Dataset
from replay import columns, from_the_cut, parted, replay
from scores import (
    GROUPS,
    RATIOS,
    SCORES,
    Answers,
    group_row,
    group_rows,
    percent,
    ratio_row,
    score_row,
    table,
)

WANTED = 0.97
"""The share of the homes that no row rule refuses which must get an estimate."""


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
    days = min(sale.day for sale in sales), asked.cut - timedelta(days=1)
    run = replay(asked.data, days, asked.estimator, later, accepted)
    print_share(accepted, run.answers)
    judged, refused = parted(accepted, run.answers)
    test, answers = columns(later).where(judged), run.answers.where(judged)
    others = list(peers(run.trained_on, test, asked.seconds)) if asked.peers else []
    print_comparison(test, answers, run.seconds, others)
    rows = group_rows(test, answers)
    if refused.any():
        forced = evolve(run.answers.where(refused), estimated_price=run.forced)
        price = columns(later).columns["price"][refused]
        rows.append(group_row("refused, forced through", price, forced))
    print(table(GROUPS, rows))


def print_share(accepted: Any, answers: Answers) -> None:
    """How many of the homes that can be valued were."""
    refused = Counter(answers.error[parted(accepted, answers)[1]].tolist())
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
