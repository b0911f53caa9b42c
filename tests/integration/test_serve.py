"""The server as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from dependency_injector import providers

from ree.adapters.settings import Settings
from ree.container import Container
from ree.domain.errors import ReeError
from ree.entrypoints.api.server import CannotListen, serve

DEADLINE = 60.0
MAIN = """
import sys
from ree.container import Container
from ree.domain.errors import ReeError
from ree.entrypoints.api.server import serve
from ree.entrypoints.logs import configure_logs
container = Container()
configure_logs(container.settings().log_level)
try:
    serve(container, "127.0.0.1", int(sys.argv[1]), workers=2)
except ReeError as error:
    sys.exit(str(error))
"""


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path) -> dict[str, str]:
    """Of the server."""
    return os.environ | {
        "HOME": str(folder),
        "REE_STORAGE_PATH": str(folder / "store"),
        "REE_MODEL_REFRESH_SECONDS": "0.1",
    }


def ask(port: int, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def ask_until(port: int, path: str, status: int) -> dict[str, Any]:
    """Ask until the answer is *status*."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found, answer = ask(port, path)
        if found == status:
            return answer
    raise AssertionError(f"{path} answered {found} until the deadline")


class Server:
    """A running server that listens; a thread reads its log, so that no pipe can fill."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log: list[str] = []
        self.listening = Event()
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, str(self.port)],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.reader = Thread(target=self._read)
        self.reader.start()
        assert self.listening.wait(DEADLINE), self.log

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if "Listening at" in line:
                self.listening.set()

    def end(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(with_signal)
        code = self.process.wait(DEADLINE)
        self.reader.join(DEADLINE)
        return code


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    with started.process:
        yield started
        if started.process.poll() is None:
            started.process.kill()
        started.reader.join(DEADLINE)


def test_it_lives_waits_for_a_model_and_ends(server: Server, tmp_path: Path) -> None:
    status, health = ask(server.port, "/health")
    assert (status, health["service"]) == (200, "ree")
    status, problem = ask(server.port, "/ready")
    assert (status, problem["title"]) == (503, "No model")

    container = Container()
    container.settings.override(providers.Object(Settings(storage_path=tmp_path / "store")))
    version = container.bootstrap()(by="test").version
    assert ask_until(server.port, "/ready", 200)["model_version"] == version

    status, problem = ask(server.port, "/estimate", b'{"1": {"x": NaN}}')
    assert (status, problem["title"]) == (400, "Malformed JSON")

    assert server.end() == 0
    assert server.process.stdout is not None
    assert server.process.stdout.read() == ""
    log = "".join(server.log)
    assert f"http://127.0.0.1:{server.port}" in log
    assert "path=/ready status=503" in log
    assert "Traceback" not in log
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"store"}, "nothing else is written, as a control socket"


def test_it_refuses_a_flood_of_chunks_and_ends_on_an_interrupt(server: Server) -> None:
    limit = 10_000 * 4_096 + 65_536
    connection = HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    chunk = b" " * 1_048_576
    chunks = (chunk for _ in range(limit // len(chunk) + 1))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/estimate", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert ask(server.port, "/health")[0] == 200
    assert server.end(signal.SIGINT) == 0


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-c", MAIN, str(port)],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (f"Another program listens on 127.0.0.1:{port}. Choose another port.\n")


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    container = Container()
    container.settings.override(providers.Object(Settings(storage_path=tmp_path)))
    with pytest.raises(CannotListen, match="Cannot listen on") as refused:
        serve(container, "192.0.2.1", 0, workers=1)
    assert isinstance(refused.value, ReeError)
    assert "\n" not in str(refused.value)
