"""Estimates beside what homes then really sold for: the accuracy that a user can believe."""

from collections.abc import Mapping
from datetime import date, datetime

from attrs import evolve, frozen

from .evaluation import Evaluation, Metrics
from .turnover import Period

WITHIN_TRAINING = "within_training_period"
"""Why a sale does not count that is not newer than all that the version was trained on."""
MOST_KEPT = 24
"""Months of the track record that a new version keeps."""


@frozen
class TrackedMonth:
    """How a version did on the sales of a month, all of them after those it was trained on.

    *version* was the active one when the month was fetched; *snapshot_digest* is of that fetch.
    *excluded* counts the sales of the month that do not count here, by reason.
    """

    version: str
    trained_until: date
    month: Period
    snapshot_digest: str
    scored_at: datetime
    evaluation: Evaluation
    """In brief."""
    excluded: Mapping[str, int]
    holdout: Metrics | None = None
    """What the gate was told of the version: its errors on its own holdout, overall."""

    @property
    def key(self) -> tuple[str, Period, str]:
        """What it is of: one version on one fetch of a month is scored once."""
        return self.version, self.month, self.snapshot_digest

    @property
    def brief(self) -> "TrackedMonth":
        """Without segments, and of the holdout the errors alone."""
        holdout = self.holdout and evolve(self.holdout, ratios=None, coverage=())
        return evolve(self, evaluation=Evaluation(self.evaluation.overall), holdout=holdout)
