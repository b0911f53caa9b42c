"""Whether the active version still knows the homes and prices that are sold."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256

from attrs import asdict, field, frozen

from ..domain.dataset import Dataset, MonthSnapshot, newest_sales, trainable
from ..domain.drift import DriftReport, DriftRules, DriftVerdict
from ..domain.errors import FutureSale, ModelNotReady, NoDistributions
from ..domain.ports import Clock, DriftLog, ModelRegistry, Progress, SnapshotStore, Tabulate, Tally
from ..domain.turnover import Period
from .fetch_month import FetchMonth
from .stopwatch import Stopwatch, unseen


@frozen
class CheckDrift:
    """Compares the active version's training data with the sales of a period; keeps the report."""

    registry: ModelRegistry
    fetch_month: FetchMonth
    snapshots: SnapshotStore
    tabulate: Tabulate
    tally: Tally
    log: DriftLog
    clock: Clock
    rules: DriftRules = field(factory=DriftRules)

    def __call__(self, period: Period | None = None, progress: Progress = unseen) -> DriftReport:
        """Of the last full calendar month if no period is given; the same again changes nothing.

        FutureSale, ModelNotReady, UnreadableVersion, NoDistributions, MarketError, StorageError.
        """
        now = self.clock.now()
        period = period or last_month(now.date())
        if period.end >= now.date():
            raise FutureSale(period.end, now.date())
        active = self.registry.active()
        if active is None:
            raise ModelNotReady
        loaded = self.registry.load(active.version)
        record = loaded.version.record
        if not record.distributions:
            raise NoDistributions(active.version)
        months = self._months(period, Stopwatch(self.clock, progress))
        sales = self._sales(months)
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

    def _months(self, period: Period, watch: Stopwatch) -> list[MonthSnapshot]:
        parts, months = list(period.months()), []
        for number, part in enumerate(parts):
            with watch.step("fetch", number, len(parts), of=f"{part.start:%Y-%m}"):
                months.append(self.fetch_month(part, force=False, dry_run=False))
        return months

    def _sales(self, months: Sequence[MonthSnapshot]) -> Dataset:
        """Those that could be trained on, under today's municipality numbers."""
        merged, _ = newest_sales(sale for month in months for sale in self.snapshots.sales(month))
        kept, _ = trainable(self.tabulate.sales(merged))
        return Dataset(self.tabulate.renumber(kept.columns)[0])

    def _digest(self, months: Sequence[MonthSnapshot]) -> str:
        """SHA-256 over the months' digests and the rules: all that a report of a version is of."""
        parts = [[str(month.period), month.digest] for month in months], asdict(self.rules)
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def last_month(today: date) -> Period:
    """The last calendar month that is over."""
    return Period.of_months(1, today.replace(day=1) - timedelta(days=1))
