"""Retrains that are asked for, and whose months are fetched, by several processes at once."""

from collections.abc import Mapping
from datetime import datetime
from itertools import count

from attrs import frozen

from ..domain.errors import InvalidPeriod
from ..domain.order import Order, order_name
from ..domain.ports import Clock, Orders, SnapshotStore
from ..domain.run import new_run_id
from ..domain.turnover import Period, day_in_oslo
from .fetch_month import FetchMonth


@frozen
class Asked:
    """What somebody asks for."""

    period: Period
    publish: bool
    recipe: str
    by: str
    at: datetime


@frozen
class PlaceOrder:
    """Who asks for the same on the same day in Oslo gets the same order.

    Only if it failed for good does asking again make another one.
    """

    orders: Orders
    clock: Clock
    environment: Mapping[str, str]

    def __call__(self, asked: Asked) -> Order:
        """The order; FutureSale, StorageError."""
        asked.period.check_over(day_in_oslo(self.clock.now()))
        name = order_name(
            asked.period,
            publish=asked.publish,
            recipe=asked.recipe,
            environment=self.environment,
            day=day_in_oslo(asked.at),
        )
        attempts = (name if number == 1 else f"{name}-{number}" for number in count(1))
        placed = (self._place(order_id, asked) for order_id in attempts)
        return next(order for order in placed if self.orders.failure(order.order_id) is None)

    def _place(self, order_id: str, asked: Asked) -> Order:
        return self.orders.place(
            Order(
                order_id,
                new_run_id(self.clock.now()),
                asked.period,
                asked.publish,
                asked.recipe,
                asked.by,
                asked.at,
            )
        )


@frozen
class FetchOrdered:
    """Fetch a month of an order, and tell once in all when the last of them is there."""

    orders: Orders
    snapshots: SnapshotStore
    fetch_month: FetchMonth

    def __call__(self, order_id: str, month: Period, claimant: str) -> bool:
        """Whether *claimant* is who has to have it trained; the same again if asked again.

        UnknownOrder, InvalidPeriod, MarketError, StorageError.
        """
        order = self.orders.order(order_id)
        if month not in order.period.months():
            raise InvalidPeriod(f"The order {order_id} has no month {month}.")
        if self.orders.failure(order_id) is not None:
            return False
        self.fetch_month(month, force=False, dry_run=False)
        if any(self.snapshots.newest(part) is None for part in order.period.months()):
            return False
        return self.orders.claim(order_id, claimant) == claimant
