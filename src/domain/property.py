"""A home and what is known of it."""

import sys
from collections.abc import Mapping
from enum import Enum
from math import nan
from typing import Any, Self

from attrs import field, frozen

from .rules import Fault


class RealEstateType(Enum):
    """The types that are priced, in the order of their codes."""

    ENEBOLIG = "enebolig"
    TOMANNSBOLIG = "tomannsbolig"
    REKKEHUS = "rekkehus"
    LEILIGHET = "leilighet"
    HYTTE = "hytte"

    @property
    def code(self) -> int:
        """Its number in a column."""
        return TYPE_CODES[self.value]


COMMERCIAL = "næringseiendom"
TYPE_CODES = {kind.value: code for code, kind in enumerate(RealEstateType)} | {COMMERCIAL: 5}
UNKNOWN_CODE = -1
MOST_FIELDS = 100
"""Beyond so many the fields of a property are not told one by one."""
_LARGEST = sys.float_info.max

NUMBERS = ("lat", "lon", "built_year", "total_area", "usable_area", "floor", "bedrooms", "rooms")
IGNORED = ("gnr_number", "bnr_number", "snr_number")


def padded(number: int | str | None) -> str | None:
    """A municipality number as it is kept: 301, "301" and "0301" are "0301"."""
    return None if number is None else str(number).zfill(4)


@frozen
class Property:
    """One home. Areas in m2, coordinates in degrees (WGS 84); None is unknown.

    It may break the rules: they are what tells.
    """

    realestate_type: str | None = None
    municipality_number: str | None = field(default=None, converter=padded)
    lat: float | None = None
    lon: float | None = None
    built_year: float | None = None
    total_area: float | None = None
    usable_area: float | None = None
    floor: float | None = None
    bedrooms: float | None = None
    rooms: float | None = None

    @property
    def type_code(self) -> float:
        """Its type as a column holds it."""
        if self.realestate_type is None:
            return nan
        return TYPE_CODES.get(self.realestate_type, UNKNOWN_CODE)

    @property
    def municipality_code(self) -> float:
        """Its municipality as a column holds it; a number that is not four digits is unknown."""
        number = self.municipality_number
        if number is None:
            return nan
        return int(number) if len(number) == 4 and _digits(number) else UNKNOWN_CODE

    def values(self, *, year: int, price: float = nan) -> dict[str, float]:
        """What the rules look at, as numbers; *year* is that of the sale or valuation."""
        numbers = {name: _number(getattr(self, name)) for name in NUMBERS}
        return numbers | {
            "realestate_type": self.type_code,
            "municipality_number": self.municipality_code,
            "price": price,
            "year": year,
        }

    @classmethod
    def parse(cls, features: object) -> tuple[Self, tuple[Fault, ...]]:
        """Read the features of one home strictly, with a fault for each that cannot be read.

        Nothing is guessed: a number is a finite int or float, never a string or a boolean, but
        for the municipality. `bra` is another spelling of `usable_area`; None is absent.
        """
        if not isinstance(features, Mapping):
            return cls(), (Fault("", "invalid_type:property", "must be an object of features"),)
        if len(features) > MOST_FIELDS:
            message = f"has {len(features):,} fields; there are {len(_READERS)}"
            return cls(), (Fault("", "invalid_type:property", message),)
        faults: list[Fault] = []
        values: dict[str, Any] = {}
        for name, value in features.items():
            fault = _unreadable(name, value)
            if fault:
                faults.append(fault)
            elif name not in IGNORED and value is not None:
                values["usable_area" if name == "bra" else name] = value
        if features.get("bra") is not None and features.get("usable_area") is not None:
            message = "is given twice, as bra and usable_area; give one of them"
            faults.append(Fault("usable_area", "ambiguous:usable_area", message))
        return cls(**values), tuple(faults)


def _unreadable(name: object, value: object) -> Fault | None:
    if name not in _READERS:
        shown = str(name).encode("unicode_escape").decode()[:64]
        return Fault(shown, f"unknown:{shown}", "is not a field; the API documentation lists them")
    field = "usable_area" if name == "bra" else str(name)
    if value is None:
        return None
    expected = _READERS[field]
    if expected == "number" and _is_number(value):
        if -_LARGEST <= value <= _LARGEST:  # type: ignore[operator]
            return None
        return Fault(field, f"not_finite:{field}", "must be a finite number")
    if expected == "text" and isinstance(value, str):
        return None
    if expected == "municipality" and _is_municipality(value):
        return None
    wanted = {"number": "a number", "text": "a text", "municipality": 'digits, as 301 or "0301"'}
    return Fault(field, f"invalid_type:{field}", f"must be {wanted[expected]}")


_READERS = {
    "realestate_type": "text",
    "municipality_number": "municipality",
    **dict.fromkeys((*NUMBERS, *IGNORED, "bra"), "number"),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_municipality(value: object) -> bool:
    if isinstance(value, str):
        return _digits(value)
    return isinstance(value, int) and _is_number(value) and abs(value) <= _LARGEST


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(value: float | None) -> float:
    return nan if value is None else value
