"""When turnovers are registered: on working days, seldom at night."""

import calendar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .places import IntArray

_HOUR = 3_600_000
_DAY = 24 * _HOUR


def instants(year: int, month: int, next_day: NDArray[np.bool_], rng: Generator) -> IntArray:
    """Milliseconds (UTC) since the month began.

    Those marked *next_day* fall into the last hour, which in Oslo belongs to the next month.
    """
    first, days = calendar.monthrange(year, month)
    weekday = (first + np.arange(days)) % 7
    busy = np.where(weekday < 5, 1.0, 0.08)
    day = rng.choice(days, len(next_day), p=busy / busy.sum())
    time = rng.integers(6 * _HOUR, 15 * _HOUR, len(next_day))
    late = (rng.random(len(next_day)) < 0.01) & (day < days - 1)
    night = rng.integers(23 * _HOUR, _DAY, len(next_day))
    day = np.where(next_day, days - 1, day)
    return np.asarray(day * _DAY + np.where(next_day | late, night, time))


def day_of(instant: int) -> int:
    """Of the month, from 1."""
    return instant // _DAY + 1


def written(year: int, month: int, instant: int) -> str:
    """As the market API sends it; one in twelve without a fraction of the second."""
    day, rest = divmod(instant, _DAY)
    hour, rest = divmod(rest, _HOUR)
    minute, rest = divmod(rest, 60_000)
    second, milli = divmod(rest, 1000)
    fraction = "" if milli % 12 == 0 else f".{milli:03}"
    return f"{year}-{month:02}-{day + 1:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"
