"""The service as processes of its own, and the models that tests let it serve."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from pathlib import Path
from threading import Condition, Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Any

import numpy as np
from attrs import define, field, frozen
from dependency_injector import providers

from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.registry import ObjectRegistry
from ree.adapters.settings import Settings
from ree.container import Container
from ree.domain.model import Kind, Recipe, TrainingRecord

DEADLINE = 60.0
WORKERS = 2
HOME = {
    "realestate_type": "enebolig",
    "municipality_number": 4003,
    "lat": 59.21,
    "lon": 9.584,
    "built_year": 2016,
    "total_area": 472.8,
    "bra": 100,
}
MAIN = """
import sys
from ree.container import Container
from ree.domain.errors import ReeError
from ree.entrypoints.api.server import serve
from ree.entrypoints.logs import configure_logs
container = Container()
settings = container.settings()
configure_logs(settings.log_level, settings.log_format, secrets=settings.secrets)
try:
    serve(container, "127.0.0.1", int(sys.argv[1]), workers=int(sys.argv[2]))
except ReeError as error:
    sys.exit(str(error))
"""


def command(port: int, workers: int = WORKERS) -> list[str]:
    """That serves."""
    return [sys.executable, "-c", MAIN, str(port), str(workers)]


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """For a process with these settings and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("REE_")}
    return {**others, "HOME": str(folder), **settings}


def until(what: Callable[[], Any], name: str) -> Any:
    """What comes of asking until there is an answer."""
    end = monotonic() + DEADLINE
    while monotonic() < end:
        if found := what():
            return found
        sleep(0.01)
    raise AssertionError(f"not {name} until the deadline")


@define(eq=False)
class Service:
    """Started by `with`, until it listens. A thread reads its log, so that no pipe can fill."""

    folder: Path
    settings: Mapping[str, str]
    workers: int = WORKERS
    port: int = 0
    """Where it listens; one that is free if not given."""
    log: list[tuple[float, str]] = field(factory=list, init=False)
    printed: str = field(default="", init=False)
    _process: "subprocess.Popen[str]" = field(init=False)
    _reader: Thread = field(init=False)
    _written: Condition = field(factory=Condition, init=False)

    def __enter__(self) -> "Service":
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            command(self.port, self.workers),
            cwd=self.folder,
            env=environment(self.folder, self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = Thread(target=self._read)
        self._reader.start()
        self.lines("Listening at", 1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None and self.end() and error is None:
            raise AssertionError(f"the service did not end well: {self.log[-20:]}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        with self._process:
            self._process.send_signal(how)
            try:
                return self._process.wait(DEADLINE)
            finally:
                self._process.kill()
                self._reader.join(DEADLINE)
                assert self._process.stdout is not None
                self.printed = self._process.stdout.read()

    def lines(self, pattern: str, count: int | None = None) -> list[float]:
        """When lines that match were written; waits for *count* of them, else one a worker."""
        wanted = self.workers if count is None else count
        with self._written:
            found = self._written.wait_for(lambda: len(self.seen(pattern)) >= wanted, DEADLINE)
        assert found, f"no {wanted} lines {pattern!r} in {self.log[-20:]}"
        return self.seen(pattern)

    def seen(self, pattern: str) -> list[float]:
        """When lines that match were written, so far."""
        return [moment for moment, line in self.log if re.search(pattern, line)]

    def forget(self) -> None:
        """Read the log from here on."""
        with self._written:
            self.log.clear()

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of an answer, over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            return asked(connection, path, body)
        finally:
            connection.close()

    def until_ready(self, *, failing: bool = False) -> Any:
        """The first answer that it is ready, and that refreshing the model fails, or does not."""

        def ready() -> Any:
            status, answer = self.ask("/ready")
            fits = status == 200 and (answer["refresh"]["reason"] is not None) == failing
            return fits and answer

        return until(ready, "ready")

    def serves(self, version: str, per_sqm: int) -> None:
        """Every worker, as far as asking often can tell."""
        for _ in range(20):
            status, answer = self.ask("/ready")
            assert (status, answer["model_version"]) == (200, version)
            status, answer = self.ask("/estimate", {"1": HOME})
            assert (status, answer["1"]["model_version"]) == (200, version)
            assert answer["1"]["price_per_sqm"] == per_sqm

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._written:
                self.log.append((monotonic(), line))
                self._written.notify_all()


def asked(connection: HTTPConnection, path: str, body: Any = None) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    method = "GET" if body is None else "POST"
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@frozen
class Publisher:
    """Publishes models that price every home alike, and moves the pointer as `ree models` does."""

    container: Container

    @classmethod
    def of(cls, **settings: Any) -> "Publisher":
        """To the store of these settings."""
        container = Container()
        container.settings.override(providers.Object(Settings(**settings)))
        return cls(container)

    @property
    def registry(self) -> ObjectRegistry:
        """Where they go."""
        registry: ObjectRegistry = self.container.registry()
        return registry

    def publish(self, per_sqm: int) -> str:
        """A version with every object there can be; prices in NOK per m2."""
        none, price = np.empty(0), np.array([float(per_sqm)])
        model = MedianPricePerSqm(none, none, np.full(6, np.nan), price, estimator="for people")
        record = TrainingRecord(Kind.STUB, Recipe("stub"), {})
        return self.registry.publish(model, record).version

    def activate(self, version: str) -> float:
        """When the pointer had moved."""
        active = self.registry.active()
        expected = active.version if active else None
        self.registry.activate(version, expected=expected, by="test", why="a test")
        return monotonic()

    def roll_back(self) -> float:
        """When the pointer had moved."""
        self.container.roll_back()(by="test", why="a test")
        return monotonic()
