"""Sales as the market tells them: periods, turnovers, and which of them can be used."""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from attrs import field, frozen

from .errors import FutureSale, InvalidPeriod
from .funnel import Stage

OSLO = ZoneInfo("Europe/Oslo")
MOST_MONTHS = 1_200
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def day_in_oslo(moment: datetime) -> date:
    """The day that it then is where the homes are; sales are dated and months end by it."""
    return moment.astimezone(OSLO).date()


@frozen(order=True)
class Period:
    """Days from *start* to *end*, both inclusive."""

    start: date
    end: date = field()

    @end.validator
    def _not_before_start(self, _: object, value: date) -> None:
        if value < self.start:
            raise InvalidPeriod(f"The period ends ({value}) before it starts ({self.start}).")

    @classmethod
    def of_months(cls, months: int, end: date) -> Self:
        """The *months* calendar months that end with *end*."""
        if months < 1:
            raise InvalidPeriod(f"A window has at least one month, not {months}.")
        first = end.year * 12 + end.month - months
        if first < 12:
            raise InvalidPeriod(f"A window of {months} months before {end} starts before year 1.")
        return cls(date(first // 12, first % 12 + 1, 1), end)

    @classmethod
    def of_months_before(cls, months: int, day: date) -> Self:
        """The *months* calendar months that end with the last one that is over before *day*."""
        if day <= date(1, 1, 31):
            raise InvalidPeriod(f"No month is over before {day}.")
        return cls.of_months(months, day.replace(day=1) - timedelta(days=1))

    def months(self) -> Iterator[Self]:
        """Its calendar months, the first and the last clipped to the period."""
        start = self.start
        while start <= self.end:
            last = start.replace(day=monthrange(start.year, start.month)[1])
            yield type(self)(start, min(last, self.end))
            if last >= self.end:
                return
            start = last + timedelta(days=1)

    @property
    def is_calendar_month(self) -> bool:
        """Whether it is one month from its first to its last day."""
        return self.start.day == 1 and add_months(self.start, 1) - self.end == timedelta(days=1)

    def check_over(self, today: date) -> None:
        """FutureSale unless its last day is before *today*, a day in Oslo."""
        if self.end >= today:
            raise FutureSale(self.end, today)

    def check_length(self) -> None:
        """InvalidPeriod if it has more than MOST_MONTHS, as with a mistyped year."""
        first, last = (day.year * 12 + day.month for day in (self.start, self.end))
        if last - first >= MOST_MONTHS:
            raise InvalidPeriod(
                f"The period has {last - first + 1} months; at most {MOST_MONTHS} are allowed. "
                "Is the year right?"
            )

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        return f"{self.start}_{self.end}"


@lru_cache(maxsize=256)
def add_months(day: date, months: int) -> date:
    """The same day *months* later, or the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@frozen
class Turnover:
    """One registered transfer, as the market API sends it. Price in NOK."""

    cadastral_unit_ids: tuple[int, ...]
    price: float | None
    turnover_date: str | None

    @property
    def identity(self) -> tuple[tuple[int, ...], float | None, str | None]:
        """What makes two turnovers the same one, for the market gives them no id."""
        return tuple(sorted(self.cadastral_unit_ids)), self.price, self.turnover_date

    @property
    def day(self) -> date | None:
        """Its day in Europe/Oslo; None where the date does not parse."""
        if self.turnover_date is None or not _MOMENT.fullmatch(self.turnover_date):
            return None
        try:
            return day_in_oslo(datetime.fromisoformat(self.turnover_date))
        except (ValueError, OverflowError):
            return None


@frozen
class Unit:
    """A cadastral unit and the properties that stand on it."""

    full_unit: str
    property_ids: tuple[int, ...]


@frozen
class UnitSale:
    """A turnover of exactly one cadastral unit, with its day and a price above 0."""

    cadastral_unit_id: int
    price: float
    turnover_date: str
    day: date


def normalise(turnovers: Iterable[Turnover], period: Period) -> tuple[tuple[UnitSale, ...], Stage]:
    """The turnovers of *period* that concern one unit and have a price; the rest is counted."""
    seen: set[object] = set()
    kept: list[UnitSale] = []
    dropped: Counter[str] = Counter()
    incoming = 0
    for turnover in turnovers:
        incoming += 1
        if turnover.identity in seen:
            dropped["duplicate_turnover"] += 1
            continue
        seen.add(turnover.identity)
        sale = _unit_sale(turnover, period)
        if isinstance(sale, str):
            dropped[sale] += 1
        else:
            kept.append(sale)
    return tuple(kept), Stage("normalise", incoming, len(kept), dict(dropped))


def _unit_sale(turnover: Turnover, period: Period) -> UnitSale | str:
    day = turnover.day
    if day is None or turnover.turnover_date is None:
        return "invalid:turnover_date"
    if day not in period:
        return "outside_period"
    if len(turnover.cadastral_unit_ids) != 1:
        return "multi_unit"
    if turnover.price is None or not 0 < turnover.price < float("inf"):
        return "invalid:price"
    return UnitSale(turnover.cadastral_unit_ids[0], turnover.price, turnover.turnover_date, day)
