"""What the tasks take, what they send, and what follows them, on a broker in memory."""

import json
import os
import signal
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define
from billiard.pool import SIG_SOFT_TIMEOUT, soft_timeout_sighandler
from celery import Celery
from celery.app.task import Context
from celery.exceptions import Reject
from dependency_injector import providers
from kombu.exceptions import OperationalError

from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.settings import Settings
from ree.container import Container
from ree.domain.errors import ReeError
from ree.entrypoints import tasks
from ree.entrypoints.broker import QUEUE
from ree.entrypoints.correlation import asked_at, asked_by, follow_tasks
from ree.entrypoints.logs import REQUEST_ID, RUN_ID
from ree.entrypoints.time_limit import OutOfTime
from ree.entrypoints.worker import create_worker

NOW = datetime(2026, 3, 1, 2, 5, tzinfo=UTC)
SETTINGS = Settings(train_window_months=2, api_base_url="http://127.0.0.1:9")


@define
class SetClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def container() -> Container:
    container = Container()
    container.settings.override(providers.Object(SETTINGS))
    container.clock.override(providers.Object(SetClock()))
    objects = MemoryObjects()
    container.model_objects.override(providers.Object(objects))
    container.snapshot_objects.override(providers.Object(objects))
    return container


@pytest.fixture
def app(container: Container) -> Iterator[Celery]:
    app = create_worker(SETTINGS, lambda: container)
    follow_tasks()
    yield app
    sent(app)  # the memory is that of the process


def sent(app: Celery) -> list[tuple[str, list[Any], dict[str, Any]]]:
    """Name, arguments and headers of what is in the queue."""
    found = []
    with app.connection_for_read() as connection:
        while message := connection.default_channel.basic_get(QUEUE, no_ack=True):
            body = message.body if isinstance(message.body, bytes) else message.body.encode()
            try:
                arguments = json.loads(body)[0]
            except ValueError:
                arguments = json.loads(b64decode(body))[0]
            found.append((message.headers["task"], arguments, message.headers))
    return found


