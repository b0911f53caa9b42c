"""Clients that are slow, on purpose or not, take nothing from the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from .service import HOME, Publisher, Service, until
from .test_wire import CHUNKED, JSON, answered
from .wire import ESTIMATE, GET, Wire

TIMEOUT = 1.5
AT_ONCE = 1.0
EACH = 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("slow")
    publisher = Publisher.of(storage_path=folder / "store")
    publisher.activate(publisher.publish(50_000))
    settings = {"REE_STORAGE_PATH": str(folder / "store"), "REE_BODY_TIMEOUT": str(TIMEOUT)}
    with Service(folder, settings, workers=1) as service:
        service.until_ready()
        service.ask("/estimate", {"1": HOME})
        yield service


@contextmanager
def connected(service: Service, *begun: bytes) -> Iterator[list[Wire]]:
    wires = [Wire.to(service.port, part) for part in begun]
    try:
        yield wires
    finally:
        for wire in wires:
            wire.close()


def is_served_at_once(service: Service) -> None:
    for path, body in (("/health", None), ("/estimate", {"1": HOME})):
        began = monotonic()
        assert service.ask(path, body)[0] == 200
        assert monotonic() - began < AT_ONCE


def test_they_are_told_in_time_and_nobody_waits_for_them(service: Service) -> None:
    """Nothing at all, headers that never end, a byte of a body, chunks; all go on dribbling."""
    drops = {
        b"": b"",
        b"G": b"",
        b"GET / HTTP/1.1\r\n": b"A: b\r\n",
        JSON + b"Content-Length: 9999\r\n\r\n{": b" ",
        CHUNKED: b"1\r\n \r\n",
    }
    began = monotonic()
    with connected(service, *[start for start in drops for _ in range(EACH)]) as wires:
        first = [wires[number * EACH] for number in range(len(drops))]

        def dribble() -> bool:
            """Until the first of each kind has been answered."""
            for wire, drop in zip(first, drops.values(), strict=True):
                if not answered([wire]):
                    wire.send(drop)
            return len(answered(first)) == len(first)

        is_served_at_once(service)
        until(dribble, "answered")
        assert monotonic() - began >= TIMEOUT
        told = [wire.reply().problem for wire in wires]
        assert {problem["title"] for problem in told} == {"Request Timeout"}
        assert all(wire.is_ended() for wire in wires)
        is_served_at_once(service)
    for problem in told:
        line = f"status=408 reason=RequestTimeout.*request_id={problem['request_id']}"
        assert len(service.lines(line, 1)) == 1


def test_a_slow_request_is_late_on_a_kept_connection_too(service: Service) -> None:
    with connected(service, GET) as [wire]:
        assert wire.reply().status == 200
        wire.send(b"G")
        began = monotonic()
        assert wire.reply().problem["status"] == 408
        assert TIMEOUT - 0.2 <= monotonic() - began < 2 * TIMEOUT + AT_ONCE


def test_who_does_not_read_is_reset_and_holds_no_thread(service: Service) -> None:
    page = b"GET /docs/assets/redoc.standalone.js HTTP/1.1\r\nHost: ree\r\n\r\n"
    with connected(service, *[page * 40] * 12) as wires:
        is_served_at_once(service)
        until(lambda: len(answered(wires)) == len(wires), "answered")
        is_served_at_once(service)
        began = monotonic()

        def gone() -> bool:
            try:
                wires[0].send(GET)
            except OSError:
                return True
            return False

        until(gone, "reset")
        assert monotonic() - began < 2 * TIMEOUT + AT_ONCE


def test_an_answer_larger_than_the_buffers_arrives_whole(service: Service) -> None:
    page = b"GET /openapi.json HTTP/1.1\r\nHost: ree\r\n\r\n"
    with connected(service, page) as [wire]:
        expected = wire.reply().body
    with connected(service, page * 300 + GET) as [wire]:
        for _ in range(300):
            assert wire.reply().body == expected
        assert wire.reply().status == 200


def test_two_hundred_connections_are_served(service: Service) -> None:
    with connected(service, *[ESTIMATE] * 200) as wires:
        for wire in wires:
            assert wire.reply().status == 200
        for wire in wires:
            wire.send(GET)
        for wire in wires:
            assert wire.reply().status == 200
