"""What Celery would tell of tasks is left out, or told in few words."""

import logging
from types import ModuleType
from typing import Any

import pytest
from celery.app import trace
from celery.worker import worker

from ree.entrypoints.task_log import in_few_words


@pytest.mark.parametrize(
    ("policy", "is_told", "logger", "event"),
    [
        (trace.log_policy_unexpected, False, trace, "task_broke"),
        (trace.log_policy_reject, False, trace, "task_broke"),
        (trace.log_policy_internal, True, trace, "task_broke"),
        (trace.log_policy_internal, True, worker, "worker_broke"),
    ],
)
def test_only_what_the_task_cannot_tell_is_told(
    policy: Any, is_told: bool, logger: ModuleType, event: str
) -> None:
    context = {"name": "canary", "id": "canary", "exc": "canary", "description": "canary"}
    record = logging.LogRecord(
        logger.__name__, policy.severity, "", 0, policy.format, (context,), None
    )
    record.data = context
    assert "canary" in record.getMessage()
    assert in_few_words(record) is is_told
    assert record.getMessage() == event
    assert "canary" not in str(vars(record))
