"""The IAAO ratio study with bootstrap intervals."""

from collections.abc import Callable, Mapping
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.ratio_study import Ratio, RatioStudy
from . import elementary

Array = npt.NDArray[np.float64]
_NO_SPREAD = 1e-9
_CELLS = 2**20
"""Resamples times sales that are looked at at once."""


def median_ratio(estimate: Array, price: Array) -> Array:
    """The level."""
    return np.asarray(np.median(estimate / price, axis=-1))


def cod(estimate: Array, price: Array) -> Array:
    """Coefficient of dispersion, percent."""
    ratio = estimate / price
    median = np.median(ratio, axis=-1, keepdims=True)
    return np.asarray(100 * np.abs(ratio - median).mean(axis=-1) / median[..., 0])


def prd(estimate: Array, price: Array) -> Array:
    """Price-related differential."""
    weighted = estimate.sum(axis=-1) / price.sum(axis=-1)
    return np.asarray((estimate / price).mean(axis=-1) / weighted)


def prb(estimate: Array, price: Array) -> Array:
    """Coefficient of price-related bias; NaN where all homes have one value."""
    ratio = estimate / price
    median = np.median(ratio, axis=-1, keepdims=True)
    y = (ratio - median) / median
    x = elementary.log((price + estimate / median) / 2) / log(2)
    x = x - x.mean(axis=-1, keepdims=True)
    spread = np.square(x).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(spread > _NO_SPREAD, (x * y).sum(axis=-1) / spread, np.nan)
    return np.asarray(slope)


FORMULAS: Mapping[str, Callable[[Array, Array], Array]] = {
    "median_ratio": median_ratio,
    "cod": cod,
    "prd": prd,
    "prb": prb,
}
"""Each over the last axis, so that it serves one sample and many resamples alike."""


def ratio_study(estimate: Array, price: Array, *, resamples: int, seed: int) -> RatioStudy | None:
    """Of one sale or more; None of none."""
    n = len(price)
    if not n:
        return None
    random = np.random.default_rng(seed)
    drawn: dict[str, list[Array]] = {name: [] for name in FORMULAS}
    left = resamples
    while left > 0:
        block = min(left, max(1, _CELLS // n))
        rows = random.integers(0, n, (block, n))
        for name, formula in FORMULAS.items():
            drawn[name].append(formula(estimate[rows], price[rows]))
        left -= block
    figures: dict[str, Any] = {
        name: _ratio(float(formula(estimate, price)), np.concatenate(drawn[name]))
        for name, formula in FORMULAS.items()
    }
    return RatioStudy(n, **figures)


def _ratio(value: float, resampled: Array) -> Ratio:
    told = resampled[np.isfinite(resampled)]
    if not len(told):
        return Ratio(value, float("nan"), float("nan"))
    lower, upper = np.quantile(told, [0.025, 0.975])
    return Ratio(value, float(lower), float(upper))
