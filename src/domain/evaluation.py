"""How far estimates are from prices, overall and by segment."""

from collections.abc import Mapping
from math import nan

from attrs import evolve, field, frozen

from .coverage import Coverage
from .ratio_study import RatioStudy
from .residuals import Driver, Residuals


@frozen
class Metrics:
    """Errors of *n* estimates, e = estimate - price. NaN where n is 0.

    mae, rmse, p90: NOK (mean |e|, root mean e squared, 90th percentile of |e|, linear between
    ranks). mape, mdape: mean and median of |e| / price. wape: sum |e| / sum of prices. within_10,
    within_20: share of estimates within 10 and 20 % of the price. Shares and ratios are fractions.
    """

    n: int
    mae: float
    rmse: float
    mape: float
    mdape: float
    wape: float
    p90: float
    within_10: float
    within_20: float
    ratios: RatioStudy | None = None
    coverage: tuple[Coverage, ...] = ()
    """Of the intervals of the estimates, by rising coverage; none of a model that has none."""

    @classmethod
    def of_none(cls) -> "Metrics":
        """Those of no sale at all."""
        return cls(0, nan, nan, nan, nan, nan, nan, nan, nan)

    def covered(self, wanted: float) -> Coverage | None:
        """How intervals that were made to cover the share *wanted* did."""
        return next((found for found in self.coverage if found.wanted == wanted), None)


@frozen
class Evaluation:
    """Metrics overall, by type, for the ten municipalities with the most sales, by price fifth.

    The fifths are by what was paid, "1" the cheapest. By reach: homes as they usually are, those
    whose estimate carries a warning (`near_edge`), those that would be refused (`out_of_domain`).
    """

    overall: Metrics
    by_realestate_type: Mapping[str, Metrics] = field(factory=dict)
    by_municipality: Mapping[str, Metrics] = field(factory=dict)
    by_price_fifth: Mapping[str, Metrics] = field(factory=dict)
    by_reach: Mapping[str, Metrics] = field(factory=dict)
    residuals: Residuals | None = None
    drivers: Mapping[str, Driver] = field(factory=dict)
    """Of a sample of the sales, by group of facts."""

    @property
    def brief(self) -> "Evaluation":
        """Without what only a version's report draws: many runs are read for one version."""
        return evolve(self, residuals=None, drivers={})

    def segment(self, name: str | None) -> Metrics | None:
        """The metrics of a type, or overall for None; None where it has no row."""
        return self.overall if name is None else self.by_realestate_type.get(name)


@frozen
class Interval:
    """Bounds of a figure, from a paired bootstrap."""

    lower: float
    upper: float


@frozen
class Comparison:
    """Two models on the same sales. Intervals are of candidate / active - 1, by segment."""

    candidate: Evaluation
    active: Evaluation
    intervals: Mapping[str, Mapping[str, Interval]] = field(factory=dict)

    def interval(self, segment: str | None, metric: str) -> Interval | None:
        """The 95 % interval of a metric's degradation."""
        return self.intervals.get(segment or "overall", {}).get(metric)
