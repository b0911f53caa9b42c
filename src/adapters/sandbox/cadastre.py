"""The ids of units and properties: each tells in which month its home first came to the market."""

from collections.abc import Iterator

OPENS, CLOSES = 2010, 2039
MONTHS = 12 * (CLOSES - OPENS + 1)
FIRST_SOLD = 12
"""Homes are there a year earlier, so that the first sales can be resales."""
LARGEST_MONTH = 100_000

_BLOCK = 1_000_000
_UNITS, _PROPERTIES = 1_000_000_000, 400_000_000
_SIBLINGS = 200_000
"""Within a month's block, where the further units and properties of a home begin."""
_MOST_SIBLINGS = 4


def serial_of(year: int, month: int) -> int:
    return 12 * (year - OPENS) + month - 1


def month_of(serial: int) -> tuple[int, int]:
    year, month = divmod(serial, 12)
    return OPENS + year, month + 1


def unit_id(serial: int, home: int) -> int:
    return _UNITS + serial * _BLOCK + home


def property_id(serial: int, home: int) -> int:
    return _PROPERTIES + serial * _BLOCK + home


def further(first: int, home: int) -> Iterator[int]:
    """One to four ids that belong with *first*, the id of *home*."""
    begin = first - home + _SIBLINGS + home * _MOST_SIBLINGS
    yield from range(begin, begin + 1 + home % _MOST_SIBLINGS)


def home_of_unit(unit: int) -> tuple[int, int] | None:
    """(month, home) or nothing when no home can have that id."""
    return _home(unit - _UNITS)


def home_of_property(property_: int) -> tuple[int, int] | None:
    return _home(property_ - _PROPERTIES)


def _home(offset: int) -> tuple[int, int] | None:
    serial, home = divmod(offset, _BLOCK)
    return (serial, home) if 0 <= serial < MONTHS and home < _SIBLINGS else None
