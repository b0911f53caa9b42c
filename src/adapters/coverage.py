"""How many prices fell inside the intervals that were made for them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.appraisal import Appraisal
from ..domain.coverage import Coverage

Array = npt.NDArray[np.float64]


def coverage(appraisal: Appraisal, price: Array, mask: Any) -> tuple[Coverage, ...]:
    """Of the sales in *mask* that have an interval, by rising coverage."""
    found = []
    for wanted, (lower, upper) in sorted(appraisal.intervals.items()):
        told = mask & np.isfinite(lower) & np.isfinite(upper)
        low, high, paid = lower[told], upper[told], price[told]
        if n := len(paid):
            inside = int(((low <= paid) & (paid <= high)).sum())
            width = float(((high - low) / appraisal.price[told]).mean())
            found.append(Coverage(n, wanted, inside / n, *exact_interval(inside, n), width))
    return tuple(found)


def exact_interval(inside: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Clopper and Pearson, 1934)."""
    from scipy.stats import beta

    lower = beta.ppf(0.025, inside, n - inside + 1) if inside else 0.0
    upper = beta.ppf(0.975, inside + 1, n - inside) if inside < n else 1.0
    return float(lower), float(upper)
