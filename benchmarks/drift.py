"""What the rules of drift say of sales that have not drifted, and of sales that have.

    python benchmarks/drift.py --data path/to/sales.csv [--recipe fast] [--draws 200]

A model is trained on a random half of the sales; the other half is what was sold since. From it
come, in this order: what is said of it as it is, with all prices times 1.3, and without flats; how
often some of its sales, drawn without replacement, raise a false alarm, by the number of sales; how
often changes of several sizes are noticed; and what is said of each month by a model of the months
before it. Trainer, tally and rules are the product's. docs/drift.md has what came of it.
"""

import argparse
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ree.adapters.sandbox.csv_sales import read_sales
from ree.adapters.sklearn_model import SklearnTrainer
from ree.adapters.table import NumpyTable
from ree.adapters.tally import NumpyTally
from ree.domain.dataset import Dataset, Sale, newest_sales, trainable
from ree.domain.distribution import Distributions
from ree.domain.drift import DriftRules, DriftVerdict, FeatureDrift
from ree.domain.model import Recipe
from ree.domain.property import Property, RealEstateType
from ree.domain.turnover import Period

Array = npt.NDArray[np.float64]
SIZES = (100, 200, 300, 500, 1_000, 2_000, 4_000)
PRICES = (1.03, 1.05, 1.07, 1.10, 1.15)
KEPT = (0.7, 0.5, 0.3)
LARGER = (1.1, 1.2, 1.3)
TRAINER = SklearnTrainer()
ALARMS = (DriftVerdict.WATCH, DriftVerdict.DRIFTED)
RULES = DriftRules()
LIMITS = DriftRules(min_sales=1, most_chance=np.inf)
"""The limits of the product, asked of any number of sales."""


@frozen(eq=False)
class Trained:
    """A model, and what is kept of the sales that it was trained on."""

    model: Any
    distributions: Distributions

    @classmethod
    def on(cls, sales: Dataset, recipe: Recipe) -> "Trained":
        model = TRAINER.fit(sales, recipe)
        return cls(model, NumpyTally().distributions(sales, model.estimate(sales.columns)))

    def on_few_of(self, sales: Dataset, n: int, random: np.random.Generator) -> "Trained":
        """As if it had been trained on *n* of its sales, the estimates left as they are."""
        few = sales.take(random.permutation(len(sales))[:n])
        estimate = self.model.estimate(few.columns)
        return Trained(self.model, NumpyTally().distributions(few, estimate))

    def judge(
        self, sales: Dataset, estimate: Array | None = None, rules: DriftRules = RULES
    ) -> tuple[FeatureDrift, ...]:
        """By the rules; the estimates of sales that are known need not be made again."""
        known = self.model.estimate(sales.columns) if estimate is None else estimate
        return rules.judge(
            self.distributions, NumpyTally().observe(sales, known, self.distributions)
        )


def read(path: Path) -> Dataset:
    """The sales that can be trained on, one a property."""
    sales = [
        Sale(
            sale.property_id,
            0,
            sale.day.isoformat(),
            sale.day,
            np.nan if sale.price is None else sale.price,
            Property.parse(sale.parameters)[0],
        )
        for sale in read_sales(path)
    ]
    return trainable(NumpyTable().sales(newest_sales(sales)[0]))[0]


