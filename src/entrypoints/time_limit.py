"""The soft time limit of a task, which nothing on the way may take for an error of its own."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from billiard.pool import SIG_SOFT_TIMEOUT, soft_timeout_sighandler


class OutOfTime(BaseException):
    """A task is to end. Celery's own is an Exception, which who cannot fail catches."""


@contextmanager
def time_limit_that_is_heard() -> Iterator[None]:
    """In a process of the pool the limit raises OutOfTime meanwhile; elsewhere there is none."""
    if signal.getsignal(SIG_SOFT_TIMEOUT) is not soft_timeout_sighandler:
        yield
        return
    signal.signal(SIG_SOFT_TIMEOUT, _end)
    try:
        yield
    finally:
        signal.signal(SIG_SOFT_TIMEOUT, soft_timeout_sighandler)


def _end(*_: object) -> NoReturn:
    raise OutOfTime
