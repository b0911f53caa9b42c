"""How far estimates are from prices: against other models, by group, and of their intervals."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import asdict, frozen

from ree.adapters.evaluator import FIFTHS, FORMULAS, NumpyEvaluator
from ree.domain.dataset import Dataset
from ree.domain.property import RealEstateType

Array = npt.NDArray[np.float64]
Row = Sequence[str]

RESAMPLES = 2_000
SCORES = ("model", "n", "MAE", "MdAPE", "WAPE", "within 20 %", "seconds")
RATIOS = ("ree / peer", "MAE", "95 %", "MdAPE", "95 %")
GROUPS = ("sales", "n", "MAE", "MdAPE", "in the interval", "its width / estimate")


@frozen(eq=False)
class Answers:
    """What `ree estimate` wrote, one entry a home; where it wrote nothing NaN, or an empty text."""

    estimated_price: Array
    lower: Array
    upper: Array
    confidence: npt.NDArray[np.str_]
    warnings: npt.NDArray[np.str_]
    error: npt.NDArray[np.str_]

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a CSV."""
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))

        def texts(name: str) -> Any:
            return np.array([row.get(name, "") for row in rows])

        def numbers(name: str) -> Any:
            return np.array([float(row.get(name) or "nan") for row in rows])

        return cls(
            *(numbers(name) for name in ("estimated_price", "lower", "upper")),
            *(texts(name) for name in ("confidence", "warnings", "error")),
        )

    def where(self, mask: Any) -> "Answers":
        """Those for which *mask* is true."""
        return Answers(*(column[mask] for column in asdict(self, recurse=False).values()))


def score_row(name: str, sales: Dataset, estimates: Array, seconds: float) -> Row:
    """As in SCORES."""
    price = sales.columns["price"]
    mae, *shares = (
        float(FORMULAS[metric](estimates - price, price))
        for metric in ("mae", "mdape", "wape", "within_20")
    )
    return name, f"{len(price):,}", f"{mae:,.0f}", *map(percent, shares), f"{seconds:.1f}"


def ratio_row(name: str, sales: Dataset, ours: Array, theirs: Array) -> Row:
    """As in RATIOS; the same resamples of the sales for both models."""
    compared = NumpyEvaluator(RESAMPLES).compare(sales, ours, theirs)
    cells = [name]
    for metric in ("mae", "mdape"):
        mine, other = (
            getattr(side.overall, metric) for side in (compared.candidate, compared.active)
        )
        interval = compared.intervals["overall"][metric]
        cells += [f"{mine / other:.3f}", f"{1 + interval.lower:.3f} to {1 + interval.upper:.3f}"]
    return cells


def group_row(name: str, price: Array, answers: Answers) -> Row:
    """As in GROUPS; without an interval its columns are empty."""
    error = np.abs(answers.estimated_price - price)
    inside = (answers.lower <= price) & (price <= answers.upper)
    width = ((answers.upper - answers.lower) / answers.estimated_price).mean()
    interval = ("", "") if isnan(width) else (percent(inside.mean()), percent(width))
    return (
        name,
        f"{len(price):,}",
        f"{error.mean():,.0f}",
        percent(np.median(error / price)),
        *interval,
    )


def groups(sales: Dataset, answers: Answers) -> Iterator[tuple[str, Any]]:
    """Names and masks: all, by type, by fifth of the price, by confidence, by warning."""
    price, types = sales.columns["price"], sales.columns["realestate_type"]
    yield "all", np.full(len(price), True)
    for kind in RealEstateType:
        yield kind.value, types == kind.code
    fifth = np.argsort(np.argsort(price, kind="stable")) * FIFTHS // len(price)
    for number in range(FIFTHS):
        yield f"price fifth {number + 1}", fifth == number
    for level in ("high", "medium", "low"):
        yield f"confidence {level}", answers.confidence == level
    yield "no warning", answers.warnings == ""
    yield "any warning", answers.warnings != ""
    warned = [{code.partition(":")[0] for code in each.split(";")} for each in answers.warnings]
    for kind in sorted(set().union(*warned) - {""}):
        mask = np.array([kind in kinds for kinds in warned])
        yield kind, mask
        yield f"not {kind}", ~mask


def group_rows(sales: Dataset, answers: Answers) -> list[Row]:
    """A row for each of the groups that has sales."""
    price = sales.columns["price"]
    return [
        group_row(name, price[mask], answers.where(mask))
        for name, mask in groups(sales, answers)
        if mask.any()
    ]


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def table(header: Row, rows: Iterable[Row]) -> str:
    """Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
