"""Estimates beside what homes then really sold for: the accuracy that a user can believe."""

from collections.abc import Mapping
from datetime import date, datetime

from attrs import frozen

from .evaluation import Evaluation
from .turnover import Period


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
