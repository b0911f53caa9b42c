"""Where homes of each municipality were sold: a number that contradicts a place shows by that."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

Column = npt.NDArray[np.float64]
KM_A_DEGREE = 111.2


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

    def away(self, homes: Mapping[str, Any]) -> Column:
        """km to the rectangle of the home's municipality; NaN where no home of it was sold."""
        codes = np.asarray(homes["municipality_number"], dtype=np.float64)
        row = np.minimum(np.searchsorted(self.rows[:, 0], codes), len(self.rows) - 1)
        number, south, north, west, east = self.rows[row].T
        lat, lon = np.asarray(homes["lat"]), np.asarray(homes["lon"])
        up = np.maximum(0, np.maximum(south - lat, lat - north))
        side = np.maximum(0, np.maximum(west - lon, lon - east)) * np.cos(np.radians(lat))
        return np.where(number == codes, KM_A_DEGREE * np.hypot(up, side), np.nan)
