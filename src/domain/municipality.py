"""Municipalities: those of today, and the numbers that were in force before."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from math import cos, radians
from typing import Any

from attrs import define, frozen

from .property import padded

RENUMBERED = "renumbered:municipality_number"
"""The warning for a number that is no longer in force."""


@frozen
class Municipality:
    """One of today; ``lat`` and ``lon`` (degrees) are a point where people live in it.

    *valid_from* is None if the number is older than 2020.
    """

    number: str
    name: str
    county_number: str
    county: str
    lat: float
    lon: float
    valid_from: date | None = None


@frozen
class FormerMunicipality:
    """A number that is no longer in force, and the number or numbers of today that it became.

    *valid_from* is None if the number is older than 2020.
    """

    number: str
    name: str
    county_number: str
    county: str
    valid_from: date | None
    valid_until: date
    successors: tuple[str, ...]


@define(eq=False, slots=False)
class MunicipalityReference:
    """What is known of municipality numbers, in the order of the numbers."""

    current: tuple[Municipality, ...]
    former: tuple[FormerMunicipality, ...]

    def find(self, number: int | str) -> Municipality | None:
        """The municipality of today with this number, as 301, "301" or "0301"."""
        return self._by_number.get(padded(number) or "")

    def find_former(self, number: int | str) -> FormerMunicipality | None:
        """What had this number before."""
        return self._formerly.get(padded(number) or "")

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        """The numbers of today by the number before; more than one if it was split."""
        return {former.number: former.successors for former in self.former}

    def away(self, number: str, lat: Any, lon: Any) -> Any:
        """How far places are from the centre of a municipality of today; numbers or arrays.

        The square of the equirectangular distance, in degrees of latitude: enough to tell which of
        some centres is the nearest.
        """
        centre = self._by_number[number]
        east = (lon - centre.lon) * cos(radians(centre.lat))
        return (lat - centre.lat) ** 2 + east**2

    @cached_property
    def _by_number(self) -> Mapping[str, Municipality]:
        return {one.number: one for one in self.current}

    @cached_property
    def _formerly(self) -> Mapping[str, FormerMunicipality]:
        return {one.number: one for one in self.former}
