"""The municipalities of today as markets of homes: how large and how dear they are.

Sources. Areas: Kartverket (CC BY 4.0). Price levels: asking prices from October 2018 to March
2019, public course material (ML-kurs), rounded to 500 NOK. Where fewer than five homes were for
sale, price level and share of apartments are the median of the county's other municipalities
(``price_level`` is ``county`` instead of ``own``).
"""

import csv
from functools import cache
from pathlib import Path
from typing import Literal

from attrs import frozen

from ..municipalities import reference

_TABLE = Path(__file__).with_name("price_levels.csv")


@frozen
class Town:
    """``lat`` and ``lon`` (degrees) are a point where people live, not the middle of the area."""

    number: str
    lat: float
    lon: float
    area_km2: float
    price_per_sqm: int
    """Median asking price in NOK per m2 of usable area."""
    apartment_share: float
    listings: int
    """How many homes were for sale: a weight for the size of the market."""
    price_level: Literal["own", "county"]


@cache
def towns() -> tuple[Town, ...]:
    """In the order of their numbers."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        levels = {row["number"]: row for row in csv.DictReader(table)}
    return tuple(
        _town(one.number, one.lat, one.lon, levels[one.number]) for one in reference().current
    )


def _town(number: str, lat: float, lon: float, level: dict[str, str]) -> Town:
    return Town(
        number=number,
        lat=lat,
        lon=lon,
        area_km2=float(level["area_km2"]),
        price_per_sqm=int(level["price_per_sqm"]),
        apartment_share=float(level["apartment_share"]),
        listings=int(level["listings"]),
        price_level="own" if level["price_level"] == "own" else "county",
    )
