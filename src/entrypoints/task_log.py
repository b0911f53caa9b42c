"""What a worker tells of tasks where Celery would: in our words, with ids, without arguments."""

from logging import CRITICAL, LogRecord, getLogger
from typing import Any

import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.app import trace
from celery.worker import request, worker

from .correlation import ids_of

_log = structlog.get_logger("ree.worker")


class Request(request.Request):
    """Tells of a task whose process cannot any more."""

    request_dict: dict[str, Any]

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """At the soft limit the task itself tells."""
        if not soft:
            _log.error("task_killed", seconds=timeout, **self._known())
        super().on_timeout(soft, timeout)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """A task that was killed at its limit is told, and counted, as that."""
        error = exc_info.exception
        error = getattr(error, "exc", error)  # what another process raised is wrapped
        if isinstance(error, WorkerLostError | SystemExit):
            _log.error("task_lost", **self._known())
        is_told = isinstance(error, TimeLimitExceeded)
        super().on_failure(exc_info, send_failed_event, return_ok or is_told)

    def _known(self) -> dict[str, str | None]:
        return {"task": self.name, **ids_of(self.request_dict)}


def quieten() -> None:
    """Keep Celery's own lines about tasks out of the log."""
    for module in (trace, request, worker):
        getLogger(module.__name__).addFilter(in_few_words)


def in_few_words(record: LogRecord) -> bool:
    """Only what went wrong around a task, or ends the worker, is not told by the task."""
    record.msg = "worker_broke" if record.name == worker.__name__ else "task_broke"
    record.args = ()
    vars(record).pop("data", None)
    return record.levelno >= CRITICAL
