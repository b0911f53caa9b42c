"""The tasks: what can be asked of a worker, and what workers ask of each other."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from inspect import signature
from random import SystemRandom
from typing import TYPE_CHECKING, Any

import structlog
from celery import Celery
from celery import Task as CeleryTask
from celery.exceptions import Reject, Retry
from kombu.exceptions import OperationalError
from structlog.contextvars import bound_contextvars

from ..adapters.settings import Settings
from ..container import Container
from ..domain.errors import (
    InvalidPeriod,
    MarketUnavailable,
    ReeError,
    StorageUnavailable,
    UnknownOrder,
)
from ..domain.order import Order, is_order_id
from ..domain.turnover import MOST_MONTHS, Period, day_in_oslo
from .broker import MOST_DELIVERIES
from .correlation import DELIVERIES, asked_at, asked_by
from .dates import day
from .logs import RUN_ID
from .retraining import look_for_drift, retrain
from .schedule import MONTHLY
from .task_log import Request
from .time_limit import OutOfTime, time_limit_that_is_heard

if TYPE_CHECKING:
    Task = CeleryTask[..., Any]
else:
    Task = CeleryTask

MOST_RETRIES = 6
_RECIPES = ("fast", "accurate")
_CONFIRMED_WITHIN = 30.0
_random = SystemRandom()
_log = structlog.get_logger("ree.worker")


class WrongArgument(ReeError):
    """What a task cannot be asked for."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name} is to be {expected}.")


class WrongArguments(ReeError):
    """Too many, too few or others than a task takes."""

    def __init__(self, task: "Errand") -> None:
        super().__init__(
            f"{task.name} takes {', '.join(signature(task.run).parameters) or 'none'}."
        )


class GivenUp(ReeError):
    """A task that does not get to its end."""


_OF_THE_MESSAGE = WrongArgument, InvalidPeriod, UnknownOrder
"""Whoever sends a task that cannot be fails no order of others."""


def pause(retries: int, first: float) -> int:
    """Seconds before a further attempt: up to *first*, doubled each time, all equally likely."""
    return max(1, round(_random.uniform(0, first * 2**retries)))


class Errand(Task):
    """A task that is refused, retried or given up in one line of the log.

    What may pass by itself is tried again; what fails for good fails its order, so that it can be
    asked for again.
    """

    throws = (ReeError,)
    Request = f"{Request.__module__}:{Request.__name__}"

    def __init__(self, container: Callable[[], Container]) -> None:
        self.container = container

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            given = signature(self.run).bind(*args, **kwargs).arguments
        except TypeError:
            error = WrongArguments(self)
            _log.error("task_refused", task=self.name, reason=str(error))
            raise error from None
        try:
            return self._attempt(args, kwargs)
        except Retry:
            raise
        except (Reject, OperationalError) as error:  # the broker, in which it then stays
            _log.warning("broker_unavailable", task=self.name)
            raise Reject(error, requeue=True) from None
        except ReeError as error:
            _log.error("task_failed", task=self.name, reason=str(error))
            if not isinstance(error, _OF_THE_MESSAGE):
                self._fail(given.get("order_id"), str(error))
            raise
        except Exception as error:
            _log.error("task_failed", task=self.name, exc_info=error)
            reason = f"unexpected {type(error).__name__}"
            self._fail(given.get("order_id"), reason)
            raise GivenUp(reason) from None

    def send(self, name: str, *args: object) -> None:
        """To whichever worker is free, surely; OperationalError."""
        self.app.send_task(name, args, confirm_timeout=_CONFIRMED_WITHIN)

    def _attempt(self, args: Any, kwargs: Any) -> Any:
        if (self.request.get(DELIVERIES) or 0) >= MOST_DELIVERIES:
            raise GivenUp(
                f"It was begun {MOST_DELIVERIES} times and had no end: its worker died (is there "
                "enough memory?), or lost the broker (is the connection steady?)."
            )
        try:
            with time_limit_that_is_heard():
                return self.run(*args, **kwargs)
        except (MarketUnavailable, StorageUnavailable) as error:
            if self.request.retries >= MOST_RETRIES:
                raise
            seconds = pause(self.request.retries, self._settings.celery_retry_seconds)
            _log.warning("task_retried", task=self.name, seconds=seconds, reason=str(error))
            raise self.retry(exc=error, countdown=seconds, max_retries=MOST_RETRIES) from None
        except OutOfTime:
            limit = self.app.conf.task_soft_time_limit
            raise GivenUp(f"It took longer than {limit} seconds.") from None

    def _fail(self, order_id: object, reason: str) -> None:
        """As far as there is one, and the storage lets us."""
        if is_order_id(order_id):
            with suppress(ReeError):
                orders = self.container().orders()
                orders.fail(orders.order(order_id).order_id, reason)

    @property
    def _settings(self) -> Settings:
        settings: Settings = self.container().settings()
        return settings


