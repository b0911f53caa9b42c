"""What is asked beside the body of an estimate, read strictly."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Self

from attrs import frozen
from werkzeug.datastructures import MultiDict

from ...domain.appraisal import COVERAGE, COVERAGES
from ...domain.errors import ReeError
from ...domain.estimate import OnInvalid
from ...domain.rules import Fault

_COVERAGES = {str(coverage): coverage for coverage in COVERAGES}
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class InvalidQuery(ReeError):
    """Query parameters that cannot be read."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("The query is invalid: " + _said(faults) + ".")
        self.faults = tuple(faults)


def _said(faults: list[Fault]) -> str:
    return "; ".join(f"{fault.field} {fault.message}" for fault in faults[:3])


@frozen
class EstimateQuery:
    """The day to value for, what to do with invalid properties, and what to tell of the others."""

    valuation_date: date
    on_invalid: OnInvalid
    coverage: float
    explain: bool

    @classmethod
    def parse(cls, given: MultiDict[str, str], today: date) -> Self:
        """InvalidQuery, with a fault for each parameter that is unknown, doubled or unreadable."""
        values: dict[str, Any] = {
            "valuation_date": today,
            "on_invalid": OnInvalid.FAIL,
            "coverage": COVERAGE,
            "explain": False,
        }
        faults = []
        for name, texts in given.lists():
            shown = name.encode("ascii", "backslashreplace").decode()[:64]
            if name not in _READERS:
                faults.append(Fault(shown, f"unknown:{shown}", "is not a parameter"))
            elif len(texts) > 1:
                faults.append(Fault(name, f"ambiguous:{name}", "is given more than once"))
            else:
                read, expected = _READERS[name]
                try:
                    values[name] = read(texts[0])
                except ValueError:
                    faults.append(Fault(name, f"invalid:{name}", f"must be {expected}"))
        if faults:
            raise InvalidQuery(faults)
        return cls(**values)


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _coverage(text: str) -> float:
    if text not in _COVERAGES:
        raise ValueError(text)
    return _COVERAGES[text]


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "valuation_date": (_day, "a day as 2026-01-31"),
    "on_invalid": (OnInvalid, "fail or skip"),
    "coverage": (_coverage, "0.8, 0.9 or 0.95"),
    "explain": (_flag, "true or false"),
}
