"""Municipality numbers that are no longer in force, told under those of today."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import define

from ..domain.municipality import MunicipalityReference

_CODES = 10_000
_SPLIT = -1


@define(eq=False, slots=False)
class Renumbering:
    """Looks numbers up by the column; where none is old it costs a glance at a small table."""

    reference: MunicipalityReference

    def codes(self, columns: Mapping[str, Any]) -> tuple[npt.NDArray[np.float64], list[int]] | None:
        """The codes of today and the rows in which another was given; None if there is no such row.

        The rows keep the rules: codes are whole, from 1 to 9999, and places are known. Of a
        municipality that was split it is the part whose centre is nearest.
        """
        given = np.asarray(columns["municipality_number"], dtype=np.float64)
        became = self._became[given.astype(np.intp)]
        old = np.flatnonzero(became)
        if not len(old):
            return None
        codes = np.where(became > 0, became, given)
        for number, parts in self._splits.items():
            rows = np.flatnonzero(given == number)
            if len(rows):
                lat, lon = (np.asarray(columns[name])[rows] for name in ("lat", "lon"))
                away = np.stack([self.reference.away(part, lat, lon) for part in parts])
                codes[rows] = np.array(parts, dtype=np.float64)[away.argmin(axis=0)]
        return codes, old.tolist()

    @cached_property
    def _became(self) -> npt.NDArray[np.int16]:
        """By code, what it became: 0 if it is not a number of before."""
        became = np.zeros(_CODES, dtype=np.int16)
        for number, parts in self.reference.successors.items():
            became[int(number)] = int(parts[0]) if len(parts) == 1 else _SPLIT
        return became

    @cached_property
    def _splits(self) -> Mapping[float, tuple[str, ...]]:
        return {
            float(number): parts
            for number, parts in self.reference.successors.items()
            if len(parts) > 1
        }
