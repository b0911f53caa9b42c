"""What a model sees of a home: one definition for training, serving, one home or a column."""

from math import cos, log, radians
from typing import Any

import numpy as np

from ..domain.property import RealEstateType
from .comparables import NAMES, TOLD
from .comparables import tell as tell_neighbours
from .compiled import compiled, inlined
from .hedonic import age_of_one
from .table import BEDROOMS, BUILT, DAY, FLOOR, LAT, LON, ROOMS, TOTAL, TYPE, USABLE

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
_TYPES = len(RealEstateType)
_ALL = len(FEATURES)
_SAME = len(OF_HOMES)
_ANY = _SAME + TOLD["same"]


@inlined
def _tell(homes: Any, home: int, told: Any) -> None:
    """The columns of OF_HOMES, in the row *home*; missing is NaN. Age is that on the day."""
    usable, total = homes[USABLE, home], homes[TOTAL, home]
    bedrooms, rooms = homes[BEDROOMS, home], homes[ROOMS, home]
    lat, lon = homes[LAT, home], homes[LON, home]
    east = lon * cos(radians(lat))
    for code in range(_TYPES):
        told[home, code] = 1.0 if homes[TYPE, home] == code else 0.0
    told[home, _TYPES], told[home, _TYPES + 1] = log(usable), log(total)
    told[home, _TYPES + 2] = usable / total
    told[home, _TYPES + 3] = homes[BUILT, home]
    told[home, _TYPES + 4] = age_of_one(homes[DAY, home], homes[BUILT, home])
    told[home, _TYPES + 5] = homes[FLOOR, home]
    told[home, _TYPES + 6], told[home, _TYPES + 7] = bedrooms, rooms
    told[home, _TYPES + 8] = usable / (1.0 if bedrooms < 1 else bedrooms)
    told[home, _TYPES + 9] = usable / (1.0 if rooms < 1 else rooms)
    told[home, _TYPES + 10], told[home, _TYPES + 11] = lat, lon
    told[home, _TYPES + 12], told[home, _TYPES + 13] = lat + east, lat - east


@compiled("float64[:,::1](float64[:,::1], float64[:,::1], float64, float64[:,:,:,::1])")
def see(homes: Any, sales: Any, newest: float, near: Any) -> Any:
    """The matrix of FEATURES, a row a home; *near* are its neighbours (comparables.tell)."""
    x = np.empty((homes.shape[1], _ALL))
    for home in range(homes.shape[1]):
        _tell(homes, home, x)
        for group in range(2):
            tell_neighbours(homes, home, group, sales, newest, near, x, _ANY if group else _SAME)
    return x
