"""Whether the homes and prices of a period are still those that a model was trained on."""

from datetime import datetime
from enum import Enum

from attrs import frozen

from .turnover import Period


class DriftVerdict(Enum):
    """What is made of a difference; `too_few` where there are not enough sales to tell."""

    TOO_FEW = "too_few"
    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"


@frozen
class FeatureDrift:
    """How a feature, or the estimates, differ between the training data and a period's sales.

    *psi* is the population stability index, *distance* from 0 to 1 (the largest difference of two
    distribution functions, or half the summed difference of shares); NaN where there is no sale.
    """

    feature: str
    verdict: DriftVerdict
    trained_on: int
    sales: int
    psi: float
    distance: float


@frozen
class DriftReport:
    """A version's training data beside the sales of a period."""

    version: str
    period: Period
    checked_at: datetime
    verdict: DriftVerdict
    features: tuple[FeatureDrift, ...]
