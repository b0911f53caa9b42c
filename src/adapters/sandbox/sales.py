"""The turnovers of a month: first sales, resales, and those that the register sends twice."""

from collections.abc import Callable, Iterator

import numpy as np
from attrs import frozen
from numpy.random import Generator

from . import cadastre
from .homes import Homes
from .market import TurnoverAttributes, TurnoverRecord
from .places import FloatArray, IntArray
from .prices import sold_for
from .register_faults import UNPARSABLE_DATES, Fate, resales, sent_twice
from .registration import day_of, instants, written

_RESALE_MONTHS = 11
_NEVER_COPIED = (Fate.UNPARSABLE_DATE, Fate.NEXT_DAY_IN_OSLO, Fate.WORTHLESS)


@frozen
class Sale:
    day: int
    """Of the month, in UTC."""
    record: TurnoverRecord


@frozen(eq=False)
class _Sold:
    """Homes that change hands in a month, a column each."""

    serial: IntArray
    """The month in which the home first came to the market."""
    home: IntArray
    fate: IntArray
    kind: IntArray
    worth: FloatArray
    bra: FloatArray


def sales_of(
    serial: int, size: int, homes: Callable[[int], Homes], rng: Generator
) -> tuple[Sale, ...]:
    """In the order of their registration; a copy stands about a page behind what it copies."""
    sold = _sold(serial, size, homes, rng)
    year, month = cadastre.month_of(serial)
    instant = instants(year, month, sold.fate == Fate.NEXT_DAY_IN_OSLO, rng)
    when = year + (month - 1 + instant / 2_678_400_000) / 12
    price = _with_faults(sold, sold_for(sold.worth, sold.kind, when, rng), rng)
    order = np.argsort(instant, kind="stable")
    sales = [
        Sale(day_of(int(instant[row])), _record(sold, row, price, year, month, int(instant[row])))
        for row in order.tolist()
    ]
    copyable = np.flatnonzero(~np.isin(sold.fate[order], _NEVER_COPIED))
    chosen = _some(copyable, sent_twice(size, serial), rng)
    for position in sorted(chosen.tolist(), reverse=True):
        sales.insert(position + int(rng.integers(60, 140)), _copy(sales[position]))
    return tuple(sales)


def _sold(serial: int, size: int, homes: Callable[[int], Homes], rng: Generator) -> _Sold:
    new = len(homes(serial).fate)
    parts = [(serial, np.arange(new)), *_resold(serial, resales(size, serial), homes, rng)]
    return _Sold(
        serial=np.concatenate([np.full(len(rows), month) for month, rows in parts]),
        home=np.concatenate([rows for _, rows in parts]),
        fate=np.concatenate([homes(month).fate[rows] for month, rows in parts]),
        kind=np.concatenate([homes(month).kind[rows] for month, rows in parts]),
        worth=np.concatenate([homes(month).worth[rows] for month, rows in parts]),
        bra=np.concatenate([homes(month).bra[rows] for month, rows in parts]),
    )


def _resold(
    serial: int, count: int, homes: Callable[[int], Homes], rng: Generator
) -> Iterator[tuple[int, IntArray]]:
    """Homes of the months before, as evenly spread over them as can be."""
    ago = 1 + (rng.integers(_RESALE_MONTHS) + np.arange(count)) % _RESALE_MONTHS
    for months, wanted in zip(*np.unique(ago, return_counts=True), strict=True):
        earlier = serial - int(months)
        sound = np.flatnonzero(homes(earlier).fate == Fate.SOUND)
        yield earlier, _some(sound, int(wanted), rng)


def _some(rows: IntArray, count: int, rng: Generator) -> IntArray:
    return rng.choice(rows, min(count, len(rows)), replace=False)


def _with_faults(sold: _Sold, price: FloatArray, rng: Generator) -> FloatArray:
    odd = np.round(sold.bra * rng.uniform(300.0, 900.0, len(price)))
    nothing = rng.choice([-1.0, 0.0, 1.0, 500.0], len(price))
    return np.select(
        [sold.fate == Fate.ODD_PRICE, sold.fate == Fate.WORTHLESS], [odd, nothing], price
    )


def _record(
    sold: _Sold, row: int, price: FloatArray, year: int, month: int, instant: int
) -> TurnoverRecord:
    home = int(sold.home[row])
    first = cadastre.unit_id(int(sold.serial[row]), home)
    more = cadastre.further(first, home) if sold.fate[row] == Fate.MULTI_UNIT else ()
    unparsable = sold.fate[row] == Fate.UNPARSABLE_DATE
    return TurnoverRecord(
        attributes=TurnoverAttributes(
            cadastral_unit_ids=[first, *more],
            price=int(price[row]),
            turnover_date=UNPARSABLE_DATES[home % len(UNPARSABLE_DATES)]
            if unparsable
            else written(year, month, instant),
        )
    )


def _copy(sale: Sale) -> Sale:
    """The same turnover; the register does not keep the order of the units."""
    attributes = sale.record["attributes"]
    turned = attributes["cadastral_unit_ids"][::-1]
    return Sale(sale.day, TurnoverRecord(attributes={**attributes, "cadastral_unit_ids": turned}))