@pytest.mark.parametrize(
    ("name", "arguments", "months"),
    [
        ("ree.retrain_previous_month", {}, ["2026-01", "2026-02"]),
        ("ree.retrain_rolling", {}, ["2026-01", "2026-02"]),
        ("ree.retrain_rolling", {"as_of": "2026-02-28"}, ["2025-12", "2026-01"]),
        ("ree.retrain_rolling", {"as_of": "2026-02-01", "months": 1}, ["2026-01"]),
        (
            "ree.retrain_range",
            {"start_date": "2025-12-15", "end_date": "2026-01-02", "publish": False},
            ["2025-12", "2026-01"],
        ),
    ],
)
def test_each_month_of_an_order_is_sent_once(
    app: Celery, container: Container, name: str, arguments: dict[str, Any], months: list[str]
) -> None:
    order_id = app.tasks[name](**arguments)
    messages = sent(app)
    assert [task for task, _, _ in messages] == ["ree.fetch_month"] * len(months)
    assert [given[1][:7] for _, given, _ in messages] == months
    assert {given[0] for _, given, _ in messages} == {order_id}
    order = container.orders().order(order_id)
    assert [f"{month.start:%Y-%m}" for month in order.period.months()] == months
    assert order.publish is arguments.get("publish", True)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("ree.retrain_range", {}, "ree.retrain_range takes start_date, end_date, publish, recipe."),
        ("ree.retrain_range", {"start_date": "2026-01-01"}, "takes start_date, end_date"),
        ("ree.retrain_range", {"start_date": "2026-1-1", "end_date": "2026-01-31"}, "start_date"),
        ("ree.retrain_range", {"start_date": "2026-01-01", "end_date": 20260131}, "a date as"),
        ("ree.retrain_range", {"start_date": "2026-02-01", "end_date": "2026-01-31"}, "before"),
        ("ree.retrain_range", {"start_date": "2026-02-01", "end_date": "2026-03-01"}, "today"),
        ("ree.retrain_range", {"start_date": "0001-01-01", "end_date": "2026-01-31"}, "24301 m"),
        ("ree.retrain_range", {"start_date": "1926-01-31", "end_date": "2026-01-01"}, "1201 mon"),
        ("ree.check_drift", {"start_date": "0001-01-01", "end_date": "2026-01-31"}, "24301 month"),
        ("ree.retrain_rolling", {"publish": "yes"}, "publish is to be true or false."),
        ("ree.retrain_rolling", {"publish": 1}, "publish"),
        ("ree.retrain_rolling", {"months": True}, "months is to be a number, 1 to 1200."),
        ("ree.retrain_rolling", {"months": 1.5}, "months"),
        ("ree.retrain_rolling", {"months": "3"}, "months is to be a number"),
        ("ree.retrain_rolling", {"months": 0}, "months"),
        ("ree.retrain_rolling", {"months": 1_201}, "months"),
        ("ree.retrain_rolling", {"as_of": "0001-01-31"}, "before"),
        ("ree.retrain_rolling", {"as_of": "2099-01-01"}, "today"),
        ("ree.retrain_rolling", {"as_of": "\uff12026-01-01"}, "as_of"),
        ("ree.retrain_rolling", {"recipe": "best"}, "recipe"),
        ("ree.retrain_rolling", {"window": 3}, "takes as_of, months, publish, recipe"),
        ("ree.retrain_previous_month", {"months": 3}, "takes none"),
        ("ree.fetch_month", {"order_id": "a", "start_date": 1, "end_date": 2}, "start_date"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(
    app: Celery, container: Container, name: str, arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(ReeError) as refused:
        app.tasks[name](**arguments)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not sent(app)
    assert not container.orders().objects.keys("orders/2")


def test_when_and_by_whom_it_was_asked_comes_with_the_task() -> None:
    told = Context({"ree_asked_at": "2026-02-01T03:05:00+01:00", "celery_beat_task": True})
    assert asked_at(told, NOW) == datetime(2026, 2, 1, 2, 5, tzinfo=UTC)
    assert asked_by(told) == "celery:schedule"
    assert asked_by(Context({"origin": "gen12@host\n<b>"})) == "celery:gen12@hostb"
    assert asked_by(Context({})) == "celery:unknown"


@pytest.mark.parametrize(
    "moment",
    [
        *(None, "", "soon", 5, "2026-02-01T03:05:00", "2099-01-01T00:00Z"),
        *("0001-01-01T00:00:00+14:00", "1950-03-15T00:00:00+00:00"),
    ],
)
def test_a_moment_that_cannot_be_is_now(moment: object) -> None:
    assert asked_at(Context({"ree_asked_at": moment}), NOW) == NOW


@pytest.mark.parametrize(
    ("asked", "last"),
    [
        (datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC), "2025-12"),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), "2026-01"),
    ],
)
def test_the_previous_month_is_that_of_the_day_in_oslo(
    app: Celery, container: Container, asked: datetime, last: str
) -> None:
    container.clock.override(providers.Object(SetClock(asked)))
    app.tasks["ree.retrain_previous_month"]()
    assert [given[1][:7] for _, given, _ in sent(app)][-1] == last


def test_ids_follow_a_task_to_those_that_it_sends(app: Celery) -> None:
    token = REQUEST_ID.set("it.7")
    try:
        app.tasks["ree.retrain_rolling"]()
    finally:
        REQUEST_ID.reset(token)
    for _, _, headers in sent(app):
        assert headers["ree_request_id"] == "it.7"
        assert headers["ree_run_id"] == RUN_ID.get()
        assert datetime.fromisoformat(headers["ree_asked_at"]).tzinfo is not None


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 7, {"a": 1}, None])
def test_an_id_that_is_ill_formed_is_replaced(app: Celery, given: object) -> None:
    app.send_task("ree.train", ["a"], headers={"ree_request_id": given, "x-delivery-count": 9})
    ((_, _, headers),) = sent(app)
    assert len(headers["ree_request_id"]) == 32
    assert "x-delivery-count" not in headers


def test_the_pauses_between_attempts_double_at_most() -> None:
    for retries in range(tasks.MOST_RETRIES):
        pauses = [tasks.pause(retries, 120) for _ in range(300)]
        assert all(1 <= seconds <= 120 * 2**retries for seconds in pauses)
        assert max(pauses) > 90 * 2**retries
        assert min(pauses) < 30 * 2**retries


