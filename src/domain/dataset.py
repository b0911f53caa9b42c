"""Sales with the features of their homes: as rows, and as the columns a model is trained on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from attrs import frozen

from .funnel import Funnel, Stage
from .property import Property
from .rules import sort_out
from .turnover import Period, Unit, UnitSale, add_months

COLUMNS = (
    "property_id",
    "day",
    "year",
    "price",
    "realestate_type",
    "municipality_number",
    "lat",
    "lon",
    "built_year",
    "total_area",
    "usable_area",
    "floor",
    "bedrooms",
    "rooms",
)


@frozen
class Sale:
    """A turnover that was matched with the one property it concerns. Price in NOK."""

    property_id: int
    cadastral_unit_id: int
    turnover_date: str
    day: date
    price: float
    home: Property


@frozen(eq=False)
class Dataset:
    """Columns of equal length, one entry a sale (COLUMNS).

    Days are proleptic ordinals, prices NOK, areas m2, coordinates degrees; types and
    municipalities are codes; missing is NaN.
    """

    columns: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.columns["day"])

    def where(self, mask: Any) -> "Dataset":
        """The rows for which *mask* is true."""
        return Dataset({name: column[mask] for name, column in self.columns.items()})

    def take(self, rows: Sequence[int]) -> "Dataset":
        """These rows, by number."""
        return Dataset({name: column[rows] for name, column in self.columns.items()})

    @property
    def newest(self) -> date | None:
        """The day of its newest sale."""
        return date.fromordinal(int(max(self.columns["day"]))) if len(self) else None


@frozen
class MonthSnapshot:
    """What one fetch of a month, or of a part of one, brought. It never changes."""

    name: str
    period: Period
    fetched_at: datetime
    digest: str
    funnel: Funnel
    cadastral_unit_ids: int
    properties_matched: int

    @property
    def fetched(self) -> Funnel:
        """The funnel up to the rows as they were fetched."""
        return Funnel(self.funnel.stages[:FETCH_STAGES])


@frozen
class DatasetManifest:
    """How a dataset came about; the funnel adds up from the raw turnovers to its rows.

    Units and properties are those of each month, added up.
    """

    name: str
    period: Period
    digest: str
    funnel: Funnel
    cadastral_unit_ids: int
    properties_matched: int
    snapshots: tuple[MonthSnapshot, ...]


FETCH_STAGES = 3


def counts(manifest: MonthSnapshot | DatasetManifest) -> dict[str, int]:
    """The figures of a manifest's `counts`."""
    outgoing = {stage.name: stage.outgoing for stage in manifest.funnel.stages}
    return {
        "turnovers_raw": manifest.funnel.stages[0].incoming,
        "turnovers_normalized": outgoing["normalise"],
        "cadastral_unit_ids": manifest.cadastral_unit_ids,
        "properties_matched": manifest.properties_matched,
        "rows_raw": outgoing["match_property"],
        "rows_trainable": outgoing["validate"],
    }


def newest_sales(sales: Iterable[Sale]) -> tuple[tuple[Sale, ...], Stage]:
    """One sale a property, the newest; the order is that of day and property."""
    ordered = sorted(sales, key=_moment)
    newest = {sale.property_id: sale for sale in ordered}
    kept = tuple(sorted(newest.values(), key=lambda sale: (sale.day, sale.property_id)))
    resold = len(ordered) - len(kept)
    dropped = {"resale_within_window": resold} if resold else {}
    return kept, Stage("merge", len(ordered), len(kept), dropped)


def _moment(sale: Sale) -> tuple[date, str, float, int]:
    """Its place in time; without the Z a second sorts before its fractions."""
    return sale.day, sale.turnover_date.removesuffix("Z"), sale.price, sale.cadastral_unit_id


def trainable(dataset: Dataset) -> tuple[Dataset, Stage]:
    """The rows that no rule refuses; each refused one counts under the first rule it breaks."""
    mask, reasons = sort_out(dataset.columns)
    kept = dataset.where(mask)
    return kept, Stage("validate", len(dataset), len(kept), reasons)


def holdout_start(days: Sequence[int], period: Period) -> int:
    """The first day (ordinal) of the holdout; a day is never split.

    The last calendar month of a period that is three months long or longer, otherwise the day on
    which the newest fifth of the sales begins.
    """
    if add_months(period.start, 3) <= period.end + timedelta(days=1):
        return period.end.replace(day=1).toordinal()
    ordered = sorted(days)
    return int(ordered[len(ordered) * 4 // 5])


def match(
    sales: Sequence[UnitSale], units: Mapping[int, Unit], homes: Mapping[int, Property]
) -> tuple[tuple[Sale, ...], tuple[Stage, Stage]]:
    """Sales of units joined with the property on each; a unit must have exactly one."""
    on_one_property = []
    dropped: Counter[str] = Counter()
    for sale in sales:
        unit = units.get(sale.cadastral_unit_id)
        if unit is None or not unit.property_ids:
            dropped["unmatched:unit"] += 1
        elif len(unit.property_ids) > 1:
            dropped["multi_property"] += 1
        else:
            on_one_property.append((sale, unit.property_ids[0]))
    units_stage = Stage("match_unit", len(sales), len(on_one_property), dict(dropped))
    matched = tuple(
        Sale(
            property_id,
            sale.cadastral_unit_id,
            sale.turnover_date,
            sale.day,
            sale.price,
            homes[property_id],
        )
        for sale, property_id in on_one_property
        if property_id in homes
    )
    unknown = len(on_one_property) - len(matched)
    reasons = {"unmatched:property": unknown} if unknown else {}
    homes_stage = Stage("match_property", len(on_one_property), len(matched), reasons)
    return matched, (units_stage, homes_stage)
