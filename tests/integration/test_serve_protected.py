"""Keys, limits and counts of a service of several workers, and what a killed one leaves."""

import json
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from time import monotonic

import pytest
from dependency_injector import providers
from prometheus_client.parser import text_string_to_metric_families

from ree.adapters.client_keys import entry, new_client_key
from ree.adapters.settings import Settings
from ree.container import Container
from ree.entrypoints.api.server import CannotListen, serve

from ..metric_tables import OF_API, documented, shown
from .service import DEADLINE, HOME, Publisher, Service, until

KEY, OTHER = new_client_key(), new_client_key()
A_MINUTE = 600
BURST = A_MINUTE // 6
Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Services with a stub for a model, by settings; its processes keep their files apart."""
    publisher = Publisher.of(storage_path=tmp_path / "store")
    publisher.container.bootstrap()(by="test")
    (tmp_path / "tmp").mkdir()
    always = {"REE_STORAGE_PATH": str(tmp_path / "store"), "TMPDIR": str(tmp_path / "tmp")}
    with ExitStack() as running:
        yield lambda workers=2, **settings: running.enter_context(
            Service(tmp_path, always | settings, workers)
        )


def ask(
    port: int, path: str, headers: Mapping[str, str] | None = None, body: str | None = None
) -> tuple[HTTPResponse, str]:
    """An answer over a connection of its own, so that any worker may give it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def keyed(key: str) -> dict[str, str]:
    return {"X-Api-Key": key, "Content-Type": "application/json"}


def total(text: str, name: str, **labels: str) -> float:
    """Of all samples with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def workers(service: Service) -> list[int]:
    """The processes that answer now."""
    return [int(found[1]) for _, line in service.log if (found := re.search(r"pid: (\d+)", line))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_limit_holds_over_all_workers(start: Start) -> None:
    keys = f"{entry('web', KEY)}:{A_MINUTE},{entry('other', OTHER)}"
    service = start(REE_CLIENT_KEYS=keys)
    service.lines("Booting worker")
    body = json.dumps({"1": HOME})

    def post(_: int) -> int:
        return ask(service.port, "/estimate", keyed(KEY), body)[0].status

    began = monotonic()
    with ThreadPoolExecutor(4) as clients:
        statuses = Counter(clients.map(post, range(3 * BURST)))
    took = monotonic() - began
    assert set(statuses) == {200, 429}
    assert BURST <= statuses[200] <= BURST + 1 + took * A_MINUTE / 60
    refused, text = next(
        (answer, text)
        for answer, text in (ask(service.port, "/model", keyed(KEY)) for _ in range(2 * BURST))
        if answer.status == 429
    )
    assert refused.headers["Retry-After"] == "1"
    assert json.loads(text)["title"] == "Too many requests"
    assert ask(service.port, "/estimate", keyed(OTHER), body)[0].status == 200
    assert ask(service.port, "/estimate", keyed("wrong"), body)[0].status == 401
    assert ask(service.port, "/health")[0].status == 200
    log = "".join(line for _, line in service.log)
    assert " client=web " in log
    assert KEY not in log
    assert "wrong" not in log


def test_counts_are_of_all_workers_and_outlive_a_killed_one(start: Start, tmp_path: Path) -> None:
    apart = free_port()
    service = start(3, REE_METRICS_PORT=str(apart), REE_CLIENT_KEYS=entry("web", KEY))
    service.lines("Booting worker")
    assert ask(service.port, "/metrics", keyed(KEY))[0].status == 404
    assert ask(apart, "/health")[0].status == 404

    def counted() -> float:
        return total(ask(apart, "/metrics")[1], "ree_http_requests_total", route="/model")

    for number in range(40):
        assert ask(service.port, "/model", keyed(KEY))[0].status == 200
        assert counted() == number + 1
        flawed = json.dumps({"1": {**HOME, "lat": None, "lon": None}, "2": HOME})
        assert ask(service.port, "/estimate", keyed(KEY), flawed)[0].status == 422
    folder = next((tmp_path / "tmp").glob("ree-metrics-*"))
    all_three = {file.name for file in folder.glob("counter_*")}
    os.kill(workers(service)[0], signal.SIGKILL)
    service.lines("Booting worker", 4)
    until(lambda: ask(service.port, "/health")[0].status == 200, "answered")
    assert counted() == 40
    for number in range(40):
        assert ask(service.port, "/model", keyed(KEY))[0].status == 200
        assert counted() == 41 + number
    text = ask(apart, "/metrics")[1]
    assert total(text, "ree_http_requests_in_flight") == 1
    assert total(text, "ree_client_requests_total", client="web") == 120
    assert total(text, "ree_properties_refused_total", code="missing:several") == 40
    assert total(text, "ree_batch_size_count") == 40
    assert total(text, "ree_storage_requests_total", operation="get", outcome="ok") > 3
    assert total(text, "ree_model_ready") == 1, "of the process that answers"
    every = documented(*OF_API)
    assert all(every[name] == labels for name, labels in shown(text).items())
    assert {file.name for file in folder.glob("counter_*")} == all_three
    assert service.end() == 0
    assert [path.name for path in (tmp_path / "tmp").glob("ree-metrics-*")] == []


def test_lines_are_json_if_asked_for(start: Start) -> None:
    service = start(REE_LOG_FORMAT="json")
    assert ask(service.port, "/health", {"X-Request-Id": "r1"})[0].status == 200
    service.lines('"request_id": "r1"', 1)
    assert service.end() == 0
    lines = [json.loads(line) for _, line in service.log]
    assert {"event", "level", "logger", "timestamp"} <= set.intersection(*map(set, lines))
    [request] = [line for line in lines if line["event"] == "request"]
    assert (request["route"], request["status"]) == ("/health", 200)
    assert any(line["event"].startswith("Listening at") for line in lines)


def test_the_metrics_port_is_not_the_api_s(tmp_path: Path) -> None:
    container, port = Container(), free_port()
    settings = Settings(storage_path=tmp_path, metrics_port=port)
    container.settings.override(providers.Object(settings))
    with pytest.raises(CannotListen, match=f"REE_METRICS_PORT is {port}, where the API is"):
        serve(container, "127.0.0.1", port, workers=1)