def test_without_a_market_nothing_is_asked_for(app: Celery, container: Container) -> None:
    container.settings.override(providers.Object(Settings()))
    with pytest.raises(ReeError, match="REE_API_BASE_URL"):
        app.tasks["ree.retrain_rolling"]()
    assert not sent(app)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (OutOfTime(), "It took longer than 1350 seconds."),
        (ZeroDivisionError("secret"), "unexpected ZeroDivisionError"),
    ],
)
def test_what_ends_a_task_fails_its_order(
    app: Celery, container: Container, failure: BaseException, reason: str
) -> None:
    order_id = app.tasks["ree.retrain_rolling"]()

    def fail(*_: object) -> None:
        raise failure

    container.fetch_ordered.override(providers.Object(fail))
    with pytest.raises(ReeError):
        app.tasks["ree.fetch_month"](order_id, "2026-01-01", "2026-01-31")
    assert container.orders().failure(order_id) == reason


@pytest.mark.parametrize("order_id", ["nope", "../latest", "20260301-0123456789abcdef", 5, None])
def test_of_an_order_that_is_not_there_nothing_is_kept(
    app: Celery, container: Container, order_id: object
) -> None:
    for name, days in (("ree.train", []), ("ree.fetch_month", ["2026-01-01", "2026-01-31"])):
        with pytest.raises(ReeError, match="order"):
            app.tasks[name](order_id, *days)
    assert not list(container.model_objects().keys(""))


@pytest.mark.parametrize("days", [("2026-01-01", "2026-01-30"), ("2025-12-01", "2025-12-31"), "ab"])
def test_a_month_that_is_none_of_the_order_s_fails_only_its_task(
    app: Celery, container: Container, days: Sequence[str]
) -> None:
    order_id = app.tasks["ree.retrain_rolling"]()
    with pytest.raises(ReeError):
        app.tasks["ree.fetch_month"](order_id, *days)
    assert container.orders().failure(order_id) is None


@pytest.mark.parametrize(("deliveries", "is_given_up"), [(None, False), (9, False), (10, True)])
def test_a_task_that_came_ten_times_is_given_up_in_true_words(
    app: Celery, container: Container, deliveries: int | None, is_given_up: bool
) -> None:
    order_id = app.tasks["ree.retrain_rolling"]()
    container.fetch_ordered.override(providers.Object(lambda *_: False))
    task = app.tasks["ree.fetch_month"]
    task.push_request(**{"x-delivery-count": deliveries})
    try:
        with pytest.raises(ReeError) if is_given_up else nullcontext():
            task(order_id, "2026-01-01", "2026-01-31")
    finally:
        task.pop_request()
    failure = container.orders().failure(order_id)
    assert (failure is not None) is is_given_up
    if failure is not None:
        assert "its worker died" in failure
        assert "or lost the broker" in failure


def test_the_time_limit_is_heard_through_who_catches_every_exception(
    app: Celery, container: Container
) -> None:
    def swallow(*_: object) -> bool:
        with suppress(Exception):
            os.kill(os.getpid(), SIG_SOFT_TIMEOUT)
        return False

    order_id = app.tasks["ree.retrain_rolling"]()
    container.fetch_ordered.override(providers.Object(swallow))
    before = signal.signal(SIG_SOFT_TIMEOUT, soft_timeout_sighandler)  # as in the pool
    try:
        with pytest.raises(ReeError, match="longer than 1350 seconds"):
            app.tasks["ree.fetch_month"](order_id, "2026-01-01", "2026-01-31")
        assert signal.getsignal(SIG_SOFT_TIMEOUT) is soft_timeout_sighandler
    finally:
        signal.signal(SIG_SOFT_TIMEOUT, before)
    assert container.orders().failure(order_id) == "It took longer than 1350 seconds."


def test_what_cannot_be_sent_stays_with_the_broker(
    app: Celery, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(app, "send_task", away)
    with pytest.raises(Reject) as rejected:
        app.tasks["ree.retrain_rolling"]()
    assert rejected.value.requeue
    (order,) = {key.split("/")[1] for key in container.model_objects().keys("orders/")}
    assert container.orders().failure(order) is None
