"""The files in which the processes of one service keep their counts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp
from threading import Lock
from time import time
from typing import Any

from attrs import define, field
from prometheus_client import multiprocess, values

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "ree-metrics-"
HELD = "held"
"""The file in a folder that is locked as long as a process lives that counts there."""
SETTLED = 60.0
"""Seconds after which a folder that nobody holds was left behind, rather than just made."""
COUNTING = Lock()
"""Held by threads that count while another one may fork."""
# A fork waits for them: a lock of prometheus_client would stay taken in the new process.
os.register_at_fork(
    before=COUNTING.acquire, after_in_parent=COUNTING.release, after_in_child=COUNTING.release
)


@define(eq=False)
class Places:
    """A number for each process; the parent's is 0. The methods are hooks of gunicorn's.

    A worker that takes the place of a dead one takes its number, too, and with that its files: it
    counts on where that one stopped, and no number of deaths adds a file.
    """

    folder: str
    own: int = 0
    _taken: dict[int, int] = field(factory=dict)  # by the worker's age, which is unique

    def before_fork(self, _: Any, worker: Any) -> None:
        """Take the lowest that is free."""
        others = self._taken.values()
        self._taken[worker.age] = next(n for n in range(1, len(others) + 2) if n not in others)

    def after_fork(self, _: Any, worker: Any) -> None:
        """In the worker."""
        self.own = self._taken[worker.age]

    def ended(self, _: Any, worker: Any) -> None:
        """What is counted by its life, as requests being answered, ends with it."""
        place = self._taken.pop(worker.age, None)
        if place is not None:
            multiprocess.mark_process_dead(place, self.folder)  # type: ignore[no-untyped-call]


@contextmanager
def metric_files() -> Iterator[Places]:
    """Let what is counted from here on be counted over all processes that are forked.

    prometheus_client chooses where counts are kept when it is imported, by the environment. Who
    imported it before, and what it counts, is not disturbed. What killed processes left is removed.
    """
    owner = os.getpid()
    _clear()
    places = Places(mkdtemp(prefix=PREFIX))
    held = os.open(Path(places.folder, HELD), os.O_CREAT | os.O_WRONLY, 0o600)
    flock(held, LOCK_EX)  # forks share it, so that it ends with the last of them
    before = os.environ.get(VARIABLE), values.ValueClass
    os.environ[VARIABLE] = places.folder
    _keep_by(values.MultiProcessValue(lambda: places.own))  # type: ignore[no-untyped-call]
    try:
        yield places
    finally:
        if os.getpid() == owner:  # a worker leaves by here, too
            _keep_by(before[1])
            if before[0] is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before[0]
            rmtree(places.folder, ignore_errors=True)
            os.close(held)


def counted_in_files() -> bool:
    """Whether counts are kept in files."""
    return VARIABLE in os.environ and bool(getattr(values.ValueClass, "_multiprocess", False))


def _keep_by(kind: Any) -> None:
    values.ValueClass = kind


def _clear() -> None:
    for mark in Path(gettempdir()).glob(f"{PREFIX}*/{HELD}"):
        with suppress(OSError):  # as BlockingIOError: it is held
            if time() - mark.stat().st_mtime > SETTLED:
                held = os.open(mark, os.O_WRONLY | os.O_NOFOLLOW)
                try:
                    flock(held, LOCK_EX | LOCK_NB)
                    rmtree(mark.parent)
                finally:
                    os.close(held)
