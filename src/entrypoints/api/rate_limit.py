"""How often each client may ask, counted over all processes that serve."""

import fcntl
import mmap
from collections.abc import Sequence
from tempfile import TemporaryFile
from threading import Lock
from weakref import finalize

from attrs import define, field, frozen

_MINUTE = 60_000_000_000
_SECOND = 1_000_000_000
_BURST_SECONDS = 10
_WIDTH = 8


@define
class Taken:
    """Whether a request may pass, and what is left."""

    passes: bool
    left: int
    """Requests that would pass right after it."""
    wait: int
    """Whole seconds until one would; 0 if one would at once."""


@frozen
class Pace:
    """So many requests a minute, and at once only as many as fall into ten seconds.

    The generic cell rate algorithm (ITU-T I.371): a request is due one interval after the one
    before it, and may come early by less than *burst* intervals. So at most burst + t / interval
    pass in any span of time t. All times are whole nanoseconds.
    """

    per_minute: int
    burst: int = field(init=False)
    """How many pass at once after a pause."""
    interval: int = field(init=False)
    """From one request to the next, rounded up."""
    tolerance: int = field(init=False)
    """How early one may come."""

    @burst.default
    def _burst(self) -> int:
        return max(1, self.per_minute * _BURST_SECONDS // 60)

    @interval.default
    def _interval(self) -> int:
        return -(-_MINUTE // self.per_minute)

    @tolerance.default
    def _tolerance(self) -> int:
        return (self.burst - 1) * self.interval


class RateLimits:
    """A due time for each pace, in memory that a fork shares.

    A change takes a lock on the time's eight bytes of the file behind the memory. Such a lock
    belongs to the process (POSIX), so that the system releases it however the process dies; the
    bytes then hold what they held before, or what they were to hold.
    Make it before the fork: processes that make their own count on their own.
    """

    def __init__(self, per_minute: Sequence[int]) -> None:
        self.paces = [Pace(each) for each in per_minute]
        self._file = TemporaryFile()  # noqa: SIM115 (open as long as this is)
        finalize(self, self._file.close)
        size = max(1, len(self.paces)) * _WIDTH
        self._file.truncate(size)
        self._due = memoryview(mmap.mmap(self._file.fileno(), size)).cast("q")
        self._threads = Lock()  # to the file's locks the threads of a process are one

    def take(self, place: int, now: int) -> Taken:
        """Let a request pass, if the pace at *place* allows it at *now* (nanoseconds)."""
        pace = self.paces[place]
        with self._threads:
            self.lock(place)
            try:
                due = self._due[place]
                early = due - now if due > now else 0
                passes = early <= pace.tolerance
                if passes:
                    early += pace.interval
                    self._due[place] = now + early
            finally:
                self.lock(place, fcntl.LOCK_UN)
        left = (pace.tolerance + pace.interval - early) // pace.interval
        if left > 0:
            return Taken(passes, left, 0)
        return Taken(passes, 0, max(1, -(-(early - pace.tolerance) // _SECOND)))

    def lock(self, place: int, how: int = fcntl.LOCK_EX) -> None:
        """Keep other processes off a due time, or let them."""
        fcntl.lockf(self._file, how, _WIDTH, place * _WIDTH)
