"""What every store of orders promises (ree.domain.ports.Orders)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from attrs import evolve

from ree.adapters.objects import ObjectStore
from ree.adapters.orders import ObjectOrders
from ree.adapters.seal import Seal, generate_keys
from ree.domain.errors import StorageError, UnknownOrder
from ree.domain.order import Order
from ree.domain.ports import Orders
from ree.domain.turnover import Period
from ree.domain.verification import Soundness

ORDER = Order(
    order_id="20260201-0123456789abcdef",
    run_id="20260201-020500-00000001",
    period=Period(date(2025, 2, 1), date(2026, 1, 31)),
    publish=True,
    recipe="accurate",
    asked_by="celery:schedule",
    asked_at=datetime(2026, 2, 1, 2, 5, 0, 789, tzinfo=UTC),
)
ID = ORDER.order_id


@pytest.fixture
def orders(objects: ObjectStore) -> Orders:
    return ObjectOrders(objects)


def test_an_order_is_read_back_as_it_was(orders: Orders) -> None:
    assert orders.place(ORDER) == ORDER
    assert orders.order(ID) == ORDER
    other = evolve(ORDER, order_id=f"{ID}-2", publish=False)
    orders.place(other)
    assert orders.order(other.order_id) == other
    assert orders.failure(ID) is None


def test_who_asks_second_gets_the_order_of_the_first(orders: Orders) -> None:
    orders.place(ORDER)
    assert orders.place(evolve(ORDER, run_id="another", asked_by="me")) == ORDER
    assert orders.order(ID) == ORDER


@pytest.mark.parametrize("order_id", [ID, f"{ID}-2", "20260201"])
def test_an_unknown_order(orders: Orders, order_id: str) -> None:
    orders.place(evolve(ORDER, order_id=f"{ID}-3"))
    with pytest.raises(UnknownOrder):
        orders.order(order_id)


@pytest.mark.parametrize("order_id", ["../latest", "", "a b"])
def test_an_order_outside_the_store(orders: Orders, order_id: str) -> None:
    with pytest.raises(StorageError):
        orders.order(order_id)


def test_one_of_those_who_claim_at_once_has_it(orders: Orders) -> None:
    barrier = Barrier(4)

    def claim(name: str) -> str:
        barrier.wait()
        return orders.claim(ID, name)

    with ThreadPoolExecutor(4) as threads:
        (winner,) = set(threads.map(claim, "abcd"))
    assert orders.claim(ID, "later") == winner
    assert orders.claim(f"{ID}-2", "later") == "later"


def test_the_first_reason_of_a_failure_is_kept(orders: Orders) -> None:
    orders.fail(ID, "the market wants another key")
    orders.fail(ID, "another")
    assert orders.failure(ID) == "the market wants another key"
    assert orders.failure(f"{ID}-2") is None


def test_damage_is_found(
    objects: ObjectStore, orders: Orders, overwrite: Callable[[str, bytes], None]
) -> None:
    orders.place(ORDER)
    orders.claim(ID, "a")
    orders.fail(ID, "b")
    assert [finding.soundness for finding in orders.verify()] == [Soundness.SOUND] * 3
    for key in objects.keys("orders/"):
        overwrite(key, objects.get(key).body.replace(b'"', b"'", 1))
    assert [finding.soundness for finding in orders.verify()] == [Soundness.BROKEN] * 3
    for look in (orders.order, orders.failure):
        with pytest.raises(StorageError, match="damaged"):
            look(ID)
    with pytest.raises(StorageError, match="damaged"):
        orders.claim(ID, "a")


def test_an_order_that_no_trusted_key_signed_counts_for_nothing(objects: ObjectStore) -> None:
    private, public = generate_keys()
    signed = ObjectOrders(objects, Seal.of(private, [public]))
    signed.place(ORDER)
    assert signed.order(ID) == ORDER
    ObjectOrders(objects).place(evolve(ORDER, order_id=f"{ID}-2"))
    with pytest.raises(StorageError, match="not signed"):
        signed.order(f"{ID}-2")
