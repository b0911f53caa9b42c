"""Sales of the embedded simulated market, read as a retrain reads them but without HTTP."""

from collections.abc import Iterator
from datetime import date

from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.table import NumpyTable
from ree.domain.dataset import Dataset, Sale, match, newest_sales, trainable
from ree.domain.property import Property
from ree.domain.turnover import Period, Turnover, Unit, normalise

YEAR = Period(date(2025, 1, 1), date(2025, 12, 31))
PER_MONTH = 1_200
"""Turnovers; as many as `ree demo` has."""


def simulated_sales(period: Period = YEAR, per_month: int = PER_MONTH) -> Dataset:
    """What can be trained on, one sale a property."""
    market = SimulatedMarket(turnovers_per_month=per_month)
    months = [sale for month in period.months() for sale in _matched(market, month)]
    dataset, _ = trainable(NumpyTable().sales(newest_sales(months)[0]))
    return dataset


def _matched(market: SimulatedMarket, month: Period) -> Iterator[Sale]:
    records = [record["attributes"] for record in market.turnovers(month.start, month.end)]
    turnovers = [
        Turnover(tuple(told["cadastral_unit_ids"]), told.get("price"), told.get("turnover_date"))
        for told in records
    ]
    sales, _ = normalise(turnovers, month)
    found = market.units({sale.cadastral_unit_id for sale in sales})
    units = {
        id_: Unit(unit["full_unit"], tuple(unit["property_ids"])) for id_, unit in found.items()
    }
    homes = market.properties({id_ for unit in units.values() for id_ in unit.property_ids})
    known = {id_: Property.parse(parameters)[0] for id_, parameters in homes.items()}
    yield from match(sales, units, known)[0]
