"""What a valuation costs, part by part, beside a pipeline of the usual libraries.

    python benchmarks/appraise.py [--recipe fast] [--rounds 7]

Trains on the simulated market, then prices 1 to 10,000 homes of it in rounds that take turns, and
prints the median CPU time of one thread in microseconds a home; *plain* is the same model of
benchmarks/plain_model.py. Both have to give the same answers, and a home the same bits alone.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import date
from statistics import median
from typing import Any

start = time.process_time()
from ree.adapters.compiled import compiled  # noqa: E402

IMPORTED = time.process_time() - start


@compiled("float64(float64[::1])")
def first(x: Any) -> float:
    """With the first function numba sets itself up."""
    return float(x[0])


SET_UP = time.process_time() - start - IMPORTED

import ree.adapters.boosted_trees as boosted  # noqa: E402

COMPILED = time.process_time() - start - IMPORTED - SET_UP

import numpy as np  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from plain_model import PlainModel  # noqa: E402
from ree.adapters.conformal import sights  # noqa: E402
from ree.adapters.frames import add_offsets  # noqa: E402
from ree.adapters.sandbox.simulator import SimulatedMarket  # noqa: E402
from ree.adapters.sklearn_model import SklearnTrainer  # noqa: E402
from ree.adapters.table import HomeTable, NumpyTable  # noqa: E402
from ree.adapters.training_domain import nearness  # noqa: E402
from ree.domain.dataset import Dataset, Sale  # noqa: E402
from ree.domain.property import Property  # noqa: E402
from ree.domain.rules import sort_out  # noqa: E402

SIZES = (1, 10, 100, 1_000, 10_000)
BUDGET = 0.4
"""Seconds that one timing may take."""
AGREEMENT = 1e-9
COVERAGE = 0.9
Homes = Mapping[str, Any]


def main() -> None:
    """Prints what importing and training cost, then a table for each recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--recipe", choices=["fast", "accurate"], action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--a-month", type=int, default=1_300, help="turnovers; default 1300")
    asked = parser.parse_args()
    print(f"CPU: import numba {IMPORTED:.2f} s, set it up {SET_UP:.2f} s, compile {COMPILED:.2f} s")
    sold, later = (simulated(year, asked.a_month) for year in (2025, 2026))
    with threadpool_limits(1):
        for recipe in asked.recipe or ["fast", "accurate"]:
            begun = time.process_time()
            trainer = SklearnTrainer()
            model = trainer.fit(sold, trainer.recipe(recipe))
            spent = time.process_time() - begun
            print(f"\n{recipe}: {len(sold):,} sales, trained in {spent:.0f} s of CPU")
            compare(model, later, asked.rounds)


def simulated(year: int, a_month: int) -> Dataset:
    """The sound sales of a year, each of one home."""
    market, sales = SimulatedMarket(turnovers_per_month=a_month), []
    for record in market.turnovers(date(year, 1, 1), date(year, 12, 31)):
        told = record["attributes"]
        units = market.units(told["cadastral_unit_ids"]).values()
        known = market.properties([number for unit in units for number in unit["property_ids"]])
        day = _day(told.get("turnover_date"))
        if len(told["cadastral_unit_ids"]) == len(known) == 1 and day:
            ((number, features),) = known.items()
            home, _ = Property.parse(features)
            sales.append(Sale(number, 0, "", day, told.get("price") or float("nan"), home))
    dataset = NumpyTable().sales(sales)
    return dataset.where(sort_out(dataset.columns)[0])


def _day(told: str | None) -> date | None:
    try:
        return date.fromisoformat((told or "")[:10])
    except ValueError:
        return None


def compare(model: boosted.BoostedTrees, homes: Dataset, rounds: int) -> None:
    """A row for each size of a batch: microseconds of CPU a home, and how often plain costs it."""
    plain, rows = PlainModel.of(model), np.arange(max(SIZES)) % len(homes)
    every = {name: column[rows] for name, column in homes.columns.items()}
    check(model, plain, every)
    parts = [*steps(model, HomeTable.of(every))]
    print(f"{'homes':>7}" + "".join(f"{name:>11}" for name in (*parts, "all", "plain", "ratio")))
    for size in SIZES:
        few = {name: column[:size] for name, column in every.items()}
        table = HomeTable.of(few)
        timed: dict[str, Callable[[], Any]] = steps(model, table) | {
            "all": lambda table=table: model.appraise(table, (COVERAGE,)),
            "plain": lambda few=few: plain.appraise(few),
        }
        found: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(rounds):
            for name, action in timed.items():
                found[name].append(microseconds(action) / size)
        took = {name: median(times) for name, times in found.items()}
        ratio = median(p / a for p, a in zip(found["plain"], found["all"], strict=True))
        told = "".join(f"{took[name]:>11.2f}" for name in timed)
        print(f"{size:>7,}{told}{ratio:>11.1f}")


def steps(model: boosted.BoostedTrees, homes: HomeTable) -> dict[str, Callable[[], Any]]:
    """What an appraisal consists of; of many homes the parts go through it one after the other."""
    conformal, domain = model.conformal, model.domain
    assert conformal is not None
    assert domain is not None
    parts = [*homes.parts(boosted._AT_ONCE)]
    seen = [(part, *model.see(part)) for part in parts]
    hedonic = [model.market.hedonic.log_per_sqm(part) for part in parts]
    told = [sights(x, members) for _, x, members in seen]
    errors = [conformal.expected_error(sight) for _, sight in told]

    def beside() -> None:
        for (part, _, members), per_sqm in zip(seen, hedonic, strict=True):
            model.market.hedonic.log_per_sqm(part)
            add_offsets(members.copy(), part["usable_area"], per_sqm, model.frames)

    def rest() -> None:
        for (part, x, members), error in zip(seen, errors, strict=True):
            mean, _ = sights(x, members)
            price = np.exp(mean)
            conformal.bounds(price, part["realestate_type"], error, (COVERAGE,))
            reaches = domain.reaches(part, nearness(x))
            reaches.refused.any()
            reaches.warned.any()

    return {
        "features": lambda: [model.market.features(part) for part in parts],
        "hedonic": beside,
        "trees": lambda: [model.trees.predict(x) for _, x, _ in seen],
        "error": lambda: [conformal.expected_error(sight) for _, sight in told],
        "rest": rest,
    }


def check(model: boosted.BoostedTrees, plain: PlainModel, homes: Homes) -> None:
    """Both say the same, and a home has the same bits alone; else it ends here."""
    found = model.appraise(homes, (COVERAGE,))
    ours = np.array([found.price, *found.intervals[COVERAGE]])
    off = np.abs(ours / np.array(plain.appraise(homes)) - 1).max(axis=0)
    alone = [
        model.appraise({name: column[[row]] for name, column in homes.items()}, (COVERAGE,)).price
        for row in range(0, len(off), 97)
    ]
    assert np.concatenate(alone).tobytes() == found.price[::97].tobytes()
    beyond = int((off > AGREEMENT).sum())
    print(f"  {beyond} of {len(off):,} homes differ by more than {AGREEMENT} of the plain model")
    assert beyond <= len(off) // 1_000, "more than a last bit at a threshold explains"


def microseconds(action: Callable[[], Any]) -> float:
    """CPU time of one call, the mean of as many as the budget allows."""
    action()
    begun = time.process_time()
    action()
    calls = max(1, int(BUDGET / max(1e-6, time.process_time() - begun) / 10))
    begun = time.process_time()
    for _ in range(calls):
        action()
    return (time.process_time() - begun) / calls * 1e6


if __name__ == "__main__":
    main()
