"""Which messages a worker takes. Whoever reaches the broker can put anything into the queue."""

import re
from collections.abc import Callable, Container
from datetime import UTC, datetime
from typing import Any

import structlog
from celery.utils.log import get_logger
from celery.worker import consumer
from kombu import Message

from .broker import refusal_told
from .correlation import CARRIED, DELIVERIES

_ID = re.compile("[!-~]{1,255}", re.ASCII)
_DEEPEST = 8
_MOST_RETRIES = 1_000
_log = structlog.get_logger("ree.worker")


class Unusable(Exception):
    """What is wrong with a message; in our words, none of its own."""


class Consumer(consumer.Consumer):
    """Rejects, in one line, what Celery would fall over or tell all about."""

    strategies: dict[str, Any]
    connection_errors: tuple[type[Exception], ...]

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Message], None]:
        """Of every message that could be decompressed."""
        receive = super().create_task_handler(*args, **kwargs)

        def check(message: Message) -> None:
            try:
                message.headers = headers_of_task(message, self.strategies)
            except Unusable as error:
                self._discard(message, str(error))
            else:
                receive(message)

        return check

    def connect(self) -> Any:
        """Waits for a broker that is away, for none that refuses us."""
        with refusal_told():
            return super().connect()

    def on_decode_error(self, message: Message, _: Exception) -> None:
        """It could not even be decompressed."""
        self._discard(message, "body")

    def _discard(self, message: Message, what: str) -> None:
        _log.error("message_discarded", wrong=what)
        message.reject_log_error(get_logger(__name__), self.connection_errors)


def headers_of_task(message: Message, tasks: Container[str]) -> dict[str, Any]:
    """Those that a task of ours has, each of them sound; Unusable.

    Everything else that Celery would heed, as time limits, is the worker's own affair.
    """
    given = message.headers
    for name, is_sound in _NEEDED.items():
        if not is_sound(given.get(name)):
            raise Unusable(f"header {name}")
    if not given["task"].startswith("ree.") or given["task"] not in tasks:
        raise Unusable("header task")
    _check_body(message)
    kept = {name: given[name] for name in (*_NEEDED, *CARRIED) if given.get(name) is not None}
    if not _is_count(kept.get(DELIVERIES)):
        kept.pop(DELIVERIES, None)
    return kept


def _check_body(message: Message) -> None:
    """Arguments by position, those by name, and nothing that is to follow from the task."""
    try:
        body = message.decode()
    except Exception:
        raise Unusable("body") from None
    match body:
        case [list() as args, dict() as kwargs, dict() | None as embedded]:
            if not _is_shallow([args, kwargs], _DEEPEST) or any((embedded or {}).values()):
                raise Unusable("body")
        case _:
            raise Unusable("body")


def _is_shallow(value: object, levels: int) -> bool:
    """What is nested too deeply cannot be handed to a process of the pool."""
    match value:
        case dict():
            return levels > 0 and all(_is_shallow(part, levels - 1) for part in value.values())
        case list():
            return levels > 0 and all(_is_shallow(part, levels - 1) for part in value)
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_RETRIES


def _is_moment(value: object) -> bool:
    """Also in UTC."""
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value).astimezone(UTC).tzinfo)
    except (ValueError, OverflowError):
        return False


_NEEDED: dict[str, Callable[[object], bool]] = {
    "task": _is_text,
    "id": _is_text,
    "retries": lambda value: value is None or _is_count(value),
    "eta": lambda value: value is None or _is_moment(value),
    "expires": lambda value: value is None or _is_moment(value),
}