class _Ask(Errand):
    """Opens an order and has its months fetched."""

    def ask(self, period: Period, publish: object, recipe: object) -> str:
        """The order's id."""
        from ..application.orders import Asked

        if not isinstance(publish, bool):
            raise WrongArgument("publish", "true or false")
        if recipe not in _RECIPES:
            raise WrongArgument("recipe", "fast or accurate")
        container = self.container()
        container.market()  # whether there is one is told here, not by every month
        at = asked_at(self.request, container.clock().now())
        order: Order = container.place_order()(
            Asked(period, publish, str(recipe), asked_by(self.request), at)
        )
        RUN_ID.set(order.run_id)
        _log.info("order_placed", task=self.name, order=order.order_id, period=str(order.period))
        for month in order.period.months():
            self.send(FetchMonth.name, order.order_id, str(month.start), str(month.end))
        return order.order_id

    def today(self) -> date:
        """In Oslo, when it was asked."""
        return day_in_oslo(asked_at(self.request, self.container().clock().now()))


class RetrainRange(_Ask):
    """Retrain on the sales of exactly these days."""

    name = "ree.retrain_range"

    def run(
        self,
        start_date: object,
        end_date: object,
        publish: object = True,
        recipe: object = "accurate",
    ) -> str:
        """The order's id."""
        period = Period(_day("start_date", start_date), _day("end_date", end_date))
        period.check_length()
        return self.ask(period, publish, recipe)


class RetrainRolling(_Ask):
    """Retrain on the *months* that end with the last one that is over before *as_of*."""

    name = MONTHLY

    def run(
        self,
        as_of: object = None,
        months: object = None,
        publish: object = True,
        recipe: object = "accurate",
    ) -> str:
        """The order's id; without *as_of* it is today, without *months* the settings' window."""
        before = self.today() if as_of is None else _day("as_of", as_of)
        window = self._settings.train_window_months if months is None else months
        if type(window) is not int or not 1 <= window <= MOST_MONTHS:
            raise WrongArgument("months", f"a number, 1 to {MOST_MONTHS}")
        return self.ask(Period.of_months_before(window, before), publish, recipe)


class RetrainPreviousMonth(RetrainRolling):
    """What the schedule asks for."""

    name = "ree.retrain_previous_month"

    def run(self) -> str:  # type: ignore[override]
        """The order's id."""
        return super().run()


class FetchMonth(Errand):
    """Fetch a month of an order; the last one to end has the order trained."""

    name = "ree.fetch_month"

    def run(self, order_id: object, start_date: object, end_date: object) -> None:
        """What it sends after it claimed that is sent again if the worker dies between."""
        month = Period(_day("start_date", start_date), _day("end_date", end_date))
        order = _order_id(order_id)
        trains = self.container().fetch_ordered()(order, month, str(self.request.id))
        _log.info("month_fetched", order=order, month=str(month))
        if trains:
            self.send(Train.name, order)


class Train(Errand):
    """Train an order whose months are there."""

    name = "ree.train"

    def run(self, order_id: object) -> dict[str, Any]:
        """How it ended."""
        from ..application.retrain_period import RetrainRequest

        container = self.container()
        order: Order = container.orders().order(_order_id(order_id))
        request = RetrainRequest(
            order.period,
            order.asked_by,
            recipe=order.recipe,
            publish=order.publish,
            run_id=order.run_id,
        )
        with bound_contextvars(order=order.order_id):
            run = retrain(container, request)
        newest = list(order.period.months())[-1]
        self.send(CheckDrift.name, str(newest.start), str(newest.end))
        return {
            "run_id": run.run_id,
            "ending": run.ending.value,
            "model_version": run.model_version,
            "reused": run.reused,
        }


class CheckDrift(Errand):
    """Compare a month with what the version that is active now was trained on."""

    name = "ree.check_drift"

    def run(self, start_date: object, end_date: object) -> str | None:
        """The verdict; None where no model is active, since the gate let none through yet."""
        period = Period(_day("start_date", start_date), _day("end_date", end_date))
        report = look_for_drift(self.container(), period)
        return report.verdict.value if report else None


def register(app: Celery, container: Callable[[], Container]) -> None:
    """Every task."""
    for task in (RetrainRange, RetrainRolling, RetrainPreviousMonth, FetchMonth, Train, CheckDrift):
        app.register_task(task(container))


def _order_id(value: object) -> str:
    if not is_order_id(value):
        raise WrongArgument("order_id", "the id of an order")
    return value


def _day(name: str, value: object) -> date:
    try:
        return day(value if isinstance(value, str) else "")
    except ValueError:
        raise WrongArgument(name, "a date as 2026-01-31") from None
