"""An order is placed once, its training claimed once, whoever asks how often."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import define, evolve, field

from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.orders import ObjectOrders
from ree.application.orders import Asked, FetchOrdered, PlaceOrder
from ree.domain.errors import FutureSale, InvalidPeriod, MarketUnavailable, UnknownOrder
from ree.domain.ports import Orders
from ree.domain.turnover import Period

NOW = datetime(2026, 2, 1, 2, 5, tzinfo=UTC)
PERIOD = Period(date(2025, 12, 1), date(2026, 1, 31))
ASKED = Asked(PERIOD, publish=True, recipe="accurate", by="me", at=NOW)
DECEMBER, JANUARY = PERIOD.months()


@define
class SetClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def orders() -> Orders:
    return ObjectOrders(MemoryObjects())


def placing(orders: Orders, code: str = "1") -> PlaceOrder:
    return PlaceOrder(orders, SetClock(), {"code": code})


def test_the_same_on_the_same_day_is_the_same_order(orders: Orders) -> None:
    place = placing(orders)
    order = place(ASKED)
    assert order.order_id.startswith("20260201-")
    assert (order.period, order.asked_by, order.asked_at) == (PERIOD, "me", NOW)
    assert place(evolve(ASKED, by="another", at=NOW.replace(hour=21))) == order
    assert orders.order(order.order_id) == order


@pytest.mark.parametrize(
    "other",
    [
        evolve(ASKED, period=DECEMBER),
        evolve(ASKED, publish=False),
        evolve(ASKED, recipe="fast"),
        evolve(ASKED, at=NOW.replace(month=1, day=31)),
    ],
)
def test_anything_else_is_another_order(orders: Orders, other: Asked) -> None:
    assert placing(orders)(other).order_id != placing(orders)(ASKED).order_id


def test_with_other_code_it_is_another_order(orders: Orders) -> None:
    assert placing(orders, code="2")(ASKED).order_id != placing(orders)(ASKED).order_id


def test_the_day_is_that_in_oslo(orders: Orders) -> None:
    late = evolve(ASKED, at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    assert placing(orders)(late) == placing(orders)(ASKED)
    earlier = evolve(ASKED, at=datetime(2026, 1, 31, 22, 30, tzinfo=UTC))
    assert placing(orders)(earlier) != placing(orders)(ASKED)


def test_after_a_failure_asking_again_makes_another_attempt(orders: Orders) -> None:
    place = placing(orders)
    first = place(ASKED)
    orders.fail(first.order_id, "a reason")
    second = place(ASKED)
    assert second.order_id == f"{first.order_id}-2"
    assert second.run_id != first.run_id
    assert place(ASKED) == second
    orders.fail(second.order_id, "a reason")
    assert place(ASKED).order_id == f"{first.order_id}-3"


def test_a_period_that_is_not_over_is_no_order(orders: Orders) -> None:
    with pytest.raises(FutureSale):
        placing(orders)(evolve(ASKED, period=Period(date(2026, 1, 1), date(2026, 2, 1))))


def test_a_month_is_over_when_it_is_in_oslo(orders: Orders) -> None:
    place = placing(orders)
    place.clock.moment = datetime(2026, 1, 31, 23, tzinfo=UTC)  # type: ignore[attr-defined]
    assert place(ASKED).period == PERIOD
    place.clock.moment -= timedelta(seconds=1)  # type: ignore[attr-defined]
    with pytest.raises(FutureSale):
        place(ASKED)


@define
class Months:
    """Fetches by remembering, and knows what was fetched."""

    there: list[Period] = field(factory=list)
    fails: bool = False

    def __call__(self, month: Period, *, force: bool, dry_run: bool) -> None:
        assert (force, dry_run) == (False, False)
        if self.fails:
            raise MarketUnavailable("down")
        self.there.append(month)

    def newest(self, month: Period) -> Period | None:
        return month if month in self.there else None


def fetching(orders: Orders, months: Months) -> FetchOrdered:
    return FetchOrdered(orders, months, months)  # type: ignore[arg-type]


@pytest.mark.parametrize("turns", [(DECEMBER, JANUARY), (JANUARY, DECEMBER)])
def test_who_brings_the_last_month_has_it_trained(orders: Orders, turns: Sequence[Period]) -> None:
    order_id = placing(orders)(ASKED).order_id
    fetch = fetching(orders, Months())
    assert not fetch(order_id, turns[0], "first")
    assert fetch(order_id, turns[1], "last")
    assert fetch(order_id, turns[1], "last"), "it died before it could tell"
    assert not fetch(order_id, turns[0], "first")
    assert not fetch(order_id, turns[1], "a second order of it")


def test_what_cannot_be_fetched_claims_nothing(orders: Orders) -> None:
    order_id = placing(orders)(ASKED).order_id
    months = Months([DECEMBER], fails=True)
    with pytest.raises(MarketUnavailable):
        fetching(orders, months)(order_id, JANUARY, "a")
    months.fails = False
    assert fetching(orders, months)(order_id, JANUARY, "b")


def test_of_an_order_that_failed_nothing_is_fetched(orders: Orders) -> None:
    order_id = placing(orders)(ASKED).order_id
    orders.fail(order_id, "a reason")
    months = Months()
    assert not fetching(orders, months)(order_id, JANUARY, "a")
    assert not months.there


@pytest.mark.parametrize("month", [PERIOD, Period(DECEMBER.start, DECEMBER.start)])
def test_what_is_no_month_of_an_order_is_not_fetched(orders: Orders, month: Period) -> None:
    order_id = placing(orders)(ASKED).order_id
    months = Months()
    with pytest.raises(InvalidPeriod, match="no month"):
        fetching(orders, months)(order_id, month, "a")
    assert not months.there


def test_an_unknown_order_is_not_fetched(orders: Orders) -> None:
    with pytest.raises(UnknownOrder):
        fetching(orders, Months())("20260201-0", JANUARY, "a")
