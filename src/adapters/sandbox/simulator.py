"""A seeded simulation of the Norwegian market, the faults of its registers included."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property, lru_cache

from attrs import define, field, validators
from numpy.random import PCG64, Generator, SeedSequence

from . import cadastre
from .homes import Builder, Homes
from .market import PropertyRecord, TurnoverRecord, UnitRecord
from .places import Places
from .records import full_unit, parameters
from .register_faults import MONTH, Fate, fates
from .sales import Sale, sales_of
from .towns import towns

_REMEMBERED_MONTHS = 48


@define(slots=False)
class SimulatedMarket:
    """Sales from 2011 to 2039, drawn month by month from (seed, year, month) and nothing else.

    A home's ids tell the month in which it first came to the market, so units and properties
    can be asked for before the turnovers that name them.
    """

    seed: int = field(default=2026, validator=validators.ge(0))
    turnovers_per_month: int = field(
        default=MONTH, validator=[validators.ge(1), validators.le(cadastre.LARGEST_MONTH)]
    )
    _homes: Callable[[int], Homes] = field(init=False, repr=False, eq=False)
    _register: Callable[[int], Sequence[Sale]] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        self._homes = lru_cache(_REMEMBERED_MONTHS)(self._built)
        self._register = lru_cache(_REMEMBERED_MONTHS)(self._sold)

    def turnovers(self, start: date, end: date) -> Sequence[TurnoverRecord]:
        return [sale.record for sale in self._between(start, end)]

    def units(self, ids: Iterable[int]) -> dict[int, UnitRecord]:
        known: dict[int, UnitRecord] = {}
        for unit in ids:
            if place := cadastre.home_of_unit(unit):
                fate = self._fate(*place)
                if fate is not None and fate is not Fate.UNKNOWN_UNIT:
                    known[unit] = self._unit(*place, fate)
        return known

    def properties(self, ids: Iterable[int]) -> dict[int, PropertyRecord]:
        known: dict[int, PropertyRecord] = {}
        for property_ in ids:
            if place := cadastre.home_of_property(property_):
                fate = self._fate(*place)
                if fate is not None and fate is not Fate.UNKNOWN_PROPERTY:
                    serial, home = place
                    homes = self._homes(serial)
                    known[property_] = parameters(homes, home, self._towns[homes.town[home]])
        return known

    @cached_property
    def _towns(self) -> tuple[int, ...]:
        return tuple(int(town.number) for town in towns())

    @cached_property
    def _builder(self) -> Builder:
        return Builder(towns(), Places.drawn(towns(), self._rng(0)))

    def _rng(self, *key: int) -> Generator:
        return Generator(PCG64(SeedSequence([self.seed, *key])))

    def _built(self, serial: int) -> Homes:
        year, month = cadastre.month_of(serial)
        rng = self._rng(year, month, 0)
        shuffled = rng.permutation(fates(self.turnovers_per_month, serial))
        return self._builder.build(shuffled, year, rng)

    def _sold(self, serial: int) -> Sequence[Sale]:
        rng = self._rng(*cadastre.month_of(serial), 1)
        return sales_of(serial, self.turnovers_per_month, self._homes, rng)

    def _between(self, start: date, end: date) -> Iterator[Sale]:
        first, last = (cadastre.serial_of(day.year, day.month) for day in (start, end))
        for serial in range(max(first, cadastre.FIRST_SOLD), min(last, cadastre.MONTHS - 1) + 1):
            from_day = start.day if serial == first else 1
            to_day = end.day if serial == last else 31
            for sale in self._register(serial):
                if from_day <= sale.day <= to_day:
                    yield sale

    def _fate(self, serial: int, home: int) -> Fate | None:
        fate = self._homes(serial).fate
        return Fate(int(fate[home])) if home < len(fate) else None

    def _unit(self, serial: int, home: int, fate: Fate) -> UnitRecord:
        homes = self._homes(serial)
        first = cadastre.property_id(serial, home)
        more = cadastre.further(first, home) if fate is Fate.MULTI_PROPERTY else ()
        return UnitRecord(
            full_unit=full_unit(homes, home, self._towns[homes.town[home]]),
            property_ids=[first, *more],
        )
