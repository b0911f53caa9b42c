"""What a home fetches on a day: the market's trend, its season, and luck."""

import numpy as np
from numpy.random import Generator

from .places import FloatArray, IntArray
from .traits import ENEBOLIG, HYTTE

_GROWTH = np.log(1.04)
_SEASON = 0.018
_LUCK = 0.075


def level(when: FloatArray) -> FloatArray:
    """Logarithmic, zero at the trend of January 2026; *when* is a year with its fraction."""
    spring = np.cos(2.0 * np.pi * (when - 0.35))
    return np.asarray(_GROWTH * (when - 2026.0) + _SEASON * spring)


def sold_for(worth: FloatArray, kind: IntArray, when: FloatArray, rng: Generator) -> FloatArray:
    """NOK; buyers of houses and cabins miss the worth by more, and now and then by much more."""
    luck = rng.normal(0.0, _LUCK, len(worth))
    wild = np.clip(0.85 * _LUCK * rng.standard_t(4, len(worth)), -0.6, 0.6)
    uneven = (kind == ENEBOLIG) | (kind == HYTTE)
    price = np.exp(worth + level(when) + np.where(uneven, wild, luck))
    step = np.where(rng.random(len(worth)) < 0.8, 10_000.0, 1_000.0)
    return np.asarray(np.maximum(np.round(price / step), 1.0) * step)
