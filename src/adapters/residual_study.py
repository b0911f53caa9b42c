"""Residuals of a holdout: by week, price and place, and prices against estimates on a grid."""

from collections.abc import Iterator
from datetime import date
from math import fsum
from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.dataset import Dataset
from ..domain.residuals import Cell, PlaceErrors, PriceBand, Residuals, Spread, Week

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
DAYS_A_WEEK = 7
BANDS = 10
FEWEST_A_BAND = 10
QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)
FINEST_STEP = 1.1
MOST_CELLS = 300
_DEAREST = 1e15
"""NOK at which grids end; what is beyond counts there."""


def residual_study(sales: Dataset, estimate: Array) -> Residuals:
    """Of all sales, whether they would be valued or not; their order changes nothing."""
    price, day = sales.columns["price"], sales.columns["day"]
    # No estimate is infinite; but what a study says of one is to be NaN, not an exception.
    with np.errstate(invalid="ignore", over="ignore"):
        residual = (estimate - price) / price
        step, cells = _cells(price, estimate)
        return Residuals(
            by_week=_weeks(day, residual),
            by_price=_bands(price, estimate, residual),
            places=_places(sales, residual),
            step=step,
            cells=cells,
        )


def _weeks(day: Any, residual: Array) -> tuple[Week, ...]:
    if not len(day):
        return ()
    first = int(day.min())
    return tuple(
        Week(date.fromordinal(first + DAYS_A_WEEK * int(week)), _spread(residual[rows]))
        for week, rows in _groups((day - first) // DAYS_A_WEEK)
    )


def _bands(price: Array, estimate: Array, residual: Array) -> tuple[PriceBand, ...]:
    """A sale's band is that of the middle rank of its price: equal prices share one."""
    n = len(price)
    bands = min(BANDS, max(1, n // FEWEST_A_BAND))
    ordered = np.sort(price)
    twice_rank = np.searchsorted(ordered, price) + np.searchsorted(ordered, price, "right") - 1
    return tuple(
        PriceBand(
            lower=float(price[rows].min()),
            upper=float(price[rows].max()),
            median_price=float(np.median(price[rows])),
            median_estimate=float(np.median(estimate[rows])),
            spread=_spread(residual[rows]),
        )
        for _, rows in _groups(twice_rank * bands // (2 * max(1, n)))
    )


def _places(sales: Dataset, residual: Array) -> dict[str, PlaceErrors]:
    lat, lon = sales.columns["lat"], sales.columns["lon"]
    return {
        f"{int(code):04d}": PlaceErrors(
            lat=_mean_degrees(lat[rows]),
            lon=_mean_degrees(lon[rows]),
            n=len(rows),
            median=float(np.median(residual[rows])),
            mdape=float(np.median(np.abs(residual[rows]))),
        )
        for code, rows in _groups(sales.columns["municipality_number"])
    }


def _cells(price: Array, estimate: Array) -> tuple[float, tuple[Cell, ...]]:
    """The finest grid on which there are not too many cells."""
    step = FINEST_STEP
    while True:
        bounds = np.stack([_lower_bounds(price, step), _lower_bounds(estimate, step)], axis=1)
        cells, counts = np.unique(bounds, axis=0, return_counts=True)
        if len(cells) <= MOST_CELLS:
            rows = zip(cells.tolist(), counts.tolist(), strict=True)
            return step, tuple(Cell(paid, estimated, n) for (paid, estimated), n in rows)
        step = round(1 + 1.2 * (step - 1), 2)


def _lower_bounds(nok: Array, step: float) -> Array:
    bounds = np.rint(step ** np.arange(1 + np.log(_DEAREST) // np.log(step)))
    told = np.nan_to_num(nok, nan=1.0).clip(1.0, _DEAREST)
    return np.asarray(bounds[np.searchsorted(bounds, told, "right") - 1])


def _groups(key: Any) -> Iterator[tuple[Any, Rows]]:
    """Every key there is, in order, with its rows."""
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    return zip(keys, np.split(order, starts[1:]), strict=False)


def _spread(residual: Array) -> Spread:
    return Spread(len(residual), *np.quantile(residual, QUANTILES).tolist())


def _mean_degrees(degrees: Array) -> float:
    """Summed exactly, so that the order of the sales cannot turn a rounding."""
    return round(fsum(degrees.tolist()) / len(degrees), 2)
