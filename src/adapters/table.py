"""Rows as NumPy columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..domain.dataset import Dataset, Sale
from ..domain.estimate import Home
from ..domain.property import NUMBERS, Property

COLUMNS = ("day", "year", "realestate_type", "municipality_number", *NUMBERS)


@frozen(eq=False)
class HomeTable(Mapping[str, Any]):
    """Homes as one matrix of shape (COLUMNS, homes); missing is NaN."""

    matrix: npt.NDArray[np.float64]

    def __getitem__(self, name: str) -> Any:
        return self.matrix[_PLACES[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)


_PLACES = {name: place for place, name in enumerate(COLUMNS)}


class NumpyTable:
    """The Tabulate port."""

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

    def homes(self, homes: Sequence[Home]) -> Mapping[str, Any]:
        """One entry a home; the day is the valuation's."""
        days = [home.valuation_date for home in homes]
        return {
            "day": np.array([day.toordinal() for day in days], dtype=np.int64),
            "year": np.array([day.year for day in days], dtype=np.int64),
        } | _features([home.home for home in homes])


def _features(homes: Iterable[Property]) -> dict[str, Any]:
    homes = list(homes)
    codes = {
        "realestate_type": [home.type_code for home in homes],
        "municipality_number": [home.municipality_code for home in homes],
    }
    numbers = {name: [getattr(home, name) for home in homes] for name in NUMBERS}
    return {name: np.array(values, dtype=np.float64) for name, values in (codes | numbers).items()}
