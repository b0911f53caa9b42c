"""What the market API sends, and the port between its HTTP surface and what stands behind it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol, TypedDict


class TurnoverAttributes(TypedDict, total=False):
    cadastral_unit_ids: list[int]
    price: float
    turnover_date: str


class TurnoverRecord(TypedDict):
    attributes: TurnoverAttributes


class UnitRecord(TypedDict):
    full_unit: str
    property_ids: list[int]


class PropertyRecord(TypedDict, total=False):
    realestate_type: str
    municipality_number: int
    lat: float
    lon: float
    built_year: int
    total_area: float
    bra: float
    floor: float
    bedrooms: float
    rooms: float
    gnr_number: int
    bnr_number: int
    snr_number: int


class Market(Protocol):
    """A register of sales; the same question always has the same answer."""

    def turnovers(self, start: date, end: date) -> Sequence[TurnoverRecord]:
        """Those with a UTC date from *start* to *end*, both included, in a stable order."""

    def units(self, ids: Iterable[int]) -> dict[int, UnitRecord]:
        """By cadastral unit id; unknown ids are absent."""

    def properties(self, ids: Iterable[int]) -> dict[int, PropertyRecord]:
        """By property id; unknown ids are absent."""
