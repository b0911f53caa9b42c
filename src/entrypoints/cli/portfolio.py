"""The files of `ree estimate`: which formats there are, what a row is, what is written of it."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import click
from attrs import asdict, evolve, frozen

from ...domain.errors import ReeError
from ...domain.estimate import Home, PriceEstimate, Refusal
from ...domain.explanation import GROUPS
from ...domain.property import IGNORED, NUMBERS
from ...domain.rules import Fault
from ..dates import day

NUMERIC = (*NUMBERS, "bra", *IGNORED)
FEATURES = ("realestate_type", "municipality_number", *NUMERIC)
COLUMNS = ("property_id", *FEATURES, "valuation_date")
SUFFIXES = (".csv", ".parquet", ".jsonl", ".json")

WRITTEN = (
    "property_id",
    "estimated_price",
    "lower",
    "upper",
    "price_per_sqm",
    "fsd",
    "confidence",
    "model_version",
    "warnings",
    "error",
)
"""In the order of the contract."""
EXPLAINED = ("base", "contributions", "comparables")
"""With --explain, after those; in a table a column for each contribution."""
CONTRIBUTIONS = {f"contribution_{name}": name for name in GROUPS}


class UnreadableFile(ReeError):
    """A file that is not what its name says, and where."""

    def __init__(self, path: Path, where: str, problem: str) -> None:
        super().__init__(f"{path}{f', {where}' if where else ''}: {problem}")


def file_name(text: str) -> Path:
    """A path whose suffix says which format it has; click.BadParameter."""
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{text!r} does not end in {', '.join(SUFFIXES)}")
    return path


@frozen
class Row:
    """What a file says of one home; *number* counts the rows from 1."""

    number: int
    property_id: object
    features: object
    valuation_date: object = None

    def home(self, default: date) -> Home:
        """To be valued on its own date, or else on the *default*."""
        name, faults = _property_id(self.property_id)
        valuation_date = _day(self.valuation_date) or default
        if self.valuation_date is not None and _day(self.valuation_date) is None:
            message = "must be a date as 2026-01-31"
            faults += (Fault("valuation_date", "invalid:valuation_date", message),)
        home = Home.parse(name, self.features, valuation_date)
        return evolve(home, unreadable=home.unreadable + faults) if faults else home


def columns_fault(names: list[str]) -> str | None:
    """Why these cannot be the columns of a file."""
    unknown = [name for name in names if name not in COLUMNS]
    if unknown and len(names) == 1 and ";" in names[0]:
        return "expected columns separated by commas, not by semicolons"
    if unknown:
        return f"unknown column {unknown[0]!r}; expected {', '.join(COLUMNS)}"
    twice = [name for order, name in enumerate(names) if name in names[:order]]
    if twice:
        return f"the column {twice[0]} is there twice"
    return None if "property_id" in names else "expected a column property_id"


def row(number: int, values: Mapping[str, object]) -> Row:
    """From a record with a property_id, the features, and perhaps a valuation_date."""
    features = {
        name: value
        for name, value in values.items()
        if name not in ("property_id", "valuation_date")
    }
    return Row(number, values.get("property_id"), features, values.get("valuation_date"))


def read(path: Path, batch: int) -> Iterator[list[Row]]:
    """The rows by the *batch*; UnreadableFile, OSError."""
    from . import reading

    return reading.READERS[path.suffix.lower()](path, batch)


def columns(*, explain: bool) -> tuple[str, ...]:
    """Of a table."""
    return (*WRITTEN, "base", *CONTRIBUTIONS, "comparables") if explain else WRITTEN


def record(answer: PriceEstimate | Refusal, *, explain: bool) -> dict[str, Any]:
    """What is written of an answer, warnings and faults as lists of codes."""
    told: dict[str, Any] = dict.fromkeys((*WRITTEN, *EXPLAINED) if explain else WRITTEN)
    told |= {"property_id": answer.property_id, "warnings": [], "error": []}
    if isinstance(answer, Refusal):
        return told | {"error": [fault.code for fault in answer.faults]}
    interval, confidence = answer.interval, answer.confidence
    return told | {
        "estimated_price": answer.estimated_price,
        "lower": interval and interval.lower,
        "upper": interval and interval.upper,
        "price_per_sqm": answer.price_per_sqm,
        "fsd": answer.fsd and round(answer.fsd, 4),
        "confidence": confidence and confidence.value,
        "model_version": answer.model_version,
        "warnings": list(answer.warnings),
        **(asdict(answer.explanation) if answer.explanation else {}),
    }


def _property_id(value: object) -> tuple[str, tuple[Fault, ...]]:
    if value is None:
        return "", ()
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), ()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), ()
    fault = Fault("property_id", "invalid_type:property_id", "must be a text or a whole number")
    return ascii(value)[:64], (fault,)


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else None
    if isinstance(value, date):
        return value
    try:
        return day(value) if isinstance(value, str) else None
    except ValueError:
        return None
