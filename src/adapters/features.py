"""What a model sees of a home: one definition for training, serving, one home or a column."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.property import RealEstateType

DAYS_A_YEAR = 365.2425
MUNICIPALITY = 0
FEATURES = (
    "municipality_number",
    *(f"is_{kind.value}" for kind in RealEstateType),
    "lat",
    "lon",
    "log_usable_area",
    "log_total_area",
    "usable_share",
    "built_year",
    "age",
    "floor",
    "bedrooms",
    "rooms",
    "day",
)
"""The columns of the matrix: codes, flags, degrees, logs of m2, years, counts, day ordinals."""


def matrix(columns: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """The features of homes, shape (homes, len(FEATURES)); missing is NaN.

    The municipality stays a code, which the model encodes. Age is taken at the sale or valuation.
    """
    usable, total = columns["usable_area"], columns["total_area"]
    year = 1 + np.asarray(columns["day"], dtype=np.float64) / DAYS_A_YEAR
    return np.column_stack(
        [
            columns["municipality_number"],
            *(columns["realestate_type"] == kind.code for kind in RealEstateType),
            columns["lat"],
            columns["lon"],
            np.log(usable),
            np.log(total),
            usable / total,
            columns["built_year"],
            year - columns["built_year"],
            columns["floor"],
            columns["bedrooms"],
            columns["rooms"],
            columns["day"],
        ]
    ).astype(np.float64)
