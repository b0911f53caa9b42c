"""`ree serve` as a process that is to be worn down: what it logs, its workers and their memory."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

from attrs import define, field, frozen

DEADLINE = 60.0
"""Seconds for whatever must come to pass."""
PULSE = 0.2
SERVE = (sys.executable, "-m", "ree.entrypoints.cli", "serve", "--host", "127.0.0.1")
_NOTED = re.compile(
    rb"Traceback|request_failed|TIMEOUT|SIG[A-Z]+|Booting|[Ww]orker.*(?:exit|died|lost)|"
    rb"Exception|\[error|\[critical"
)
T = TypeVar("T")


def until(what: Callable[[], T | None], name: str, seconds: float = DEADLINE) -> T:
    """What comes of asking until there is an answer; AssertionError after the deadline."""
    end, pause = monotonic() + seconds, Event()
    while monotonic() < end:
        if found := what():
            return found
        pause.wait(0.01)
    raise AssertionError(f"not {name} within {seconds} s")


@frozen
class Memory:
    """Of one process, MiB: its share of what is shared, and what it alone has."""

    pss: float
    uss: float

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Now."""
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {
            name: int(rest.split()[0]) / 1024 for name, _, rest in (r.partition(":") for r in rows)
        }
        return cls(sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])

    def __str__(self) -> str:
        return f"PSS {self.pss:.1f}, USS {self.uss:.1f} MiB"


@define(eq=False)
class Served:
    """Started by `with`, until it answers. A thread reads the log and keeps what is notable."""

    folder: Path
    workers: int = 2
    settings: Mapping[str, str] = field(factory=dict)
    port: int = field(init=False)
    noted: list[str] = field(factory=list, init=False)
    """Lines of the log of errors, of workers that begin or end, and parts of tracebacks."""
    _process: "subprocess.Popen[bytes]" = field(init=False)
    _reader: Thread = field(init=False)
    _last: bytes = field(default=b"", init=False)

    def __enter__(self) -> "Served":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        others = {name: value for name, value in os.environ.items() if not name.startswith("REE_")}
        storage = {"REE_STORAGE_PATH": str(self.folder / "store")}
        self._process = subprocess.Popen(
            [*SERVE, "--port", str(self.port), "--workers", str(self.workers)],
            cwd=self.folder,
            env=others | {"HOME": str(self.folder)} | storage | self.settings,
            stderr=subprocess.PIPE,
        )
        self._reader = Thread(target=self._read)
        self._reader.start()
        try:
            until(lambda: self._process.poll() is not None or self._is_up(), "listening")
            assert self._process.poll() is None, f"it ended: {self._last!r}"
            until(lambda: len(self.pids) == self.workers, "forked")
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._end(signal.SIGTERM) and error is None:
            raise AssertionError(f"the service did not end well: {self.noted[-20:]}")

    @property
    def pids(self) -> frozenset[int]:
        """Of the workers."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        return frozenset(map(int, children.read_text().split()))

    def memory(self) -> dict[int, Memory]:
        """Of each worker, by pid."""
        return {pid: Memory.of(pid) for pid in sorted(self.pids)}

    def get(self, path: str, seconds: float = 5.0) -> tuple[int, int]:
        """The status of an answer that must come soon, 0 for none, and the client's port."""
        connection, own = HTTPConnection("127.0.0.1", self.port, timeout=seconds), 0
        try:
            connection.connect()
            own = connection.sock.getsockname()[1]
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status, own
        except (OSError, HTTPException):
            return 0, own
        finally:
            connection.close()

    def _is_up(self) -> bool:
        return self.get("/ready")[0] in (200, 503)

    def _end(self, how: signal.Signals) -> int:
        self._process.send_signal(how)
        try:
            return self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(DEADLINE)

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as pipe:
            rest = b""
            while block := pipe.read1(1 << 20):
                self._last = block[-2_000:]
                whole, newline, rest = (rest + block).rpartition(b"\n")
                if newline and _NOTED.search(whole):
                    lines = [line for line in whole.split(b"\n") if _NOTED.search(line)]
                    self.noted += [line.decode(errors="replace") for line in lines]


@define(eq=False)
class Pulse:
    """Asks for /health over and over, on a new connection each, while `with` lasts."""

    served: Served
    asked: int = 0
    failed: list[int] = field(factory=list)
    """The ports of those that were not answered, 0 of one that was not even connected."""
    slowest: float = 0.0
    """Seconds."""
    _stopped: Event = field(factory=Event, init=False)
    _thread: Thread = field(init=False)

    def __enter__(self) -> "Pulse":
        self._thread = Thread(target=self._beat)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stopped.set()
        self._thread.join(DEADLINE)

    def _beat(self) -> None:
        while not self._stopped.wait(PULSE):
            began = monotonic()
            status, port = self.served.get("/health")
            if status != 200:
                self.failed.append(port)
            self.slowest = max(self.slowest, monotonic() - began)
            self.asked += 1
