"""What follows a task through the broker: who asked for it, when, and the ids of its log lines."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from celery import Task, signals
from celery.app.task import Context

from .logs import MODEL_VERSION, REQUEST_ID, RUN_ID, request_id, well_formed_id

_REQUEST, _RUN, _ASKED_AT = "ree_request_id", "ree_run_id", "ree_asked_at"
_NAME = re.compile("[^A-Za-z0-9.@_-]", re.ASCII)
DELIVERIES = "x-delivery-count"
"""RabbitMQ's, of a message that it has delivered before."""
_BY_BEAT = "celery_beat_task"
CARRIED = (_REQUEST, _RUN, _ASKED_AT, DELIVERIES, _BY_BEAT, "origin")
"""The headers that are read here, whatever is in them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def follow_tasks() -> None:
    """From now on, all of this process that are ree's."""
    signals.before_task_publish.connect(_mark)
    signals.task_prerun.connect(_take)
    signals.task_postrun.connect(_leave)


def asked_at(request: Context, now: datetime) -> datetime:
    """When the task was published first, if that is told; a redelivery or a delay changes nothing.

    Nobody asks before the time of computers, or after *now*.
    """
    try:
        moment = datetime.fromisoformat(request.get(_ASKED_AT) or "")
        return moment.astimezone(UTC) if moment.tzinfo and _EPOCH <= moment <= now else now
    except (TypeError, ValueError, OverflowError):
        return now


def asked_by(request: Context) -> str:
    """The schedule, or the process that published the task."""
    if request.get(_BY_BEAT):
        return "celery:schedule"
    return f"celery:{_NAME.sub('', str(request.origin or ''))[:64] or 'unknown'}"


def ids_of(headers: Mapping[str, Any]) -> dict[str, str | None]:
    """For a line about a task that is not being done by this process."""
    return {
        REQUEST_ID.name: well_formed_id(headers.get(_REQUEST)),
        RUN_ID.name: well_formed_id(headers.get(_RUN)),
    }


def _mark(sender: str, headers: dict[str, Any], **_: Any) -> None:
    if sender.startswith("ree."):
        headers.pop(DELIVERIES, None)  # a retry copies it from the message that it stands for
        headers[_REQUEST] = request_id(well_formed_id(headers.get(_REQUEST)) or REQUEST_ID.get())
        headers[_RUN] = well_formed_id(headers.get(_RUN)) or RUN_ID.get()
        headers.setdefault(_ASKED_AT, datetime.now(UTC).isoformat())


def _take(task: Task[..., Any], **_: Any) -> None:
    if task.name.startswith("ree."):
        REQUEST_ID.set(request_id(task.request.get(_REQUEST)))
        RUN_ID.set(well_formed_id(task.request.get(_RUN)))


def _leave(task: Task[..., Any], **_: Any) -> None:
    if task.name.startswith("ree."):
        for variable in (REQUEST_ID, RUN_ID, MODEL_VERSION):
            variable.set(None)
