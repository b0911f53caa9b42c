"""Whether the active version still knows the homes and prices that are sold."""

import json
from collections.abc import Sequence
from hashlib import sha256

from attrs import asdict, field, frozen

from ..domain.dataset import MonthSnapshot
from ..domain.drift import DriftReport, DriftRules, DriftVerdict
from ..domain.errors import ModelNotReady, NoDistributions
from ..domain.ports import Clock, DriftLog, ModelRegistry, Progress, Tally
from ..domain.turnover import Period, day_in_oslo
from .fetch_month import FetchMonth
from .merge_sales import MergeSales
from .stopwatch import Stopwatch, unseen


@frozen
class CheckDrift:
    """Compares the active version's training data with the sales of a period; keeps the report."""

    registry: ModelRegistry
    fetch_month: FetchMonth
    merge_sales: MergeSales
    tally: Tally
    log: DriftLog
    clock: Clock
    rules: DriftRules = field(factory=DriftRules)

    def __call__(self, period: Period | None = None, progress: Progress = unseen) -> DriftReport:
        """Of the last full calendar month if no period is given; the same again changes nothing.

        FutureSale, InvalidPeriod, ModelNotReady, UnreadableVersion, NoDistributions, MarketError,
        StorageError.
        """
        now = self.clock.now()
        period = period or Period.of_months_before(1, day_in_oslo(now))
        period.check_over(day_in_oslo(now))
        period.check_length()
        active = self.registry.active()
        if active is None:
            raise ModelNotReady
        loaded = self.registry.load(active.version)
        record = loaded.version.record
        if not record.distributions:
            raise NoDistributions(active.version)
        watch = Stopwatch(self.clock, progress)
        months = self.fetch_month.each(period, watch, force=False, dry_run=False)
        sales = self.merge_sales(months).dataset
        estimate = loaded.model.estimate(sales.columns)
        observed = self.tally.observe(sales, estimate, record.distributions)
        features = self.rules.judge(record.distributions, observed)
        return self.log.record(
            DriftReport(
                version=active.version,
                trained_until=record.trained_until,
                period=period,
                digest=self._digest(months),
                checked_at=now,
                verdict=DriftVerdict.worst([feature.verdict for feature in features]),
                min_sales=self.rules.min_sales,
                features=features,
            )
        )

    def _digest(self, months: Sequence[MonthSnapshot]) -> str:
        """SHA-256 over the months' digests and the rules: all that a report of a version is of."""
        parts = [[str(month.period), month.digest] for month in months], asdict(self.rules)
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
