"""The files in which the processes of one service keep their counts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from attrs import define, field
from prometheus_client import multiprocess, values

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@define(eq=False)
class Places:
    """A number for each process, by gunicorn's hooks; the parent's is 0.

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
    imported it before, and what it counts, is not disturbed.
    """
    owner = os.getpid()
    places = Places(mkdtemp(prefix="ree-metrics-"))
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


def counted_in_files() -> bool:
    """Whether counts are kept in files."""
    return VARIABLE in os.environ and bool(getattr(values.ValueClass, "_multiprocess", False))


def _keep_by(kind: Any) -> None:
    values.ValueClass = kind
