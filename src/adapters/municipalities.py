"""The 357 Norwegian municipalities of 2024, with the price level that was asked for homes in them.

Sources. Numbers, names and areas: Kartverket (CC BY 4.0). Price levels: asking prices from
October 2018 to March 2019, public course material (ML-kurs), rounded to 500 NOK. Where fewer
than five homes were for sale, price level and share of apartments are the median of the
county's other municipalities (``price_level`` is ``county`` instead of ``own``).
"""

import csv
from functools import cache
from pathlib import Path
from typing import Literal

from attrs import frozen

_TABLE = Path(__file__).with_name("municipalities.csv")


@frozen
class Municipality:
    """``lat`` and ``lon`` (degrees) are a point where people live, not the middle of the area."""

    number: str
    name: str
    county: str
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
def municipalities() -> tuple[Municipality, ...]:
    """In the order of their numbers."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        return tuple(_municipality(row) for row in csv.DictReader(table))


def _municipality(row: dict[str, str]) -> Municipality:
    return Municipality(
        number=row["number"],
        name=row["name"],
        county=row["county"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        area_km2=float(row["area_km2"]),
        price_per_sqm=int(row["price_per_sqm"]),
        apartment_share=float(row["apartment_share"]),
        listings=int(row["listings"]),
        price_level="own" if row["price_level"] == "own" else "county",
    )
