"""How fast trees are evaluated: the kernel against the scikit-learn members that it must equal.

    python benchmarks/kernel.py [--estimator fast|accurate] [--rounds 15]

Both recipes are trained on the simulated market and asked about its homes, as features; every
member's answers have to be the same to the last bit. Both sides run on one thread, one after the
other in each round; the figures are medians of the rounds.
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen
from threadpoolctl import threadpool_limits

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.sklearn_model import RECIPES, SklearnTrainer
from ree.adapters.trees import Trees
from ree.domain.dataset import Dataset
from ree.domain.model import Recipe
from simulated_sales import simulated_sales

Array = npt.NDArray[np.float64]
Predict = Callable[[Array], Array]

SIZES = (1, 10, 100, 1_000, 10_000)
BARS = {1: (100, 300), 1_000: (9, 13), 10_000: (9, 13)}
"""How many times faster it must be, and is to be, by rows."""
LEAST = 2_000
"""Rows that a round asks the kernel about, and a fiftieth of them scikit-learn: other ones each
time, for what is asked again and again is foreseen by the processor."""


@frozen
class Measured:
    """Microseconds a row, of all members together; wall and CPU time."""

    rows: int
    fitted: tuple[float, float]
    kernel: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Of the CPU time, which neighbours on the machine disturb least."""
        return self.fitted[1] / self.kernel[1]


def train(sales: Dataset, name: str) -> BoostedTrees:
    """A model of the recipe, without intervals: its members are the same."""
    trainer = SklearnTrainer()
    settings = {**trainer.recipe(name).settings, "origins": ()}
    return trainer.fit(sales, Recipe(name, settings))


def measure(
    trees: Trees,
    members: Sequence[Any],
    x: Array,
    sizes: Sequence[int] = SIZES,
    rounds: int = 15,
) -> list[Measured]:
    """Of each number of rows; AssertionError unless *members*, as fitted, say the same bits."""

    def fitted(rows: Array) -> Array:
        return np.column_stack([member.predict(rows) for member in members])

    with threadpool_limits(1):
        agree(trees.predict, fitted, x)
        return [_measured(trees.predict, fitted, x, rows, rounds) for rows in sizes]


def agree(kernel: Predict, fitted: Predict, x: Array) -> None:
    """AssertionError unless both say the same bits of these rows, together and few at a time."""
    expected = fitted(x)
    assert kernel(x).tobytes() == expected.tobytes()
    for start in range(0, min(len(x), 500), 5):
        assert kernel(x[start : start + 5]).tobytes() == expected[start : start + 5].tobytes()


def _measured(kernel: Predict, fitted: Predict, x: Array, rows: int, rounds: int) -> Measured:
    enough = np.tile(x, (-(-rows // len(x)), 1))
    parts = [enough[start : start + rows] for start in range(0, len(enough) - rows + 1, rows)]
    ours, theirs = cycle(parts), cycle(parts)
    many, few = -(-LEAST // rows), -(-LEAST // 50 // rows)
    samples = [
        (_seconds(fitted, [*islice(theirs, few)]), _seconds(kernel, [*islice(ours, many)]))
        for _ in range(rounds)
    ]
    slow, fast = (
        tuple(median(sample[side][clock] for sample in samples) * 1e6 / rows for clock in (0, 1))
        for side in (0, 1)
    )
    return Measured(rows, (slow[0], slow[1]), (fast[0], fast[1]))


def _seconds(predict: Predict, parts: Sequence[Array]) -> tuple[float, float]:
    """Wall and CPU time of one of the parts."""
    wall, cpu = perf_counter(), process_time()
    for part in parts:
        predict(part)
    return (perf_counter() - wall) / len(parts), (process_time() - cpu) / len(parts)


def main() -> None:
    """Prints a table a recipe."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--estimator", action="append", choices=sorted(RECIPES))
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    sales = simulated_sales()
    for name in asked.estimator or RECIPES:
        model = train(sales, name)
        members = [*model.estimator["members"].values()]
        x = np.ascontiguousarray(model.market.features(sales.columns))
        found = measure(model.trees, members, x, rounds=asked.rounds)
        print(f"{name}: {len(members)} members, {len(model.trees.roots)} trees, same bits")
        print("  rows   scikit-learn us a row       kernel us a row   times (CPU)  must   aim")
        print("             wall        CPU        wall        CPU")
        for one in found:
            must, aim = BARS.get(one.rows, ("", ""))
            print(
                f"{one.rows:6}{one.fitted[0]:11.2f}{one.fitted[1]:11.2f}"
                f"{one.kernel[0]:12.3f}{one.kernel[1]:11.3f}"
                f"{one.ratio:14.1f}{must:>6}{aim:>6}"
            )


if __name__ == "__main__":
    main()
