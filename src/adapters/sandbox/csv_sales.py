"""Reads a CSV of sales, a row each, and says exactly where one cannot be read."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from math import isfinite
from pathlib import Path
from typing import TypeVar, cast

from attrs import frozen

from .market import PropertyRecord

T = TypeVar("T")


@frozen
class RecordedSale:
    property_id: int
    day: date
    price: float | None
    parameters: PropertyRecord


def _whole(cell: str) -> int:
    try:
        return int(cell)
    except ValueError:
        value = float(cell)
        if not value.is_integer():
            raise
        return int(value)


def _number(cell: str) -> float:
    value = float(cell)
    if not isfinite(value):
        raise ValueError(cell)
    return int(value) if value.is_integer() else value


_day = date.fromisoformat

_PARAMETERS: Mapping[str, Callable[[str], object]] = {
    "realestate_type": str,
    "municipality_number": _whole,
    "lat": _number,
    "lon": _number,
    "built_year": _whole,
    "total_area": _number,
    "bra": _number,
    "floor": _number,
    "bedrooms": _number,
    "rooms": _number,
}
COLUMNS = ("property_id", "turnover_date", "price", *_PARAMETERS)
_EXPECTED: Mapping[Callable[[str], object], str] = {
    _whole: "a whole number",
    _number: "a number",
    _day: "a date like 2026-01-31",
}


def read_sales(path: Path) -> Iterator[RecordedSale]:
    """An empty cell is unknown; OSError, or ValueError with file, line and column."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            _check_columns(reader.fieldnames or (), path)
            for row in reader:
                yield _sale(row, f"{path}, line {reader.line_num}")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: expected UTF-8 text ({error.reason})") from None
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num}: expected CSV ({error})") from None


def _check_columns(found: Iterable[str], path: Path) -> None:
    if missing := [name for name in COLUMNS if name not in set(found)]:
        raise ValueError(
            f"{path}, line 1: missing column {', '.join(missing)}; expected {', '.join(COLUMNS)}"
        )


def _sale(row: Mapping[str, str | None], where: str) -> RecordedSale:
    parameters = {
        name: value
        for name, parse in _PARAMETERS.items()
        if (value := _parsed(row, name, parse, where)) is not None
    }
    return RecordedSale(
        property_id=_required(row, "property_id", _whole, where),
        day=_required(row, "turnover_date", _day, where),
        price=_parsed(row, "price", _number, where),
        parameters=cast(PropertyRecord, parameters),
    )


def _required(row: Mapping[str, str | None], name: str, parse: Callable[[str], T], where: str) -> T:
    value = _parsed(row, name, parse, where)
    if value is None:
        raise ValueError(f"{where}, column {name}: expected {_EXPECTED[parse]}, it is empty")
    return value


def _parsed(
    row: Mapping[str, str | None], name: str, parse: Callable[[str], T], where: str
) -> T | None:
    cell = row[name]
    if cell is None:
        raise ValueError(f"{where}, column {name}: the row ends before it")
    if not (cell := cell.strip()):
        return None
    try:
        return parse(cell)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{where}, column {name}: expected {_EXPECTED[parse]}, not {cell!r}"
        ) from None
