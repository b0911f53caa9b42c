"""Why an estimate is what it is: what each group of facts adds, and the sales that counted most."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import floor, fsum
from typing import Self

from attrs import frozen

GROUPS = ("location", "size", "age", "type", "time", "comparables")
"""Of facts, in the order in which contributions are told."""
MOST_COMPARABLES = 5
_SLACK = 0.5
"""NOK by which contributions may miss the difference that they are to make."""


@frozen
class ComparableSale:
    """A past sale near a home. Prices in whole NOK, *adjusted_price* at the valuation date's level.

    The distance is in km, the usable area in m2, the place in degrees.
    """

    price: int
    sold_on: date
    distance_km: float
    usable_area: float
    adjusted_price: int
    lat: float
    lon: float


@frozen
class Explanation:
    """*base* and *contributions*, by group, add up to the estimated price: whole NOK, to the krone.

    A model that cannot tell groups apart has no contributions, and all of the price in the base.
    The sales that counted most come first.
    """

    base: int
    contributions: Mapping[str, int]
    comparables: tuple[ComparableSale, ...] = ()

    @classmethod
    def whole(cls, price: float, comparables: Sequence[ComparableSale] = ()) -> Self:
        """Of a model that cannot tell groups apart."""
        return cls(round(price), {}, tuple(comparables))

    @classmethod
    def of(
        cls,
        base: float,
        contributions: Mapping[str, float],
        price: float,
        comparables: Sequence[ComparableSale] = (),
    ) -> Self:
        """In whole NOK, by the largest remainders.

        Base and price are rounded as an estimate is. All contributions are rounded down; what then
        lacks goes to those that lost most, a krone each, the first of equal ones first. A group
        that adds nothing gets nothing. ValueError if they do not add up.
        """
        if abs(fsum([base, *contributions.values(), -price])) > _SLACK:
            raise ValueError(f"contributions do not lead from {base} to {price}")
        whole = {name: floor(value) for name, value in contributions.items()}
        moved = [name for name, value in contributions.items() if value] or list(contributions)
        lacking = round(price) - round(base) - sum(whole.values())
        moved.sort(key=lambda name: whole[name] - contributions[name])
        each, more = divmod(lacking, len(moved))
        for place, name in enumerate(moved):
            whole[name] += each + (place < more)
        return cls(round(base), whole, tuple(comparables))
