"""Bodies without a fault, read straight into columns.

What is refused here is read again by the complete path (body.py and Home.parse), which alone says
what is wrong. So this may refuse too much, but must take nothing that the complete path refuses.
"""

from collections.abc import Iterable
from datetime import date
from math import inf, nan
from typing import Literal

import numpy as np
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder
from msgspec.structs import astuple

from ...adapters.table import COLUMNS, HomeTable
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


_TEXTS = 2
"""Features that are no numbers: those that come first."""
_NUMBERS = _Features.__struct_fields__[_TEXTS:]
_USABLE, _BRA = _NUMBERS.index("usable_area"), _NUMBERS.index("bra")
_TAKEN = COLUMNS[4:]
_DECODER = Decoder(dict[str, _Features])
_CODES: dict[int | str, float] = {number: float(number) for number in range(10_000)}
_CODES |= {str(number).zfill(most): value for number, value in _CODES.items() for most in range(5)}
"""Municipalities as a column holds them (Property.municipality_code), by every spelling."""


def read(text: bytes, day: date) -> tuple[list[str], HomeTable] | None:
    """The ids and the homes, to be valued for *day*; None if there is none or anything is wrong."""
    try:
        homes = _DECODER.decode(text)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    ids = "".join(homes)
    if not homes or not _are_ids(homes, ids):
        return None
    codes = [_CODES.get(home.municipality_number) for home in homes.values()]
    numbers = np.array([astuple(home)[_TEXTS:] for home in homes.values()], dtype=np.float64).T
    absent = numbers == _ABSENT
    given = numbers.size - np.count_nonzero(absent) + (1 + _TEXTS) * len(homes)
    if None in codes or _doubled(text, ids, int(given)):
        return None
    numbers[absent] = nan
    usable, bra = numbers[_USABLE], numbers[_BRA]
    if not np.isnan(np.minimum(usable, bra)).all():  # NaN if one of them is: not both are given
        return None
    numbers[_USABLE] = np.fmax(usable, bra)  # the one that is not NaN
    matrix = np.empty((len(COLUMNS), len(homes)))
    matrix[0], matrix[1] = day.toordinal(), day.year
    matrix[2] = [TYPE_CODES[home.realestate_type] for home in homes.values()]
    matrix[3] = codes
    matrix[4:] = numbers[: len(_TAKEN)]
    return list(homes), HomeTable(matrix)


def _are_ids(ids: Iterable[str], joined: str) -> bool:
    """All at once, by the longest, the shortest and all characters (domain.estimate.id_faults)."""
    lengths = {*map(len, ids)}
    return min(lengths) >= 1 and max(lengths) <= 64 and joined.isascii() and joined.isprintable()


def _doubled(text: bytes, ids: str, keys: int) -> bool:
    """Whether a key is given twice: there is one colon a key, and others only inside texts.

    The texts of features that were taken have none. Those of ids are counted, unless they are
    escaped, when nothing is certain.
    """
    return b"\\" in text or text.count(b":") != keys + ids.count(":")
