"""Ridge regression with steps in time and effects of places: the same bits on every processor.

A BLAS takes its sums in an order that suits the processor, and from sums that differ in their last
bits trees learn other splits: the same sales would give another version on another machine.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .compiled import compiled

Column = npt.NDArray[np.float64]


def ridge(
    traits: Any,
    y: Any,
    weeks: Any,
    places: Any,
    weights: Any,
    penalty: Any,
    step_penalty: float,
    place_penalty: float,
) -> tuple[Column, Column, Column]:
    """Coefficients of the *traits*, shape (rows, traits); steps of time; effects of places.

    *y* of a row is told by its traits, all steps up to its week (0 is the first, before any step)
    and its place (from 0 on); each row counts by its weight. Penalties are added to the diagonal of
    the normal equations, *penalty* has one a trait.
    """
    told = np.column_stack([traits, y])
    weight = weights[:, None]
    weighted = weight * told
    steps, size = int(weeks.max()), int(weeks.max()) + traits.shape[1]
    penalties = np.concatenate([np.full(steps, step_penalty), penalty])
    # The normal equations: steps, traits, and y as the last row and column.
    normal = np.empty((size + 1, size + 1))
    normal[steps:, steps:] = _products(told, weights)
    since = _from_week_on(weighted, weeks)
    normal[:steps, steps:], normal[steps:, :steps] = since, since.T
    later = np.maximum(np.arange(steps)[:, None], np.arange(steps))
    normal[:steps, :steps] = _from_week_on(weight, weeks)[later, 0]
    normal[range(size), range(size)] += penalties
    # The effects of places are eliminated, which is cheap: none has to do with another.
    sites = int(places.max()) + 1
    by_week = _sums(weight, places * (steps + 1) + weeks, sites * (steps + 1))
    steps_taken = by_week.reshape(sites, -1)[:, :0:-1].cumsum(axis=1)[:, ::-1]
    sums = np.hstack([steps_taken, _sums(weighted, places, sites)])
    sizes = place_penalty + _sums(weight, places, sites)[:, 0]
    normal -= _products(sums, 1 / sizes)
    found = _solved(normal)
    effects = (sums[:, size] - (sums[:, :size] * found).sum(axis=1)) / sizes
    return found[steps:], found[:steps], effects


@compiled("float64[:,::1](float64[:,::1], float64[::1])")
def _products(x: Any, weights: Any) -> Any:
    """The sum over all rows of their products with themselves, shape (columns, columns)."""
    rows, columns = x.shape
    total = np.zeros((columns, columns))
    for row in range(rows):
        for i in range(columns):
            share = weights[row] * x[row, i]
            for j in range(columns):
                total[i, j] += share * x[row, j]
    return total


def _sums(x: Any, group: Any, groups: int) -> Column:
    """Of the rows of each group, shape (groups, columns)."""
    return np.column_stack([np.bincount(group, column, groups) for column in x.T])


def _from_week_on(x: Any, weeks: Any) -> Column:
    """Of the rows of each week but the first and all later ones, shape (steps, columns)."""
    return _sums(x, weeks, int(weeks.max()) + 1)[:0:-1].cumsum(axis=0)[::-1]


def _solved(normal: Column) -> Column:
    """By Cholesky's decomposition; the row of y becomes what is to be solved for on the way."""
    size = len(normal) - 1
    for k in range(size):
        normal[k:, k] /= np.sqrt(normal[k, k])
        column = normal[k + 1 :, k]
        normal[k + 1 :, k + 1 :] -= column[:, None] * column
    found = normal[size, :size].copy()
    for k in range(size - 1, -1, -1):
        found[k] /= normal[k, k]
        found[:k] -= found[k] * normal[k, :k]
    return found
