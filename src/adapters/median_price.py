"""The naive model: a median price per m2."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from attrs import define

from ..domain.appraisal import Appraisal
from ..domain.explanation import Explanation
from ..domain.places import Place
from .objects import digest
from .stored_arrays import Arrays, check_row, npz


@define(eq=False, slots=False)
class MedianPricePerSqm:
    """The naive model: median NOK per m2 of municipality and type, else of the type, else of all.

    *cells* are municipality * 10 + type, sorted. With no cell and no type it is a plain price.
    """

    kind: ClassVar[str] = "median_price_per_sqm"
    cells: npt.NDArray[np.float64]
    cell_medians: npt.NDArray[np.float64]
    type_medians: npt.NDArray[np.float64]
    median: npt.NDArray[np.float64]
    estimator: Any = None

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read and checked; ValueError, KeyError."""
        check_row(arrays, "cells", "cell_medians", "median")
        model = cls(*(arrays[name] for name in _MEDIANS))
        if model.cells.shape != model.cell_medians.shape or (np.diff(model.cells) <= 0).any():
            raise ValueError("the medians do not belong to the cells")
        if model.type_medians.shape != (6,) or model.type_medians.dtype != np.float64:
            raise ValueError("there is one median of each type")
        if model.median.shape != (1,) or not 0 < model.median[0] < np.inf:
            raise ValueError("the overall median is not a price")
        return model

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that it needs to price homes."""
        return {name: getattr(self, name) for name in _MEDIANS}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its arrays as they are stored."""
        return digest(npz(self.arrays()))

    def estimate(self, homes: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """NOK, one for each home."""
        types = homes["realestate_type"].astype(np.int64)
        per_sqm = self.type_medians[types]
        per_sqm = np.where(np.isnan(per_sqm), self.median, per_sqm)
        if len(self.cells):
            cells = homes["municipality_number"] * 10 + types
            place = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
            known = self.cells[place] == cells
            per_sqm = np.where(known, self.cell_medians[place], per_sqm)
        return np.asarray(per_sqm * homes["usable_area"])

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:  # noqa: ARG002
        """Prices alone: how far off a median is, nobody measured."""
        return Appraisal(self.estimate(homes))

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        """A median tells nothing apart, and no sale of it is known any more."""
        return [Explanation.whole(price) for price in self.estimate(homes).tolist()]

    def places(self) -> list[Place]:
        """None: it keeps no sales."""
        return []


_MEDIANS = ("cells", "cell_medians", "type_medians", "median")
