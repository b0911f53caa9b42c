"""Where homes lie within a municipality, and what a place is worth against its surroundings."""

from typing import Self, TypeAlias

import numpy as np
from attrs import frozen
from numpy.random import Generator
from numpy.typing import NDArray

from .towns import Town

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

_KM_PER_DEGREE = 111.2
_SETTLEMENTS = 8
_HOT_SPOTS = 8


@frozen(eq=False)
class Places:
    """Settlements and hot spots of every municipality, in km from its centre; a row each."""

    lat: FloatArray
    lon: FloatArray
    settlements: FloatArray
    """(municipalities, settlements, x and y); the first is the centre."""
    settlement_shares: FloatArray
    """Cumulated over the settlements."""
    spread: FloatArray
    hot_spots: FloatArray
    heat: FloatArray
    """The logarithmic premium in the middle of a hot spot."""
    width: FloatArray
    slope: FloatArray
    """How fast the price falls with the distance from the centre."""
    base: FloatArray

    @classmethod
    def drawn(cls, towns: tuple[Town, ...], rng: Generator) -> Self:
        count = len(towns)
        size = np.array([town.listings for town in towns], float)
        reach = np.clip(0.22 * np.sqrt([town.area_km2 for town in towns]), 1.0, 8.0)[:, None, None]
        settlements = rng.normal(0.0, 1.0, (count, _SETTLEMENTS, 2)) * reach
        settlements[:, 0] = 0.0
        inhabited = np.clip(np.sqrt(size) / 3.0, 1, _SETTLEMENTS).astype(int)[:, None]
        shares = rng.uniform(0.3, 1.0, (count, _SETTLEMENTS))
        shares[:, 0] = 1.5
        shares[np.arange(_SETTLEMENTS) >= inhabited] = 0.0
        shares /= shares.sum(axis=1, keepdims=True)
        urban = np.clip(np.log1p(size) / 7.0, 0.0, 1.0)
        places = cls(
            lat=np.array([town.lat for town in towns]),
            lon=np.array([town.lon for town in towns]),
            settlements=settlements,
            settlement_shares=np.cumsum(shares, axis=1),
            spread=rng.uniform(0.7, 1.6, count),
            hot_spots=rng.normal(0.0, 1.1, (count, _HOT_SPOTS, 2)) * reach,
            heat=rng.normal(0.05, 0.16, (count, _HOT_SPOTS)),
            width=rng.uniform(0.8, 2.4, (count, _HOT_SPOTS)),
            slope=rng.uniform(0.06, 0.14, count) + 0.08 * urban,
            base=np.zeros(count),
        )
        return places._levelled(shares)

    def scatter(
        self, town: IntArray, wide: NDArray[np.bool_], rng: Generator
    ) -> tuple[FloatArray, FloatArray]:
        """A point (x, y) for each home; *wide* ones (cabins) lie away from the settlements."""
        pick = rng.random(len(town))[:, None] >= self.settlement_shares[town, :-1]
        middle = self.settlements[town, pick.sum(axis=1)]
        spread = self.spread[town] * np.where(wide, 3.0, 1.0)
        point = middle + rng.normal(0.0, 1.0, (len(town), 2)) * spread[:, None]
        return point[:, 0], point[:, 1]

    def premium(self, town: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """Logarithmic, around zero over the homes of a municipality."""
        centrality = -self.slope[town] * np.log1p(np.hypot(x, y) / 2.0)
        away = np.stack([x, y], axis=-1)[:, None, :] - self.hot_spots[town]
        nearness = np.exp(-(away**2).sum(axis=-1) / (2.0 * self.width[town] ** 2))
        heat = (self.heat[town] * nearness).sum(axis=-1)
        return np.asarray(centrality + heat - self.base[town])

    def coordinates(
        self, town: IntArray, x: FloatArray, y: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        lat = self.lat[town] + y / _KM_PER_DEGREE
        lon = self.lon[town] + x / (_KM_PER_DEGREE * np.cos(np.radians(lat)))
        return np.round(lat, 6), np.round(lon, 6)

    def _levelled(self, shares: FloatArray) -> Self:
        town = np.repeat(np.arange(len(shares)), _SETTLEMENTS)
        points = self.settlements.reshape(-1, 2)
        premium = self.premium(town, points[:, 0], points[:, 1]).reshape(shares.shape)
        self.base[:] = (premium * shares).sum(axis=1)
        return self
