"""Where homes of each municipality were sold: a number that contradicts a place shows by that."""

from collections.abc import Mapping
from math import cos, hypot, nan, radians
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from .compiled import inlined

Column = npt.NDArray[np.float64]
KM_A_DEGREE = 111.2


@inlined
def km_away(rows: Any, number: float, lat: float, lon: float) -> float:
    """To the rectangle of a municipality (SoldPlaces.rows); NaN where no home of it was sold."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle, 0] < number:
            low = middle + 1
        else:
            high = middle
    row = min(low, len(rows) - 1)
    up = max(0.0, rows[row, 1] - lat, lat - rows[row, 2])
    side = max(0.0, rows[row, 3] - lon, lon - rows[row, 4]) * cos(radians(lat))
    return KM_A_DEGREE * hypot(up, side) if rows[row, 0] == number else nan


@frozen(eq=False)
class SoldPlaces:
    """A row a municipality, sorted: its number, least and greatest latitude, then longitude."""

    rows: Column

    @classmethod
    def of(cls, sales: Mapping[str, Any]) -> Self:
        """The rectangles that hold the sales."""
        codes, place = np.unique(sales["municipality_number"], return_inverse=True)
        sides = []
        for name in ("lat", "lon"):
            for least in (np.minimum, np.maximum):
                side = np.full(len(codes), np.inf if least is np.minimum else -np.inf)
                least.at(side, place, sales[name])
                sides.append(side)
        return cls(np.column_stack([codes, *sides]).astype(np.float64))

    @classmethod
    def checked(cls, rows: Any) -> Self:
        """As it was stored; ValueError."""
        if rows.dtype != np.float64 or rows.ndim != 2 or rows.shape[1:] != (5,) or not len(rows):
            raise ValueError("there is no row of five numbers a municipality")
        if not np.isfinite(rows).all() or (np.diff(rows[:, 0]) <= 0).any():
            raise ValueError("the municipalities' places are not finite and sorted")
        if (rows[:, 1] > rows[:, 2]).any() or (rows[:, 3] > rows[:, 4]).any():
            raise ValueError("a municipality's place ends before it begins")
        return cls(rows)
