"""What a model has seen: within which bounds it values homes."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ..domain.property import RealEstateType
from ..domain.reach import Reaches, Respect
from . import elementary
from .compiled import compiled
from .features import FEATURES
from .hedonic import age, age_of_one
from .sold_places import SoldPlaces, km_away
from .table import BUILT, DAY, LAT, LON, MUNICIPALITY, TOTAL, TYPE, USABLE, HomeTable

Column = npt.NDArray[np.float64]
NEAR_KM = 10.0, 20.0
FAR_SHARES = 0.95, 0.99
"""How far the third nearest sale of any type may be, in km: with a warning, and at all. Where sales
are sparse, as far as it was for these shares of the newest sales themselves."""
WARN_AWAY_KM, REFUSE_AWAY_KM = 10.0, 50.0
"""How far a home may be from the rectangle that holds the sales of its municipality."""
WARN_SALES, REFUSE_SALES = 50.0, 10.0
"""Fewest sales of the home's type."""
USUAL = (0.005, 0.995)
"""Quantiles of its type between which an area or an age is usual."""
AREA_MARGIN = 1.25
"""By how much an area may be larger or smaller than any that was sold of the type."""
AGE_MARGIN = 25.0
"""Years by which a home may be older or newer than any that was sold of the type."""
TYPES = len(RealEstateType)
_NEAREST = FEATURES.index("any_distance_3")


def nearness(x: Any) -> Column:
    """km to the third nearest sale, by the matrix of FEATURES; NaN where there are not three."""
    return np.asarray(elementary.exp(np.ascontiguousarray(x[:, _NEAREST])) - 0.01)


