"""Homes with known estimates, kept in a version: whoever loads it prices them again first."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..domain.appraisal import COVERAGE
from ..domain.property import RealEstateType
from .stored_arrays import StorableModel

TOLERANCE = 1e-9
"""Relative; exp and log differ in the last bits between processors."""


def golden_rows(model: StorableModel, day: int) -> dict[str, Any]:
    """Made-up homes of every type, near and far, small and large, and what *model* makes of them.

    *day* is the ordinal of the valuation. What is missing is None.
    """
    homes = _homes(day)
    priced = _priced(model, homes)
    return {"homes": homes} | {name: [float(v) for v in row] for name, row in priced.items()}


def check_golden_rows(model: StorableModel, stored: Mapping[str, Any]) -> None:
    """ValueError unless *model* says of the homes what it did when it was published."""
    priced = _priced(model, stored["homes"])
    if not stored["estimates"] or set(priced) != set(stored) - {"homes"}:
        raise ValueError("there are no golden rows, or they tell other things")
    for name, found in priced.items():
        expected = np.array(stored[name], dtype=np.float64)
        if found.shape != expected.shape:
            raise ValueError("there are no golden rows")
        off = np.abs(found - expected) > TOLERANCE * np.abs(expected)
        if off.any() or not np.isfinite(found).all():
            raise ValueError(f"{int(off.sum())} of {len(off)} golden rows are priced differently")


def _priced(model: StorableModel, homes: Mapping[str, Any]) -> dict[str, Any]:
    """Estimates, and the bounds of their intervals if the model has any."""
    appraisal = model.appraise(_columns(homes), (COVERAGE,))
    told = {"estimates": np.asarray(appraisal.price)}
    if COVERAGE in appraisal.intervals:
        lower, upper = appraisal.intervals[COVERAGE]
        if np.isfinite(lower).all():
            told |= {"lower": lower, "upper": upper}
    return told


def _homes(day: int) -> dict[str, list[float | None]]:
    types = [kind.code for kind in RealEstateType]
    count = 4 * len(types)
    places = [
        (301.0, 59.91, 10.75),
        (4601.0, 60.39, 5.32),
        (5501.0, 69.65, 18.96),
        (0.0, 62.0, 9.0),
    ]
    areas = [float(25 + 12 * number) for number in range(count)]
    return {
        "day": [float(day)] * count,
        "realestate_type": [float(types[number % len(types)]) for number in range(count)],
        "municipality_number": [places[number % 4][0] for number in range(count)],
        "lat": [places[number % 4][1] for number in range(count)],
        "lon": [places[number % 4][2] for number in range(count)],
        "built_year": [float(1890 + 6 * number) for number in range(count)],
        "total_area": [area * (1 + number % 3) for number, area in enumerate(areas)],
        "usable_area": list(areas),
        "floor": [None if number % 2 else float(number % 6) for number in range(count)],
        "bedrooms": [None if number % 5 == 0 else float(number % 5) for number in range(count)],
        "rooms": [None if number % 7 == 0 else float(number % 7) for number in range(count)],
    }


def _columns(homes: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float64]]:
    return {name: np.array(values, dtype=np.float64) for name, values in homes.items()}
