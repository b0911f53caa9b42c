"""Orders in object storage."""

from collections.abc import Iterator
from typing import Any, TypeVar

from attrs import field, frozen

from ..domain.errors import StorageError, UnknownOrder
from ..domain.order import Order
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectMissing, ObjectStore
from .seal import Seal

ORDERS = "orders/"
_ORDER, _CLAIMED, _FAILED = "order.json", "claimed.json", "failed.json"
T = TypeVar("T")


@frozen
class _Claim:
    claimant: str


@frozen
class _Failure:
    reason: str


_KINDS: dict[str, type[Any]] = {_ORDER: Order, _CLAIMED: _Claim, _FAILED: _Failure}


@frozen
class ObjectOrders:
    """The Orders port: a folder an order, each object of it created once."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)

    def place(self, order: Order) -> Order:
        """Keep an order, or find the one that has its id already."""
        return self._first(_key(order.order_id, _ORDER), order)

    def order(self, order_id: str) -> Order:
        """One of them; UnknownOrder."""
        try:
            return self._get(_key(order_id, _ORDER), Order)
        except ObjectMissing:
            raise UnknownOrder(order_id) from None

    def claim(self, order_id: str, claimant: str) -> str:
        """Who may have it trained: the first who claimed it, ever."""
        return self._first(_key(order_id, _CLAIMED), _Claim(claimant)).claimant

    def fail(self, order_id: str, reason: str) -> None:
        """Give it up; of several reasons the first is kept."""
        self._first(_key(order_id, _FAILED), _Failure(reason))

    def failure(self, order_id: str) -> str | None:
        """Why it was given up, if it was."""
        try:
            return self._get(_key(order_id, _FAILED), _Failure).reason
        except ObjectMissing:
            return None

    def verify(self) -> Iterator[Finding]:
        """Every object."""
        for key in self.objects.keys(ORDERS):
            try:
                self._get(key, _KINDS.get(key.rpartition("/")[2], Order))
            except StorageError as error:
                yield Finding(key, Soundness.BROKEN, str(error))
            else:
                yield Finding(key)

    def _first(self, key: str, value: T) -> T:
        try:
            self.objects.create(key, codec.to_json(self.seal.close(codec.plain(value))))
        except ObjectExists:
            return self._get(key, type(value))
        return value

    def _get(self, key: str, kind: type[T]) -> T:
        return codec.structured(self.seal.open(self.objects.get(key).body, key), kind, key)


def _key(order_id: str, name: str) -> str:
    return f"{ORDERS}{order_id}/{name}"
