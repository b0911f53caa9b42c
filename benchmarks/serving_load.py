"""One load: wrk in a process of its own, and what it cost the server."""

import re
import subprocess
from math import nan
from pathlib import Path

from attrs import frozen

from serving_servers import HOST, Running

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 4
FEWEST = 24
"""Requests that have to be answered for a figure."""
LONGEST = 20.0
"""Seconds of a load at most."""
_FIGURE = re.compile(r"(\w+)=(\d+)")


@frozen
class Cell:
    """A server under one load."""

    server: str
    batch: int
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failed: int
    """Answers that were not 2xx, and requests that got none."""
    cpu_seconds: float

    @property
    def rps(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of the server a request."""
        return 1_000 * self.cpu_seconds / self.requests if self.requests else nan

    @property
    def cpu_us_property(self) -> float:
        """CPU microseconds of the server a property."""
        return 1_000 * self.cpu_ms / self.batch


def load(server: Running, batch: int, path: str, bodies: Path, seconds: float) -> Cell:
    """Posts the bodies of a file for so many seconds; longer where too few are answered."""
    while True:
        found = _load(server, batch, path, bodies, max(1, round(seconds)))
        if found.requests >= FEWEST or seconds >= LONGEST:
            return found
        seconds = min(LONGEST, 2 * seconds)


def _load(server: Running, batch: int, path: str, bodies: Path, seconds: int) -> Cell:
    before = server.cpu()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout=60s"]
    done = subprocess.run(
        [*command, f"--script={SCRIPT}", f"http://{HOST}:{server.port}{path}", "--", str(bodies)],
        capture_output=True,
        text=True,
        check=True,
    )
    # What wrk leaves behind unanswered is still worked on.
    return cell(server.name, batch, done.stdout, server.cpu_at_rest() - before)


def cell(server: str, batch: int, printed: str, cpu: float) -> Cell:
    """From what wrk printed, and the CPU of all requests: those that were answered, and one more on
    each connection. ValueError if there are no figures.
    """
    lines = [line for line in printed.splitlines() if line.startswith("FIGURES ")]
    if not lines:
        raise ValueError(f"wrk printed no figures: {printed[-500:]}")
    told = {name: int(value) for name, value in _FIGURE.findall(lines[-1])}
    answered = told["requests"]
    return Cell(
        server,
        batch,
        answered,
        told["microseconds"] / 1e6,
        told["p50"] / 1_000,
        told["p99"] / 1_000,
        told["status"] + told["broken"],
        cpu * answered / (answered + CONNECTIONS),
    )
