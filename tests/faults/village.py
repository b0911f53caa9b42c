"""A small market that is always the same, and a clock that stands at an hour of a day."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from attrs import field, frozen

from ree.domain.property import Property
from ree.domain.turnover import Period, Turnover, Unit

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
BOTH = Period(date(2026, 1, 1), date(2026, 2, 28))
A_DAY = 8
MIN_ROWS = 100
_LEVELS = {"0301": 90_000, "4601": 60_000, "3403": 35_000}


@frozen
class Village:
    """The MarketData port: some sales a day, and each month one that is told twice."""

    def turnovers(self, period: Period) -> Iterator[Turnover]:
        for ordinal in range(period.start.toordinal(), period.end.toordinal() + 1):
            for number in range(ordinal * 10, ordinal * 10 + A_DAY):
                yield _sale(number)
        yield _sale(period.start.toordinal() * 10)

    def units(self, ids: Sequence[int]) -> Mapping[int, Unit]:
        return {number: Unit(f"0301-1/1/0/{number}", (number,)) for number in ids}

    def properties(self, ids: Sequence[int]) -> Mapping[int, Property]:
        return {number: _home(number) for number in ids}


@frozen
class Clock:
    """A slow clock, that starts within half a second of *hour* of 2 March 2026.

    So what happens at once bears the same second, in which versions are named, but never the same
    microsecond, in which fetches are.
    """

    hour: int
    began: float = field(factory=time.monotonic)

    def now(self) -> datetime:
        start = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=self.hour)
        apart = timedelta(microseconds=os.getpid() * 37 % 49_999 * 10)
        return start + apart + timedelta(seconds=self.monotonic() - self.began) / 20

    def monotonic(self) -> float:
        return time.monotonic()


def _home(number: int) -> Property:
    random = Random(number)
    kind = random.choice(["enebolig", "leilighet", "rekkehus"])
    area = random.randint(40, 200)
    floor = random.randint(1, 8) if kind == "leilighet" else None
    return Property(
        kind,
        random.choice(sorted(_LEVELS)),
        random.uniform(59, 61),
        random.uniform(5, 11),
        random.randint(1900, 2020),
        area * 1.2,
        area,
        floor,
        random.randint(1, 5),
        None,
    )


def _sale(number: int) -> Turnover:
    sold = _home(number)
    newness = ((sold.built_year or 0) - 1960) / 100
    level = _LEVELS[sold.municipality_number or ""] * (1 + newness)
    price = (sold.usable_area or 0) * level * Random(-number).lognormvariate(0, 0.05)
    return Turnover((number,), round(price), f"{date.fromordinal(number // 10)}T12:00:00Z")
