"""How estimates lie around prices: what a report draws beside the errors.

A residual is estimate / price - 1, a fraction: above 0 the home was estimated too dear.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from attrs import frozen

from .explanation import Explanation


@frozen
class Spread:
    """Quantiles of the residuals of *n* sales; NaN where n is 0."""

    n: int
    p10: float
    p25: float
    median: float
    p75: float
    p90: float


@frozen
class Week:
    """Sales of the seven days from *start*; weeks are counted from the day of the first sale."""

    start: date
    spread: Spread


@frozen
class PriceBand:
    """Sales at *lower* to *upper* NOK, both inclusive, and the median that they were estimated at.

    Bands are tenths of the sales, the cheapest first, or larger parts of few sales. Sales of one
    price are in one band, so that bands do not overlap.
    """

    lower: float
    upper: float
    median_price: float
    median_estimate: float
    spread: Spread


@frozen
class PlaceErrors:
    """A municipality's sales: where they were on average (degrees), and how far off estimates were.

    Degrees have two decimals, about a kilometre. *median* is of the residuals, *mdape* of their
    absolute values: fractions.
    """

    lat: float
    lon: float
    n: int
    median: float
    mdape: float


@frozen
class Cell:
    """How many sales at *price* to *price* * *Residuals.step* were estimated at about *estimate*.

    Both are lower bounds of a logarithmic grid, whole NOK.
    """

    price: float
    estimate: float
    n: int


@frozen
class Residuals:
    """The residuals of a holdout, all of whose sales are in a week, a band, a place and a cell.

    *places* are by municipality number.
    """

    by_week: tuple[Week, ...]
    by_price: tuple[PriceBand, ...]
    places: Mapping[str, PlaceErrors]
    step: float
    """The upper bound of a cell / its lower one."""
    cells: tuple[Cell, ...]


@frozen
class Driver:
    """What a group of facts adds to or takes from an estimate: the mean, absolute, in NOK.

    *share* is its part of the sum over all groups, a fraction.
    """

    mean: float
    share: float


def drivers(explanations: Sequence[Explanation]) -> dict[str, Driver]:
    """By group; none of a model that cannot tell groups apart."""
    told = [explanation.contributions for explanation in explanations if explanation.contributions]
    if not told:
        return {}
    mean = {
        group: sum(abs(contributions[group]) for contributions in told) / len(told)
        for group in told[0]
    }
    total = sum(mean.values())
    return strongest_first(
        {group: Driver(value, value / total if total else 0.0) for group, value in mean.items()}
    )


def strongest_first(known: Mapping[str, Driver]) -> dict[str, Driver]:
    """Drivers in their order, which storage does not keep; equal ones by name."""
    return dict(sorted(known.items(), key=lambda item: (-item[1].mean, item[0])))
