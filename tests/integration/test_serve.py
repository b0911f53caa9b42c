"""The server as a process of its own."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from dependency_injector import providers

from ree.adapters.settings import Settings
from ree.container import Container
from ree.domain.errors import ReeError
from ree.entrypoints.api.server import CannotListen, serve

from .service import DEADLINE, Publisher, Service, asked, command, environment


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"REE_STORAGE_PATH": str(tmp_path / "store"), "REE_MODEL_REFRESH_SECONDS": "0.1"}


@pytest.fixture
def service(tmp_path: Path, settings: dict[str, str]) -> Iterator[Service]:
    with Service(tmp_path, settings) as service:
        yield service


def test_it_lives_waits_for_a_model_and_ends(service: Service, tmp_path: Path) -> None:
    status, health = service.ask("/health")
    assert (status, health["service"]) == (200, "ree")
    status, problem = service.ask("/ready")
    assert (status, problem["title"]) == (503, "No model")

    publisher = Publisher.of(storage_path=tmp_path / "store")
    version = publisher.container.bootstrap()(by="test").version
    assert service.until_ready()["model_version"] == version

    connection = HTTPConnection("127.0.0.1", service.port, timeout=DEADLINE)
    assert asked(connection, "/estimate", {"1": {"x": float("nan")}})[0] == 400
    connection.close()

    assert service.end() == 0
    assert service.printed == ""
    log = "".join(line for _, line in service.log)
    assert f"http://127.0.0.1:{service.port}" in log
    assert "route=/ready" in log
    assert "status=503" in log
    assert "Traceback" not in log
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"store"}, "nothing else is written, as a control socket"


def test_it_refuses_a_flood_of_chunks_and_ends_on_an_interrupt(service: Service) -> None:
    limit = 10_000 * 4_096 + 65_536
    connection = HTTPConnection("127.0.0.1", service.port, timeout=DEADLINE)
    chunk = b" " * 1_048_576
    chunks = (chunk for _ in range(limit // len(chunk) + 1))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/estimate", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert service.ask("/health")[0] == 200
    assert service.end(signal.SIGINT) == 0


def test_a_taken_port_is_one_line(tmp_path: Path, settings: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            command(port),
            cwd=tmp_path,
            env=environment(tmp_path, settings),
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