def halves(sales: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Which half a sale is in is chance."""
    first = np.random.default_rng(seed).permutation(len(sales)) < len(sales) // 2
    return sales.where(first), sales.where(~first)


def dearer(sales: Dataset, factor: float) -> Dataset:
    """All prices times *factor*."""
    return Dataset({**sales.columns, "price": sales.columns["price"] * factor})


def without_flats(sales: Dataset) -> Dataset:
    """Those of other types."""
    return sales.where(sales.columns["realestate_type"] != RealEstateType.LEILIGHET.code)


def fewer_flats(sales: Dataset, kept: float, random: np.random.Generator) -> Dataset:
    """Only so large a part of the flats, at random."""
    flat = sales.columns["realestate_type"] == RealEstateType.LEILIGHET.code
    return sales.where(~flat | (random.random(len(sales)) < kept))


def larger(sales: Dataset, factor: float) -> Dataset:
    """The same homes with so much more area, at the same price a square metre."""
    columns = sales.columns
    scaled = {name: columns[name] * factor for name in ("usable_area", "total_area", "price")}
    return Dataset({**columns, **scaled})


def told(title: str, features: tuple[FeatureDrift, ...]) -> None:
    """As a table."""
    print(f"\n{title}: {DriftVerdict.worst([one.verdict for one in features]).value}")
    for one in features:
        figures = f"psi {one.psi:6.3f}  distance {one.distance:6.3f}  shift {one.shift:+7.3f}"
        print(f"  {one.feature:20} {one.verdict.value:8} {figures}")


def alarms(
    trained: Trained | Callable[[np.random.Generator], Trained],
    sales: Dataset,
    n: int,
    draws: int,
    change: Callable[..., Dataset] = lambda sales, _: sales,
    rules: DriftRules = RULES,
) -> dict[str, tuple[float, float]]:
    """How often *n* of the sales are watched, and how often drifted, by feature and overall."""
    random = np.random.default_rng([1, n])
    changed = change(sales, random)
    own = trained if isinstance(trained, Trained) else trained(random)
    estimate = own.model.estimate(changed.columns)
    found: dict[str, list[DriftVerdict]] = {}
    for _ in range(draws):
        rows = random.permutation(len(changed))[:n]
        own = trained if isinstance(trained, Trained) else trained(random)
        features = own.judge(changed.take(rows), estimate[rows], rules)
        verdicts = {one.feature: one.verdict for one in features}
        for name, verdict in verdicts.items() | {
            ("overall", DriftVerdict.worst(list(verdicts.values())))
        }:
            found.setdefault(name, []).append(verdict)
    return {
        name: (
            sum(verdict in ALARMS for verdict in verdicts) / draws,
            sum(verdict is DriftVerdict.DRIFTED for verdict in verdicts) / draws,
        )
        for name, verdicts in found.items()
    }


def _alarms_told(title: str, found: dict[str, tuple[float, float]]) -> None:
    noisy = sorted(found.items(), key=lambda item: -item[1][0])
    print(f"  {title}", *(f"{name} {a:.3f}/{b:.3f}" for name, (a, b) in noisy if a))


def changes() -> Iterator[tuple[str, str, Callable[..., Dataset]]]:
    """What is changed, where that should be noticed, and how it is made."""
    for factor in PRICES:
        yield f"prices x {factor:g}", "price_level", lambda sales, _, by=factor: dearer(sales, by)
    for kept in KEPT:
        yield (
            f"{kept:.0%} of the flats",
            "realestate_type",
            lambda sales, random, kept=kept: fewer_flats(sales, kept, random),
        )
    for factor in LARGER:
        yield f"areas x {factor:g}", "usable_area", lambda sales, _, by=factor: larger(sales, by)


def months(sales: Dataset, recipe: Recipe) -> Iterator[tuple[Period, tuple[FeatureDrift, ...]]]:
    """Each month but the first, by a model of all before it."""
    days = sales.columns["day"]
    whole = Period(date.fromordinal(int(days.min())), date.fromordinal(int(days.max())))
    for month in list(whole.months())[1:]:
        start, end = month.start.toordinal(), month.end.toordinal()
        trained = Trained.on(sales.where(days < start), recipe)
        yield month, trained.judge(sales.where((days >= start) & (days <= end)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="fast", choices=("fast", "accurate"))
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    sales = read(asked.data)
    first, second = halves(sales, asked.seed)
    recipe = TRAINER.recipe(asked.recipe)
    trained = Trained.on(first, recipe)
    print(f"{len(first)} sales to train on, {len(second)} sold since")
    told("the other half", trained.judge(second))
    told("prices x 1.3", trained.judge(dearer(second, 1.3)))
    told("without flats", trained.judge(without_flats(second)))
    print("\nfalse alarms by the number of sales: watched or drifted / drifted")
    for n in (size for size in SIZES if size < len(second)):
        for name, rules in {"by the limits": LIMITS, "with the minima": RULES}.items():
            found = alarms(trained, second, n, asked.draws, rules=rules)
            _alarms_told(f"{n:5} {name:15}", found)
    print("\nthe same of 300 sales, by the number of sales to train on")
    for n in (300, 500, 1_000, 2_000):
        few = partial(trained.on_few_of, first, n)
        for name, rules in {"by the limits": LIMITS, "with the minima": RULES}.items():
            found = alarms(few, second, 300, asked.draws, rules=rules)
            _alarms_told(f"{n:5} {name:15}", found)
    print("\nnoticed: watched or drifted / drifted")
    for what, where, change in changes():
        cells = []
        for n in (300, 1_000, 3_000):
            some, much = alarms(trained, second, n, asked.draws, change)[where]
            cells.append(f"n={n} {some:.2f}/{much:.2f}")
        print(f"  {what:18} {where:16}", *cells)
    for month, features in months(sales, recipe):
        told(str(month), features)


if __name__ == "__main__":
    main()
