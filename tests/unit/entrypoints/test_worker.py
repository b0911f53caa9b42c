"""What a worker tells of messages that are no tasks of ours."""

import logging

import pytest
from celery.worker.consumer import consumer

from ree.entrypoints.worker import without_bodies


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (consumer.UNKNOWN_FORMAT, ("canary",)),
        (consumer.UNKNOWN_TASK_ERROR, (KeyError("ree.nope"), "canary", "canary", "canary")),
        (consumer.INVALID_TASK_ERROR, (ValueError("canary"), "canary")),
        (consumer.MESSAGE_DECODE_ERROR, (ValueError("canary"), "json", "utf-8", {}, "canary")),
    ],
)
def test_nothing_of_a_foreign_message_is_told(message: str, arguments: tuple[object, ...]) -> None:
    record = logging.LogRecord("celery", logging.ERROR, "", 0, message, arguments, None)
    assert "canary" in record.getMessage()
    assert without_bodies(record)
    assert record.getMessage() == "message_discarded"


def test_other_lines_stay_as_they_are() -> None:
    record = logging.LogRecord("celery", logging.INFO, "", 0, "Connected to %s", ("x",), None)
    assert without_bodies(record)
    assert record.getMessage() == "Connected to x"
