"""How often each client may ask, counted over all processes that serve."""

import fcntl
import mmap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Lock

from attrs import frozen

MINUTE = 60_000_000_000
_SECOND = 1_000_000_000
_WIDTH = 8
_BURST_SECONDS = 10


@frozen
class Taken:
    """Whether a request may pass, and what is left."""

    passes: bool
    left: int
    """Requests that would pass right now."""
    wait: int
    """Whole seconds until one passes; 0 if one would now."""


@frozen
class Pace:
    """So many requests a minute, spread: at once only as many as fall into ten seconds.

    The generic cell rate algorithm (ITU-T I.371): a request is due one interval after the one
    before, and may come early by less than *burst* intervals. In any span of time *t* at most
    burst + t / interval pass. All times are whole nanoseconds.
    """

    per_minute: int

    @property
    def burst(self) -> int:
        """How many pass at once after a pause."""
        return max(1, self.per_minute * _BURST_SECONDS // 60)

    @property
    def interval(self) -> int:
        """From one request to the next, rounded up."""
        return -(-MINUTE // self.per_minute)

    def take(self, due: int, now: int) -> tuple[int, Taken]:
        """When the next request is due, after one that comes now."""
        early = max(due - now, 0)
        tolerance = (self.burst - 1) * self.interval
        passes = early <= tolerance
        if passes:
            early += self.interval
        left = max(tolerance + self.interval - early, 0) // self.interval
        wait = 0 if left else max(1, -(-(early - tolerance) // _SECOND))
        return now + early, Taken(passes, left, wait)


class RateLimits:
    """One due time for each pace, in memory that a fork shares.

    What a process does to one takes a lock on its bytes of the file behind the memory. Such a
    lock is the process's own (POSIX), so the system gives it back when the process dies, however
    it dies; the eight bytes then hold what they held before or what they were to hold.
    Make it before the fork; processes that make their own count on their own.
    """

    def __init__(self, paces: Sequence[int]) -> None:
        self._paces = [Pace(per_minute) for per_minute in paces]
        self._file = TemporaryFile()  # noqa: SIM115 (open as long as the service)
        size = max(1, len(paces)) * _WIDTH
        self._file.truncate(size)
        self._due = memoryview(mmap.mmap(self._file.fileno(), size)).cast("q")
        self._threads = Lock()  # a process's threads are one to the file's locks

    def take(self, place: int, now: int) -> Taken:
        """Let one request pass, if the pace at *place* allows it at *now* (nanoseconds)."""
        with self._held(place):
            due, taken = self._paces[place].take(self._due[place], now)
            if taken.passes:
                self._due[place] = due
        return taken

    @contextmanager
    def _held(self, place: int) -> Iterator[None]:
        file = self._file.fileno()
        with self._threads:
            fcntl.lockf(file, fcntl.LOCK_EX, _WIDTH, place * _WIDTH)
            try:
                yield
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, _WIDTH, place * _WIDTH)
