"""Whether the homes and prices of a period are still those that a model was trained on."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from math import isnan, nan

from attrs import field, frozen, validators

from .distribution import Bins, Counts, Distributions, chance, psi
from .turnover import Period

PRICE_LEVEL = "price_level"
FEATURES = (
    "realestate_type",
    "county",
    "municipality_number",
    "usable_area",
    "total_area",
    "age",
    "floor",
    "bedrooms",
    "rooms",
    "price_per_sqm",
    "estimate_per_sqm",
    PRICE_LEVEL,
)
"""In the order in which they are told: areas in m2, age in years at the sale, prices in NOK."""


class DriftVerdict(Enum):
    """What is made of a difference; `too_few` where there are not enough sales to tell."""

    TOO_FEW = "too_few"
    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"

    @classmethod
    def worst(cls, verdicts: "list[DriftVerdict]") -> "DriftVerdict":
        """The one that says the most; `too_few` only if nothing could be told."""
        return max(verdicts, key=list(cls).index, default=cls.TOO_FEW)


@frozen
class Change:
    """The bin whose share differs most: of the training data, and of the period's sales."""

    bin: str
    trained: float
    sold: float


@frozen
class FeatureDrift:
    """How a feature, or the estimates, differ between the training data and a period's sales.

    *psi* is the population stability index, *distance* from 0 to 1 (the largest difference of two
    distribution functions, or half the summed difference of shares); NaN where there is no sale.
    `price_level` has only a *shift*: the median of price / estimate - 1, a fraction.
    """

    feature: str
    verdict: DriftVerdict
    trained_on: int
    sales: int
    psi: float = nan
    distance: float = nan
    shift: float = nan
    most_changed: Change | None = None


@frozen
class Observed:
    """A period's sales, counted in the bins of the training data, and what was paid for them.

    *shift* is the median of price / estimate - 1, NaN without a sale.
    """

    sales: int
    counts: Mapping[str, Counts]
    shift: float


@frozen
class DriftReport:
    """A version's training data beside the sales of a period; *digest* is of all it was made of."""

    version: str
    trained_until: date | None
    period: Period
    digest: str
    checked_at: datetime
    verdict: DriftVerdict
    min_sales: int
    """That are needed to tell."""
    features: tuple[FeatureDrift, ...]

    @property
    def known_sales(self) -> bool:
        """Whether the version was trained on sales of the period, which it fits too well."""
        return self.trained_until is not None and self.trained_until >= self.period.start


@frozen
class Limits:
    """A figure is to be watched from *watch* on, and has drifted from *drifted* on."""

    watch: float = field(validator=validators.gt(0))
    drifted: float = field()

    @drifted.validator
    def _above_watch(self, _: object, value: float) -> None:
        if not value > self.watch:
            raise ValueError(f"{value} is not above {self.watch}")

    def verdict(self, figure: float) -> DriftVerdict:
        """What a figure comes to; too few if it is not known."""
        if isnan(figure):
            return DriftVerdict.TOO_FEW
        if figure >= self.drifted:
            return DriftVerdict.DRIFTED
        return DriftVerdict.WATCH if figure >= self.watch else DriftVerdict.STABLE


@frozen
class DriftRules:
    """Effect sizes with limits: a p-value would only fall with the sales, whatever the effect.

    Told from *min_sales* on, in the training data and in the period, and of a feature where chance
    alone makes a PSI of *most_chance* at most: the more bins there are, the more sales that takes.

    psi: Siddiqi's, in use since. distance: where a shift of a normal distribution has those PSIs,
    2 Phi(sqrt(psi) / 2) - 1. price_level: the IAAO's Standard on Ratio Studies (2013) wants the
    median ratio within 10 %, and groups of homes within 5 % of each other. docs/drift.md has what
    was measured.
    """

    psi: Limits = Limits(0.10, 0.25)
    distance: Limits = Limits(0.125, 0.20)
    price_level: Limits = Limits(0.05, 0.10)
    min_sales: int = field(default=300, validator=validators.ge(1))
    most_chance: float = field(default=0.04, validator=validators.ge(0))

    def judge(self, trained: Distributions, observed: Observed) -> tuple[FeatureDrift, ...]:
        """Every feature that the training data tell of, and the price level."""
        told = [
            self._feature(feature, trained[feature], observed.counts[feature])
            for feature in FEATURES
            if feature in observed.counts
        ]
        return *told, self._price_level(trained, observed)

    def _feature(self, feature: str, trained: Bins, sold: Counts) -> FeatureDrift:
        index, distance = psi(trained.counts, sold), trained.distance(sold)
        verdicts = [self.psi.verdict(index), self.distance.verdict(distance)]
        own, other = sum(trained.counts), sum(sold)
        enough = self._enough(own, other) and chance(trained.counts, sold) <= self.most_chance
        return FeatureDrift(
            feature,
            DriftVerdict.worst(verdicts) if enough else DriftVerdict.TOO_FEW,
            own,
            other,
            index,
            distance,
            most_changed=_most_changed(trained, sold) if own and other else None,
        )

    def _price_level(self, trained: Distributions, observed: Observed) -> FeatureDrift:
        own = max((sum(bins.counts) for bins in trained.values()), default=0)
        enough = self._enough(own, observed.sales)
        verdict = self.price_level.verdict(abs(observed.shift)) if enough else DriftVerdict.TOO_FEW
        return FeatureDrift(PRICE_LEVEL, verdict, own, observed.sales, shift=observed.shift)

    def _enough(self, trained: int, sold: int) -> bool:
        return min(trained, sold) >= self.min_sales


def _most_changed(trained: Bins, sold: Counts) -> Change:
    own, other = sum(trained.counts), sum(sold)
    changes = [
        Change(name, mine / own, theirs / other)
        for name, mine, theirs in zip(trained.names, trained.counts, sold, strict=True)
    ]
    return max(changes, key=lambda change: abs(change.sold - change.trained))
