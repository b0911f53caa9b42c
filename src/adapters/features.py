"""What a model sees of a home: one definition for training, serving, one home or a column."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..domain.property import RealEstateType
from . import comparables
from .hedonic import age

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

FEATURES = (*OF_HOMES, *comparables.NAMES)
"""The columns of the matrix (ree.adapters.market): of homes, and of what was sold near them."""


def of_homes(homes: Mapping[str, Any]) -> list[Any]:
    """The columns of OF_HOMES; missing is NaN. Age is taken at the sale or valuation."""
    usable, total = homes["usable_area"], homes["total_area"]
    lat = homes["lat"]
    east = homes["lon"] * np.cos(np.radians(lat))
    return [
        *(homes["realestate_type"] == kind.code for kind in RealEstateType),
        np.log(usable),
        np.log(total),
        usable / total,
        homes["built_year"],
        age(homes),
        homes["floor"],
        homes["bedrooms"],
        homes["rooms"],
        usable / np.maximum(homes["bedrooms"], 1),
        usable / np.maximum(homes["rooms"], 1),
        lat,
        homes["lon"],
        lat + east,
        lat - east,
    ]
