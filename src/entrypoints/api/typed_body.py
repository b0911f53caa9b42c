"""Bodies without a fault, read straight into columns.

What is refused here is read again by the complete path (body.py and Home.parse), which alone says
what is wrong. So this may refuse too much, but must take nothing that the complete path refuses.
"""

from collections.abc import Iterable
from datetime import date
from math import inf, nan
from operator import attrgetter
from typing import Literal

import numpy as np
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from ...adapters.table import COLUMNS, HomeTable
from ...domain.estimate import id_faults
from ...domain.property import TYPE_CODES

_ABSENT = -inf
"""JSON has no infinity: this tells a field that is not there from one that is null."""
_Maybe = float | None


class _Features(Struct, forbid_unknown_fields=True, gc=False):
    realestate_type: Literal["enebolig", "tomannsbolig", "rekkehus", "leilighet", "hytte"]
    municipality_number: int | str
    lat: float
    lon: float
    built_year: float
    total_area: float
    usable_area: _Maybe = _ABSENT
    floor: _Maybe = _ABSENT
    bedrooms: _Maybe = _ABSENT
    rooms: _Maybe = _ABSENT
    bra: _Maybe = _ABSENT
    gnr_number: _Maybe = _ABSENT
    bnr_number: _Maybe = _ABSENT
    snr_number: _Maybe = _ABSENT


_DECODER = Decoder(dict[str, _Features])
_NUMBERS = _Features.__struct_fields__[2:]
_numbers = attrgetter(*_NUMBERS)
_USABLE, _BRA = _NUMBERS.index("usable_area"), _NUMBERS.index("bra")
_TAKEN = COLUMNS[4:]
_TEXTS = 2
"""Fields of each home beside its numbers."""


def read(text: bytes, day: date) -> tuple[list[str], HomeTable] | None:
    """The ids and the homes, to be valued for *day*; None if there is none or anything is wrong."""
    try:
        homes = _DECODER.decode(text)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not homes or any(map(id_faults, homes)):
        return None
    codes = [_code(home.municipality_number) for home in homes.values()]
    numbers = np.array([*map(_numbers, homes.values())], dtype=np.float64).T
    absent = numbers == _ABSENT
    given = numbers.size - np.count_nonzero(absent) + (1 + _TEXTS) * len(homes)
    if None in codes or _doubled(text, homes, int(given)):
        return None
    numbers[absent] = nan
    usable, bra = numbers[_USABLE], numbers[_BRA]
    unknown = np.isnan(usable)
    if not (unknown | np.isnan(bra)).all():
        return None
    usable[unknown] = bra[unknown]
    matrix = np.empty((len(COLUMNS), len(homes)))
    matrix[0], matrix[1] = day.toordinal(), day.year
    matrix[2] = [TYPE_CODES[home.realestate_type] for home in homes.values()]
    matrix[3] = codes
    matrix[4:] = numbers[: len(_TAKEN)]
    return list(homes), HomeTable(matrix)


def _doubled(text: bytes, ids: Iterable[str], keys: int) -> bool:
    """Whether a key is given twice: there is one colon a key, and others only inside texts.

    The texts of features that were taken have none. Those of ids are counted, unless they are
    escaped, when nothing is certain.
    """
    return b"\\" in text or text.count(b":") != keys + "".join(ids).count(":")


def _code(number: int | str) -> float | None:
    """A municipality as a column holds it (Property.municipality_code), if it has four digits."""
    if isinstance(number, str):
        return float(number) if len(number) <= 4 and number.isascii() and number.isdigit() else None
    return float(number) if 0 <= number <= 9999 else None
