"""A typical home: contributions to an estimate tell by how much another one differs from it."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import fields, frozen

from ..domain.property import RealEstateType
from . import elementary

Column = npt.NDArray[np.float64]
OPTIONAL = ("floor", "bedrooms", "rooms")
_PREFIX = "reference_"
_LOGS = ("total_area", "usable_area")
_NUMBERS = ("lat", "lon", "built_year", *_LOGS, *OPTIONAL)


@frozen(eq=False)
class ReferenceHome:
    """A home that was sold, valued on the day of the newest sale: rows of one number each.

    Day ordinal, codes, degrees, years, m2; NaN is unknown, for OPTIONAL ones.
    """

    day: Column
    realestate_type: Column
    municipality_number: Column
    lat: Column
    lon: Column
    built_year: Column
    total_area: Column
    usable_area: Column
    floor: Column
    bedrooms: Column
    rooms: Column

    @classmethod
    def of(cls, sales: Mapping[str, Any]) -> Self:
        """The medoid of the type that was sold most often.

        That is the sale nearest to the medians of the type, in standard deviations (areas as
        logs); the first of those that are as near.
        """
        types, counts = np.unique(sales["realestate_type"], return_counts=True)
        own = np.flatnonzero(sales["realestate_type"] == types[np.argmax(counts)])
        away = np.zeros(len(own))
        for name in _NUMBERS:
            values = np.asarray(sales[name], dtype=np.float64)[own]
            away += np.square(_from_typical(elementary.log(values) if name in _LOGS else values))
        chosen = own[np.argmin(away)]
        told = {item.name: sales[item.name][chosen] for item in fields(cls)}
        told["day"] = np.max(sales["day"])
        return cls(**{name: np.array([value], dtype=np.float64) for name, value in told.items()})

    @staticmethod
    def inside(arrays: Mapping[str, Any]) -> bool:
        """Whether there is one among the arrays, or a part of one."""
        return any(name.startswith(_PREFIX) for name in arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Read and checked; ValueError, KeyError."""
        home = cls(**{item.name: arrays[_PREFIX + item.name] for item in fields(cls)})
        for item in fields(cls):
            row = getattr(home, item.name)
            if row.dtype != np.float64 or row.shape != (1,) or np.isinf(row).any():
                raise ValueError(f"{item.name} of the reference home is not one number")
            if item.name not in OPTIONAL and np.isnan(row).any():
                raise ValueError(f"{item.name} of the reference home is unknown")
        if home.realestate_type[0] not in [kind.code for kind in RealEstateType]:
            raise ValueError("the reference home is of no type")
        if home.usable_area[0] <= 0 or home.total_area[0] <= 0:
            raise ValueError("the reference home has no area")
        return home

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {_PREFIX + name: row for name, row in self.columns().items()}

    def columns(self) -> dict[str, Column]:
        """As homes that are asked for."""
        return {item.name: getattr(self, item.name) for item in fields(type(self))}


def _from_typical(values: Column) -> Column:
    """Standard deviations from the median; what most do not have, it is typical not to have."""
    missing = np.isnan(values)
    if 2 * missing.sum() > len(values):
        return np.asarray(~missing, dtype=np.float64)
    known = values[~missing]
    spread = known.std() or 1.0
    return np.where(missing, 1.0, (values - np.median(known)) / spread)
