"""A line in the log for each call of an S3 storage."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from attrs import define

from ..domain.errors import StorageError, StorageUnavailable
from .s3_errors import Refused, translated

_log = logging.getLogger(__name__)
_EXPECTED = {304: "unchanged", 404: "missing", 412: "exists_or_changed"}
"""What the storage says no to in the course of things, by status."""


@define
class Call:
    """How a call goes."""

    again: int = 0
    """Attempts after the first."""

    def answered(self, answer: Mapping[str, Any]) -> None:
        """Count what boto3 sent again."""
        self.again += int(answer["ResponseMetadata"].get("RetryAttempts", 0))


@contextmanager
def called(operation: str, key: str, *, bucket: str, place: str) -> Iterator[Call]:
    """What `translated` raises, told with its outcome and milliseconds.

    DEBUG, or WARNING for what did not work at once.
    """
    call, outcome, level = Call(), "ok", logging.DEBUG
    began = perf_counter()
    try:
        with translated(f"{operation} {key} in the bucket {bucket} at {place}"):
            yield call
    except Refused as refused:
        outcome = _EXPECTED.get(refused.status, f"{refused.status} {refused.code}")
        level = logging.DEBUG if refused.status in _EXPECTED else logging.WARNING
        raise
    except StorageError as error:
        outcome = "unavailable" if isinstance(error, StorageUnavailable) else "failed"
        level = logging.WARNING
        raise
    finally:
        level = logging.WARNING if call.again else level
        if _log.isEnabledFor(level):
            told = {
                "operation": operation.partition(" ")[0],
                "bucket": bucket,
                "key": key,
                "outcome": outcome,
                "ms": round((perf_counter() - began) * 1000, 2),
            } | ({"attempts": call.again + 1} if call.again else {})
            _log.log(level, "storage_call", extra=told)
