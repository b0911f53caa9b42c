"""What real registers get wrong, and how often.

Of 6,559 turnovers that the market API returned for January 2026, 2,219 could be trained on; the
counts below reproduce that funnel. They are counts, not chances: a month has its share of
each fault, rounded so that what one month loses the next one gains.
"""

from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

MONTH = 6559


class Fate(IntEnum):
    """What becomes of a home's turnover on the way from the register to a training row."""

    SOUND = auto()
    UNPARSABLE_DATE = auto()
    NEXT_DAY_IN_OSLO = auto()
    MULTI_UNIT = auto()
    UNKNOWN_UNIT = auto()
    MULTI_PROPERTY = auto()
    UNKNOWN_PROPERTY = auto()
    NO_TOTAL_AREA = auto()
    TOTAL_AREA_LT_BRA = auto()
    NO_BUILT_YEAR = auto()
    NO_FLOOR = auto()
    COMMERCIAL = auto()
    ODD_PRICE = auto()
    WORTHLESS = auto()


_FAULTS = {
    Fate.UNPARSABLE_DATE: 10,
    Fate.NEXT_DAY_IN_OSLO: 20,
    Fate.MULTI_UNIT: 330,
    Fate.UNKNOWN_UNIT: 2700,
    Fate.MULTI_PROPERTY: 579,
    Fate.UNKNOWN_PROPERTY: 441,
    Fate.NO_TOTAL_AREA: 191,
    Fate.TOTAL_AREA_LT_BRA: 49,
    Fate.NO_BUILT_YEAR: 2,
    Fate.NO_FLOOR: 1,
    Fate.COMMERCIAL: 2,
    Fate.ODD_PRICE: 2,
}
_SENT_TWICE = 20
_RESALES = 22
_WORTHLESS = 12

UNPARSABLE_DATES = ("", "2026-00-00T00:00:00.000Z", "0000-00-00T00:00:00Z", "ukjent")


def sent_twice(size: int, serial: int) -> int:
    """How many of the *size* turnovers of the month numbered *serial* are copies of another."""
    return _part(_SENT_TWICE, size, serial)


def resales(size: int, serial: int) -> int:
    """How many are of a home that was sold in the 11 months before."""
    return _part(_RESALES, size, serial)


def fates(size: int, serial: int) -> NDArray[np.int64]:
    """One for each home that comes to the market in a month of *size* turnovers, unshuffled.

    Homes sold for next to nothing come on top: a query with a minimum price never sees them.
    """
    counts = {fate: _part(count, size, serial) for fate, count in _FAULTS.items()}
    first_sales = size - sent_twice(size, serial) - resales(size, serial)
    counts[Fate.SOUND] = max(first_sales - sum(counts.values()), 0)
    counts[Fate.WORTHLESS] = _part(_WORTHLESS, size, serial)
    return np.repeat(np.array(list(counts), np.int64), list(counts.values()))


def _part(count: int, size: int, serial: int) -> int:
    return count * size * (serial + 1) // MONTH - count * size * serial // MONTH
