"""The homes that come to the market in a month, and what each is worth."""

from functools import cached_property

import numpy as np
from attrs import define, frozen
from numpy.random import Generator

from . import traits
from .places import FloatArray, IntArray, Places
from .register_faults import Fate
from .towns import Town

_TYPE_PREMIUM = np.array([0.0, -0.03, 0.02, 0.0, 0.12, -0.4])
_QUALITY = np.array([0.085, 0.075, 0.065, 0.065, 0.1, 0.2])

_SIZE_ELASTICITY = 0.7
"""A home twice as large costs 2 ** 0.7 times as much."""
_LEVEL_OF_2026 = 1.53
"""Against the asking prices of 2018 and 2019."""


@frozen(eq=False)
class Homes:
    """A column each; NaN is unknown. ``worth`` is log NOK at the price level of January 2026."""

    fate: IntArray
    town: IntArray
    kind: IntArray
    lat: FloatArray
    lon: FloatArray
    built_year: FloatArray
    bra: FloatArray
    total_area: FloatArray
    floor: FloatArray
    bedrooms: FloatArray
    rooms: FloatArray
    cadastre: IntArray
    """gnr, bnr and snr (0: none)."""
    worth: FloatArray


@define(slots=False)
class Builder:
    """Draws homes in the municipalities, by the size of their markets."""

    towns: tuple[Town, ...]
    places: Places

    @cached_property
    def _size(self) -> FloatArray:
        weights = np.array([town.listings + 1.5 for town in self.towns])
        return np.asarray(weights / weights.sum())

    @cached_property
    def _mix(self) -> FloatArray:
        """The shares of the types in each municipality, cumulated."""
        apartments = np.array([town.apartment_share for town in self.towns])
        density = np.array([(town.listings + 1.5) / town.area_km2 for town in self.towns])
        cabins = np.clip(0.16 - 0.05 * np.log10(1.0 + 1000.0 * density), 0.005, 0.2)
        rest = 1.0 - np.clip(apartments, 0.03, 0.95)
        shares = np.stack(
            [
                rest * (0.72 - 0.15 * apartments - cabins),
                rest * (0.14 + 0.05 * apartments),
                rest * (0.14 + 0.10 * apartments),
                1.0 - rest,
                rest * cabins,
            ],
            axis=1,
        )
        return np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)

    @cached_property
    def _level(self) -> FloatArray:
        """Log NOK per m2 of a home of 100 m2 in the middle of the market."""
        apartments = np.array([town.apartment_share for town in self.towns])
        price = np.log([town.price_per_sqm * _LEVEL_OF_2026 for town in self.towns])
        usual = apartments * np.log(66.0) + (1.0 - apartments) * np.log(125.0)
        return np.asarray(price + (1.0 - _SIZE_ELASTICITY) * (usual - np.log(100.0)))

    def build(self, fate: IntArray, year: int, rng: Generator) -> Homes:
        """A home for each fate; *year* is when they are first sold."""
        count = len(fate)
        town = rng.choice(len(self.towns), count, p=self._size)
        kind = (rng.random(count)[:, None] >= self._mix[town, :-1]).sum(axis=1)
        kind[fate == Fate.NO_FLOOR] = traits.LEILIGHET
        kind[fate == Fate.COMMERCIAL] = traits.COMMERCIAL
        x, y = self.places.scatter(town, kind == traits.HYTTE, rng)
        lat, lon = self.places.coordinates(town, x, y)
        bra = traits.usable_area(kind, rng)
        plot = traits.plot(kind, rng)
        built_year = traits.built_year(kind, year, rng)
        floor = traits.floor(kind, rng)
        bedrooms, rooms = traits.rooms(kind, bra, rng)
        apartment = kind == traits.LEILIGHET
        worth = (
            self._level[town]
            + _TYPE_PREMIUM[kind]
            + np.log(100.0)
            + _SIZE_ELASTICITY * np.log(bra / 100.0)
            + self.places.premium(town, x, y)
            + traits.age_premium(year - built_year, apartment)
            + np.where(apartment, traits.floor_premium(floor), traits.plot_premium(plot, kind))
            + rng.normal(0.0, 1.0, count) * _QUALITY[kind]
        )
        whole = np.where(apartment, bra * rng.uniform(1.0, 1.1, count), np.maximum(plot, bra))
        return Homes(
            fate=fate,
            town=town,
            kind=kind,
            lat=lat,
            lon=lon,
            built_year=np.where(fate == Fate.NO_BUILT_YEAR, np.nan, built_year),
            bra=bra,
            total_area=traits.registered_area(fate, np.ceil(whole * 10.0) / 10.0, bra, rng),
            floor=np.where(fate == Fate.NO_FLOOR, np.nan, floor),
            bedrooms=bedrooms,
            rooms=rooms,
            cadastre=np.stack(
                [
                    rng.integers(1, 250, count),
                    rng.integers(1, 1200, count),
                    np.where(apartment, rng.integers(1, 90, count), 0),
                ],
                axis=1,
            ),
            worth=worth,
        )
