"""From the sales of fetched months to a dataset."""

from collections.abc import Iterable

from attrs import frozen

from ..domain.dataset import Dataset, MonthSnapshot, newest_sales, trainable
from ..domain.funnel import Stage
from ..domain.ports import SnapshotStore, Tabulate


@frozen
class Merged:
    """The newest sale of each property that the row rules let pass, and what became of the rest."""

    dataset: Dataset
    merge: Stage
    validate: Stage
    renumbered: int
    """Sales under a municipality number of before, which have today's in the dataset."""


@frozen
class MergeSales:
    """Merges, validates and renumbers; what was fetched stays as it is."""

    snapshots: SnapshotStore
    tabulate: Tabulate

    def __call__(self, months: Iterable[MonthSnapshot]) -> Merged:
        """StorageError."""
        sales, merge = newest_sales(
            sale for month in months for sale in self.snapshots.sales(month)
        )
        given, validate = trainable(self.tabulate.sales(sales))
        columns, renumbered = self.tabulate.renumber(given.columns)
        return Merged(Dataset(columns), merge, validate, len(renumbered))
