"""From the market API to a snapshot of one month."""

from attrs import frozen

from ..domain.dataset import MonthSnapshot, match, newest_sales, trainable
from ..domain.funnel import Funnel
from ..domain.ports import MarketData, SnapshotStore, Tabulate
from ..domain.turnover import Period, normalise
from .stopwatch import Stopwatch


@frozen
class FetchMonth:
    """Fetch, normalise and match the sales of a month, unless a complete fetch of it is there.

    Its funnel goes on to the rows that could be trained on if there were only this month.
    """

    market: MarketData
    snapshots: SnapshotStore
    tabulate: Tabulate

    def __call__(self, month: Period, *, force: bool, dry_run: bool) -> MonthSnapshot:
        """The month's snapshot; MarketError, StorageError."""
        kept = None if force else self.snapshots.newest(month)
        if kept is not None:
            return kept
        sales, normalised = normalise(self.market.turnovers(month), month)
        unit_ids = sorted({sale.cadastral_unit_id for sale in sales})
        units = self.market.units(unit_ids)
        alone = {unit.property_ids[0] for unit in units.values() if len(unit.property_ids) == 1}
        matched, stages = match(sales, units, self.market.properties(sorted(alone)))
        merged, merge = newest_sales(matched)
        _, validate = trainable(self.tabulate.sales(merged))
        return self.snapshots.add(
            month,
            matched,
            Funnel((normalised, *stages, merge, validate)),
            cadastral_unit_ids=len(unit_ids),
            properties_matched=len({sale.property_id for sale in matched}),
            dry_run=dry_run,
        )

    def each(
        self, period: Period, watch: Stopwatch, *, force: bool, dry_run: bool
    ) -> list[MonthSnapshot]:
        """The snapshots of a period's months, one after the other; MarketError, StorageError."""
        parts, months = list(period.months()), []
        for number, part in enumerate(parts):
            with watch.step("fetch", number, len(parts), of=f"{part.start:%Y-%m}"):
                months.append(self(part, force=force, dry_run=dry_run))
        return months