@frozen(eq=False, slots=False)
class TrainingDomain:
    """Sales by type; bounds by measure and type: refused below, warned below, above, above; km
    beyond which a home is warned of and refused; where each municipality's sales were.

    Shapes (types,), (measures, types, 4) and (2,). NaN bounds nothing: of a type never sold.
    """

    sales: Column
    bounds: Column
    distance: Column
    places: SoldPlaces

    @classmethod
    def of(cls, sales: Mapping[str, Any], distances: Column) -> Self:
        """The bounds of what was sold; *distances* are the nearness of the newest of the sales."""
        types = np.asarray(sales["realestate_type"])
        bounds = np.full((len(MEASURES), TYPES, 4), np.nan)
        counts = np.zeros(TYPES)
        for code in range(TYPES):
            own = types == code
            counts[code] = own.sum()
            if not own.any():
                continue
            for number, values in enumerate(measured(sales).values()):
                bounds[number, code] = _bounds(values[own], number < AREAS)
        return cls(counts, bounds, _farthest(distances), SoldPlaces.of(sales))

    @staticmethod
    def inside(arrays: Mapping[str, Any]) -> bool:
        """Whether there is one among the arrays, or a part of one."""
        return any(name.startswith("domain_") for name in arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Read and checked; ValueError, KeyError."""
        counts, bounds = arrays["domain_sales"], arrays["domain_bounds"]
        if counts.dtype != np.float64 or counts.shape != (TYPES,) or not (counts >= 0).all():
            raise ValueError("there is one count of sales a type")
        if bounds.dtype != np.float64 or bounds.shape != (len(MEASURES), TYPES, 4):
            raise ValueError("there are four bounds a measure and type")
        if not ((np.diff(bounds, axis=2) >= 0) | np.isnan(bounds[:, :, 1:])).all():
            raise ValueError("the bounds of the training domain are not in order")
        distance = arrays["domain_distance"]
        if distance.dtype != np.float64 or distance.shape != (2,):
            raise ValueError("there are two limits of the distance")
        if not 0 < distance[0] <= distance[1]:
            raise ValueError("the two limits of the distance are not in order")
        return cls(counts, bounds, distance, SoldPlaces.checked(arrays["domain_places"]))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name."""
        return {
            "domain_sales": self.sales,
            "domain_bounds": self.bounds,
            "domain_distance": self.distance,
            "domain_places": self.places.rows,
        }

    def reaches(self, homes: Mapping[str, Any], distance: Column) -> Reaches:
        """How far homes are from what was sold; *distance* is their nearness."""
        matrix = HomeTable.of(homes).matrix
        distance = np.ascontiguousarray(distance, dtype=np.float64)
        told = _told(matrix, distance, *self._tables)
        width = len(RESPECTS)
        value, low, usual_low, usual_high, high = (
            told[:, at : at + width] for at in range(0, 5 * width, width)
        )
        return Reaches(RESPECTS, value, (usual_low, usual_high), (low, high))

    @cached_property
    def _tables(self) -> tuple[Column, Column]:
        """The places; and of each type, and last of any other, what is the same for its homes.

        Sales of the type, then the bounds: refused below, warned below, above, above; by respect.
        """
        warn_km, refuse_km = self.distance
        table = np.full((TYPES + 1, 5, len(RESPECTS)), np.nan)
        table[:, :, 0] = np.nan, -np.inf, -np.inf, warn_km, refuse_km
        table[:, :, 1] = 0, REFUSE_SALES, WARN_SALES, np.inf, np.inf
        table[:TYPES, 0, 1] = self.sales
        table[:TYPES, 1:, 2:-1] = self.bounds.transpose(1, 2, 0)
        table[:, :, -1] = np.nan, -np.inf, -np.inf, WARN_AWAY_KM, REFUSE_AWAY_KM
        return np.array(self.places.rows, order="C"), table.reshape(TYPES + 1, -1)


MEASURES: Mapping[str, Respect] = {
    respect.what: respect
    for respect in (
        Respect("usable_area", "usable_area", " m2"),
        Respect("total_area", "total_area", " m2"),
        Respect("age", "built_year", " years"),
    )
}
"""What is bounded by type."""
AREAS = 2
RESPECTS = (
    Respect("distance", "lat,lon", " km to the third nearest sale"),
    Respect("realestate_type", "realestate_type", " sales of this type"),
    *MEASURES.values(),
    Respect(
        "municipality_number",
        "municipality_number,lat,lon",
        " km from where homes of this municipality were sold",
    ),
)


@compiled("float64[:,::1](float64[:,::1], float64[::1], float64[:,::1], float64[:,::1])")
def _told(homes: Any, distance: Any, places: Any, table: Any) -> Any:
    """Values, then the four bounds, each by respect; a row a home."""
    told = np.empty((homes.shape[1], table.shape[1]))
    for home in range(homes.shape[1]):
        kind = homes[TYPE, home]
        row = int(kind) if kind >= 0 and kind < TYPES else TYPES
        for column in range(table.shape[1]):
            told[home, column] = table[row, column]
        told[home, 0] = distance[home]
        told[home, 2] = homes[USABLE, home]
        told[home, 3] = homes[TOTAL, home]
        told[home, 4] = age_of_one(homes[DAY, home], homes[BUILT, home])
        told[home, 5] = km_away(
            places, homes[MUNICIPALITY, home], homes[LAT, home], homes[LON, home]
        )
    return told


def measured(homes: Mapping[str, Any]) -> dict[str, Column]:
    """The MEASURES of homes or sales."""
    return {
        "usable_area": np.asarray(homes["usable_area"]),
        "total_area": np.asarray(homes["total_area"]),
        "age": age(np.asarray(homes["day"]), homes["built_year"]),
    }


def _farthest(distances: Column) -> Column:
    known = distances[np.isfinite(distances)]
    if not len(known):
        return np.array(NEAR_KM)
    return np.maximum(NEAR_KM, np.round(np.quantile(known, FAR_SHARES), 1))


def _bounds(values: Column, is_area: bool) -> Column:
    low, high = values.min(), values.max()
    usual = np.quantile(values, USUAL)
    if is_area:
        return np.array([low / AREA_MARGIN, *usual, high * AREA_MARGIN])
    return np.array([low - AGE_MARGIN, *usual, high + AGE_MARGIN])
