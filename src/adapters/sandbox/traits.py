"""What homes of a type are like: their size, age and rooms, and what some of it is worth."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .places import FloatArray, IntArray
from .register_faults import Fate

TYPES = ("enebolig", "tomannsbolig", "rekkehus", "leilighet", "hytte", "næringseiendom")
ENEBOLIG, TOMANNSBOLIG, REKKEHUS, LEILIGHET, HYTTE, COMMERCIAL = range(len(TYPES))

_TYPICAL_BRA = np.array([150.0, 112.0, 102.0, 66.0, 76.0, 220.0])
_BRA_SPREAD = np.array([0.33, 0.27, 0.24, 0.36, 0.38, 0.7])
_SMALLEST_BRA = np.array([50.0, 45.0, 45.0, 16.0, 18.0, 30.0])
_LARGEST_BRA = np.array([480.0, 320.0, 260.0, 260.0, 320.0, 3000.0])
_TYPICAL_PLOT = np.array([800.0, 450.0, 220.0, 0.0, 1000.0, 1500.0])


def usable_area(kind: IntArray, rng: Generator) -> FloatArray:
    drawn = _TYPICAL_BRA[kind] * np.exp(rng.normal(0.0, 1.0, len(kind)) * _BRA_SPREAD[kind])
    return np.asarray(np.round(np.clip(drawn, _SMALLEST_BRA[kind], _LARGEST_BRA[kind])))


def plot(kind: IntArray, rng: Generator) -> FloatArray:
    return np.asarray(_TYPICAL_PLOT[kind] * np.exp(rng.normal(0.0, 0.5, len(kind))))


def plot_premium(plot: FloatArray, kind: IntArray) -> FloatArray:
    relative = np.maximum(plot, 1.0) / np.maximum(_TYPICAL_PLOT[kind], 1.0)
    return np.asarray(0.05 * np.log(relative))


def built_year(kind: IntArray, year: int, rng: Generator) -> FloatArray:
    """Before the war, the decades after it, and what was built since."""
    era = rng.choice(3, len(kind), p=[0.16, 0.47, 0.37])
    era[(kind == HYTTE) & (era == 0)] = 1
    first = np.array([1880, 1946, 1986])[era]
    last = np.array([1945, 1985, year + 1])[era]
    return rng.integers(first, last + 1).astype(float)


def age_premium(age: FloatArray, apartment: NDArray[np.bool_]) -> FloatArray:
    wear = -0.24 * (1.0 - np.exp(-np.maximum(age, 0.0) / 30.0)) + 0.12
    return np.asarray(wear + np.where(apartment & (age > 80.0), 0.08, 0.0))


def floor(kind: IntArray, rng: Generator) -> FloatArray:
    storey = 1.0 + rng.poisson(1.7, len(kind))
    storey[rng.random(len(kind)) < 0.03] = -1.0
    told = rng.random(len(kind)) < 0.4
    house = np.where(told, np.where(storey > 2.0, 2.0, 1.0), np.nan)
    return np.where(kind == LEILIGHET, storey, house)


def floor_premium(floor: FloatArray) -> FloatArray:
    return np.where(floor < 1.0, -0.09, 0.017 * (np.clip(floor, 1.0, 9.0) - 2.0))


def rooms(kind: IntArray, bra: FloatArray, rng: Generator) -> tuple[FloatArray, FloatArray]:
    per_bedroom = np.where(kind == LEILIGHET, 27.0, 38.0)
    bedrooms = np.clip(np.round(bra / per_bedroom + rng.normal(0.0, 0.5, len(kind))), 0.0, 12.0)
    rooms = bedrooms + rng.integers(1, 4, len(kind))
    untold = rng.random((2, len(kind))) < np.array([[0.08], [0.15]])
    return np.where(untold[0], np.nan, bedrooms), np.where(untold[1], np.nan, rooms)


def registered_area(
    fate: IntArray, whole: FloatArray, bra: FloatArray, rng: Generator
) -> FloatArray:
    nothing = np.where(rng.random(len(fate)) < 0.95, 0.0, 1.0)
    less = np.round(bra * rng.uniform(0.55, 0.95, len(fate)), 1)
    return np.select(
        [fate == Fate.NO_TOTAL_AREA, fate == Fate.TOTAL_AREA_LT_BRA], [nothing, less], whole
    )
