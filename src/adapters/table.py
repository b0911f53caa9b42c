"""Rows as NumPy columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import define, field, frozen

from ..domain.dataset import Dataset, Sale
from ..domain.estimate import Home
from ..domain.municipality import MunicipalityReference
from ..domain.ports import HomeColumns
from ..domain.property import NUMBERS, Property
from .municipalities import reference
from .renumbering import Renumbering

Column = npt.NDArray[np.float64]
OPTIONAL = ("floor", "bedrooms", "rooms")
COLUMNS = (
    "day",
    "year",
    "realestate_type",
    "municipality_number",
    "lat",
    "lon",
    "built_year",
    "total_area",
    "usable_area",
    *OPTIONAL,
)
"""What a model may ask of a home: the rows of HomeTable.matrix, in this order."""
DAY, YEAR, TYPE, MUNICIPALITY, LAT, LON, BUILT, TOTAL, USABLE, FLOOR, BEDROOMS, ROOMS = range(
    len(COLUMNS)
)
_PLACES = {name: place for place, name in enumerate(COLUMNS)}
_MAY_LACK = ("year", *OPTIONAL)


@frozen(eq=False)
class HomeTable(HomeColumns):
    """Homes by field, each column a row of one C-contiguous *matrix*: shape (COLUMNS, homes).

    Days are ordinals, types and municipalities codes, areas m2, coordinates degrees; NaN is
    unknown.
    """

    matrix: npt.NDArray[np.float64]

    @classmethod
    def of(cls, homes: Mapping[str, Any]) -> "HomeTable":
        """The same homes, not copied if they are a table; KeyError without a required field."""
        if isinstance(homes, HomeTable):
            return homes
        matrix = np.empty((len(COLUMNS), len(homes["day"])))
        for row, name in zip(matrix, COLUMNS, strict=True):
            row[:] = homes.get(name, np.nan) if name in _MAY_LACK else homes[name]
        return cls(matrix)

    @property
    def size(self) -> int:
        """How many homes."""
        return int(self.matrix.shape[1])

    def parts(self, most: int) -> Iterator[Self]:
        """The same homes in order, at most so many at once; of no homes one part without any."""
        if self.size <= most:
            yield self
            return
        for start in range(0, self.size, most):
            yield type(self)(np.ascontiguousarray(self.matrix[:, start : start + most]))

    def rows(self) -> list[dict[str, float]]:
        """The homes one by one."""
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.matrix.T.tolist()]

    def __getitem__(self, name: str) -> Column:
        row: Column = self.matrix[_PLACES[name]]
        return row

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


@define(slots=False)
class NumpyTable:
    """The Tabulate port."""

    reference: MunicipalityReference = field(factory=reference)

    def sales(self, sales: Sequence[Sale]) -> Dataset:
        """One entry a sale."""
        return Dataset(
            {
                "property_id": np.array([sale.property_id for sale in sales], dtype=np.int64),
                "day": np.array([sale.day.toordinal() for sale in sales], dtype=np.int64),
                "year": np.array([sale.day.year for sale in sales], dtype=np.int64),
                "price": np.array([sale.price for sale in sales], dtype=np.float64),
            }
            | _features([sale.home for sale in sales])
        )

    def homes(self, homes: Sequence[Home]) -> HomeTable:
        """One entry a home; the day is the valuation's."""
        days = [home.valuation_date for home in homes]
        return HomeTable.of(
            {
                "day": [day.toordinal() for day in days],
                "year": [day.year for day in days],
            }
            | _features([home.home for home in homes])
        )

    def renumber(self, columns: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[int]]:
        """The same rows, not copied if none has a number of before; the others stay as they are."""
        found = self._renumbering.codes(columns)
        if found is None:
            return columns, ()
        codes, rows = found
        if not isinstance(columns, HomeTable):
            return {**columns, "municipality_number": codes}, rows
        matrix = columns.matrix.copy()
        matrix[MUNICIPALITY] = codes
        return HomeTable(matrix), rows

    @cached_property
    def _renumbering(self) -> Renumbering:
        return Renumbering(self.reference)


def _features(homes: Iterable[Property]) -> dict[str, Any]:
    homes = list(homes)
    codes = {
        "realestate_type": [home.type_code for home in homes],
        "municipality_number": [home.municipality_code for home in homes],
    }
    numbers = {name: [getattr(home, name) for home in homes] for name in NUMBERS}
    return {name: np.array(values, dtype=np.float64) for name, values in (codes | numbers).items()}
