"""Scoring the model that was in use on the sales that came after it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from logging import getLogger
from typing import Any

from attrs import frozen

from ..domain.appraisal import COVERAGES
from ..domain.dataset import Dataset, MonthSnapshot
from ..domain.errors import ReeError
from ..domain.model import active_at
from ..domain.ports import Clock, Evaluator, ModelRegistry, TrackLog
from ..domain.track_record import WITHIN_TRAINING, TrackedMonth
from .merge_sales import MergeSales

_log = getLogger(__name__)


@frozen
class ScoreMonths:
    """Values the homes of a month with the version that was active when the month was fetched.

    Each on the day of its sale, with what the version knew; only sales that are newer than all it
    was trained on count. A stub is not scored, nor a part of a month. Each month is scored once.
    """

    registry: ModelRegistry
    merge_sales: MergeSales
    evaluator: Evaluator
    track_log: TrackLog
    clock: Clock

    def __call__(self, months: Iterable[MonthSnapshot]) -> Sequence[TrackedMonth]:
        """The track record, the newest month first, with those of *months* that were missing.

        Nobody's retrain fails for it: what cannot be scored is warned of in the log, and is tried
        again the next time it is among *months*.
        """
        try:
            known = {month.key for month in self.track_log.months()}
            history = self.registry.history()
            for month in months:
                version = active_at(history, month.fetched_at)
                if version is None or not month.period.is_calendar_month:
                    continue
                if (version, month.period, month.digest) not in known:
                    self._try(month, version)
            return self.track_log.months()
        except Exception as error:
            _log.warning("months_not_scored", **_told(error))
            return ()

    def _try(self, month: MonthSnapshot, version: str) -> None:
        try:
            tracked = self._scored(month, version)
            if tracked is not None:
                self.track_log.record(tracked)
        except Exception as error:
            about = {"model_version": version, "of": str(month.period)}
            _log.warning("month_not_scored", **_told(error, **about))

    def _scored(self, month: MonthSnapshot, version: str) -> TrackedMonth | None:
        """None if there is no sale that the version had not seen."""
        record = self.registry.version(version).record
        until = record.trained_until
        if until is None or until >= month.period.end:
            return None
        sales, excluded = self._unseen(month, until)
        if not len(sales):
            return None
        model = self.registry.load(version).model
        evaluation = self.evaluator.evaluate(sales, model.appraise(sales.columns, COVERAGES))
        return TrackedMonth(
            version=version,
            trained_until=until,
            month=month.period,
            snapshot_digest=month.digest,
            scored_at=self.clock.now(),
            evaluation=evaluation.brief,
            excluded=excluded,
            holdout=record.evaluation.overall if record.evaluation else None,
        )

    def _unseen(self, month: MonthSnapshot, until: date) -> tuple[Dataset, Mapping[str, int]]:
        """The sales that count, and the rest by reason."""
        merged = self.merge_sales([month])
        known = merged.dataset
        sales = known.where(known.columns["day"] > until.toordinal())
        seen = len(known) - len(sales)
        within = {WITHIN_TRAINING: seen} if seen else {}
        return sales, {**merged.merge.dropped, **merged.validate.dropped, **within}


def _told(error: Exception, **about: str) -> dict[str, Any]:
    """Only our own errors are told in words."""
    if isinstance(error, ReeError):
        return {"extra": {**about, "reason": str(error)}}
    return {"extra": about, "exc_info": error}
