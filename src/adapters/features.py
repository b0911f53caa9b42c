"""What a model sees of a home: one definition for training, serving, one home or a column."""

from math import cos, inf, log, radians
from typing import Any

import numpy as np

from ..domain.property import RealEstateType
from .comparables import ALIKE, DISTANCE, NAMES, PLACE, SIZES
from .comparables import tell as tell_neighbours
from .compiled import compiled
from .hedonic import TRAITS, age_of_one
from .hedonic import tell as tell_worth
from .nearest import KM, MOST, PLACES, nearest, sphere
from .table import (
    BEDROOMS, BUILT, DAY, FLOOR, LAT, LON, ROOMS, TOTAL, TYPE, USABLE,
)  # fmt: skip

OF_HOMES = (
    *(f"is_{kind.value}" for kind in RealEstateType),
    "log_usable_area",
    "log_total_area",
    "usable_share",
    "built_year",
    "age",
    "floor",
    "bedrooms",
    "rooms",
    "area_per_bedroom",
    "area_per_room",
    "lat",
    "lon",
    "north_east",
    "north_west",
)
"""Of the home alone: flags, logs of m2, shares, years, counts, m2 a room, degrees."""

FEATURES = (*OF_HOMES, *NAMES)
"""The columns of the matrix (see): of homes, and of what was sold near them."""
_ALL = len(FEATURES)
_TYPES = len(RealEstateType)
_GROUPS = len(SIZES)
_NEAREST = np.array([max(sizes) for sizes in SIZES.values()])


@compiled("void(float64[:,::1], int64, float64[::1])")
def _tell(homes: Any, home: int, told: Any) -> None:
    """The columns of OF_HOMES; missing is NaN. Age is taken at the sale or valuation."""
    usable, total = homes[USABLE, home], homes[TOTAL, home]
    bedrooms, rooms = homes[BEDROOMS, home], homes[ROOMS, home]
    lat, lon = homes[LAT, home], homes[LON, home]
    east = lon * cos(radians(lat))
    for code in range(_TYPES):
        told[code] = 1.0 if homes[TYPE, home] == code else 0.0
    told[_TYPES], told[_TYPES + 1] = log(usable), log(total)
    told[_TYPES + 2] = usable / total
    told[_TYPES + 3] = homes[BUILT, home]
    told[_TYPES + 4] = age_of_one(homes[DAY, home], homes[BUILT, home])
    told[_TYPES + 5], told[_TYPES + 6], told[_TYPES + 7] = homes[FLOOR, home], bedrooms, rooms
    told[_TYPES + 8] = usable / (1.0 if bedrooms < 1 else bedrooms)
    told[_TYPES + 9] = usable / (1.0 if rooms < 1 else rooms)
    told[_TYPES + 10], told[_TYPES + 11] = lat, lon
    told[_TYPES + 12], told[_TYPES + 13] = lat + east, lat - east


@compiled(
    "Tuple((float64[:,::1], float64[::1]))(float64[:,::1], float64[:,::1], float64[:,::1],"
    " int64[:,::1], float64[:,::1], float64, float64[::1], float64[:,:,:,::1])"
)
def see(
    homes: Any, points: Any, boxes: Any, trees: Any, sales: Any, newest: float, hedonic: Any,
    neighbours: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """The matrix of FEATURES and log NOK per m2 by the hedonic model, of each home.

    *neighbours*, shape (homes or 1, groups of SIZES, MOST, 4), is room for the neighbours of each
    home, or where nobody asks for them, of the one that is looked at.
    """
    n = homes.shape[1]
    x, per_sqm = np.empty((n, _ALL)), np.empty(n)
    worth, at = np.empty(TRAITS + 2), np.empty(3)
    km, columns = np.empty(KM), np.empty(PLACES, np.int64)
    for home in range(n):
        tell_worth(homes, home, hedonic, worth)
        per_sqm[home] = worth[TRAITS] + worth[TRAITS + 1]
        _tell(homes, home, x[home])
        sphere(homes[LAT, home], homes[LON, home], at)
        end = _TYPES + 14
        for group in range(_GROUPS):
            near = neighbours[home if len(neighbours) > 1 else 0, group]
            found, tree = 0, _TYPES
            if group == 0:
                kind = homes[TYPE, home]
                tree = int(kind) if 0 <= kind < _TYPES else -1
            if tree == _TYPES or (tree >= 0 and tree == homes[TYPE, home]):
                found = nearest(points, boxes, trees, tree, at, _NEAREST[group], km, columns)
            for j in range(found):
                near[j, DISTANCE] = km[j]
            for j in range(found, MOST):
                near[j, PLACE], near[j, DISTANCE], near[j, ALIKE] = 0.0, inf, 0.0
            end = tell_neighbours(
                homes, home, group, sales, columns, found, newest, near, x[home], end
            )
    return x, per_sqm
