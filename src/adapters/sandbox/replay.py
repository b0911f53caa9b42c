"""A market that replays the sales of a CSV file, one turnover a row.

A property that is sold twice is one unit and one property; the register knows about it what its
newest sale says.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Self

from attrs import frozen

from .csv_sales import RecordedSale, read_sales
from .market import PropertyRecord, TurnoverAttributes, TurnoverRecord, UnitRecord

_FIRST_UNIT = 1_000_000_000
_HOUR = timedelta(hours=1)
_MILLISECOND = timedelta(milliseconds=1)


@frozen(eq=False)
class ReplayedMarket:
    _days: Sequence[date]
    """Ascending, one for each of the turnovers."""
    _turnovers: Sequence[TurnoverRecord]
    _units: Mapping[int, UnitRecord]
    _properties: Mapping[int, PropertyRecord]

    @classmethod
    def from_csv(cls, path: str | Path) -> Self:
        """OSError, or ValueError with file, line, column and what was expected there."""
        sales = sorted(read_sales(Path(path)), key=lambda sale: sale.day)
        properties = {sale.property_id: sale.parameters for sale in sales}
        unit_of = {owner: _FIRST_UNIT + order for order, owner in enumerate(properties)}
        return cls(
            days=[sale.day for sale in sales],
            turnovers=[
                _turnover(sale, unit_of[sale.property_id], order)
                for order, sale in enumerate(sales)
            ],
            units={unit: _unit(owner, properties[owner]) for owner, unit in unit_of.items()},
            properties=properties,
        )

    def turnovers(self, start: date, end: date) -> Sequence[TurnoverRecord]:
        return self._turnovers[bisect_left(self._days, start) : bisect_right(self._days, end)]

    def units(self, ids: Iterable[int]) -> dict[int, UnitRecord]:
        return {unit: self._units[unit] for unit in ids if unit in self._units}

    def properties(self, ids: Iterable[int]) -> dict[int, PropertyRecord]:
        return {known: self._properties[known] for known in ids if known in self._properties}


def _turnover(sale: RecordedSale, unit: int, order: int) -> TurnoverRecord:
    """Around noon UTC, the same day in Oslo."""
    sent = datetime.combine(sale.day, time(11, 30), UTC) + order * _MILLISECOND % _HOUR
    attributes = TurnoverAttributes(
        cadastral_unit_ids=[unit],
        turnover_date=f"{sent:%Y-%m-%dT%H:%M:%S}.{sent.microsecond // 1000:03}Z",
    )
    if sale.price is not None:
        attributes["price"] = sale.price
    return TurnoverRecord(attributes=attributes)


def _unit(owner: int, parameters: PropertyRecord) -> UnitRecord:
    municipality = parameters.get("municipality_number", 0)
    return UnitRecord(full_unit=f"{municipality:04}-{owner}/1/0/0", property_ids=[owner])
