"""Errors of estimates, and how sure a difference between two models is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import evolve, frozen

from ..domain.appraisal import Appraisal
from ..domain.dataset import Dataset
from ..domain.evaluation import Comparison, Evaluation, Interval, Metrics
from ..domain.property import RealEstateType
from ..domain.reach import Reaches
from ..domain.residuals import Residuals
from .coverage import coverage
from .ratio_study import ratio_study
from .residual_study import residual_study

Array = npt.NDArray[np.float64]
LARGEST_MUNICIPALITIES = 10
FIFTHS = 5

FORMULAS: Mapping[str, Callable[[Array, Array], Array]] = {
    "mae": lambda error, _: np.abs(error).mean(axis=-1),
    "rmse": lambda error, _: np.sqrt(np.square(error).mean(axis=-1)),
    "mape": lambda error, price: (np.abs(error) / price).mean(axis=-1),
    "mdape": lambda error, price: np.median(np.abs(error) / price, axis=-1),
    "wape": lambda error, price: np.abs(error).sum(axis=-1) / price.sum(axis=-1),
    "p90": lambda error, _: np.quantile(np.abs(error), 0.9, axis=-1),
    "within_10": lambda error, price: (np.abs(error) <= 0.10 * price).mean(axis=-1),
    "within_20": lambda error, price: (np.abs(error) <= 0.20 * price).mean(axis=-1),
}
"""Each over the last axis, so that it serves one sample and many resamples alike."""

GATED = ("mae", "mdape", "p90", "wape")


@frozen
class NumpyEvaluator:
    """The Evaluator port; *resamples* of the paired bootstrap, which is seeded."""

    resamples: int = 1_000
    seed: int = 0

    def evaluate(self, sales: Dataset, appraisal: Appraisal) -> Evaluation:
        """Metrics overall and by segment, with the ratio study and the coverage of each.

        Errors are of all sales, also of those that would not be valued; coverage is of those that
        would be.
        """
        price, estimate = sales.columns["price"], appraisal.price
        answered = np.full(len(price), True)
        if appraisal.reaches is not None:
            answered = ~appraisal.reaches.refused.any(axis=1)

        def of(mask: Any) -> Metrics:
            study = None
            if self.resamples:
                study = ratio_study(
                    estimate[mask], price[mask], resamples=self.resamples, seed=self.seed
                )
            return evolve(
                _metrics(estimate[mask] - price[mask], price[mask]),
                ratios=study,
                coverage=coverage(appraisal, price, mask & answered),
            )

        return _by_segment(sales, appraisal.reaches, of)

    def residuals(self, sales: Dataset, estimate: Array) -> Residuals:
        """Of all sales, also of those that would not be valued."""
        return residual_study(sales, estimate)

    def compare(self, sales: Dataset, candidate: Any, active: Any) -> Comparison:
        """Both on the same sales, with 95 % intervals of candidate / active - 1."""
        price = sales.columns["price"]
        types = sales.columns["realestate_type"]
        masks = {"overall": np.full(len(price), True)} | {
            kind.value: types == kind.code for kind in RealEstateType
        }
        return Comparison(
            _errors(sales, candidate),
            _errors(sales, active),
            {
                segment: self._intervals(
                    candidate[mask] - price[mask], active[mask] - price[mask], price[mask]
                )
                for segment, mask in masks.items()
                if mask.any()
            },
        )

    def _intervals(self, candidate: Array, active: Array, price: Array) -> dict[str, Interval]:
        random = np.random.default_rng(self.seed)
        ratios: dict[str, list[Array]] = {metric: [] for metric in GATED}
        block = max(1, min(self.resamples, 2**20 // len(price)))
        for _ in range(-(-self.resamples // block)):
            drawn = random.integers(0, len(price), (block, len(price)))
            paid = price[drawn]
            for metric in GATED:
                mine = FORMULAS[metric](candidate[drawn], paid)
                theirs = FORMULAS[metric](active[drawn], paid)
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratios[metric].append(mine / theirs - 1)
        return {metric: _interval(np.concatenate(parts)) for metric, parts in ratios.items()}


def _errors(sales: Dataset, estimate: Array) -> Evaluation:
    price = sales.columns["price"]
    return _by_segment(
        sales, None, lambda mask: _metrics(estimate[mask] - price[mask], price[mask])
    )


def _by_segment(
    sales: Dataset, reaches: Reaches | None, of: Callable[[Any], Metrics]
) -> Evaluation:
    price, types = sales.columns["price"], sales.columns["realestate_type"]
    numbers = sales.columns["municipality_number"]
    fifth = np.argsort(np.argsort(price, kind="stable")) * FIFTHS // max(1, len(price))
    present = [kind for kind in RealEstateType if (types == kind.code).any()]
    codes, sizes = np.unique(numbers, return_counts=True)
    largest = codes[np.argsort(-sizes, kind="stable")][:LARGEST_MUNICIPALITIES]
    return Evaluation(
        of(np.full(len(price), True)),
        {kind.value: of(types == kind.code) for kind in present},
        {f"{int(code):04d}": of(numbers == code) for code in largest},
        {str(number + 1): of(fifth == number) for number in np.unique(fifth)},
        {name: of(mask) for name, mask in _reach_masks(reaches).items() if mask.any()},
    )


def _reach_masks(reaches: Reaches | None) -> dict[str, Any]:
    if reaches is None:
        return {}
    out = reaches.refused.any(axis=1)
    warned = reaches.warned.any(axis=1) & ~out
    return {"usual": ~(warned | out), "near_edge": warned, "out_of_domain": out}


def _metrics(error: Array, price: Array) -> Metrics:
    if not len(price):
        return Metrics.of_none()
    figures: dict[str, Any] = {
        name: float(formula(error, price)) for name, formula in FORMULAS.items()
    }
    return Metrics(len(price), **figures)


def _interval(ratios: Array) -> Interval:
    lower, upper = np.quantile(ratios, [0.025, 0.975])
    return Interval(float(lower), float(upper))
