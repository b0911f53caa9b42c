"""HTTP as bytes: what is refused, and how; limits; pipelines."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest

from .service import Publisher, Service, until
from .wire import ESTIMATE, GET, Wire, post

LIMIT = 4_096 + 65_536
"""Bytes of a body with REE_MAX_BATCH=1; four times as many fit into the worker."""
JSON = b"POST /estimate HTTP/1.1\r\nHost: ree\r\nContent-Type: application/json\r\n"
CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("wire")
    publisher = Publisher.of(storage_path=folder / "store")
    publisher.activate(publisher.publish(50_000))
    settings = {
        "REE_STORAGE_PATH": str(folder / "store"),
        "REE_MAX_BATCH": "1",
        "REE_BODY_TIMEOUT": "60",
    }
    with Service(folder, settings, workers=1) as service:
        service.until_ready()
        yield service


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: ree\n\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : secret\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: secret\r\n folded\r\n\r\n", 400),
        (JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        (JSON + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (CHUNKED + b"x\r\n", 400),
        (CHUNKED + b"2;=\r\n{}\r\n0\r\n\r\n", 400),
        (CHUNKED + b"2\r\n{}\r\n0\r\nHost: secret\r\n\r\n", 400),
        (GET[:-2] + b"SCRIPT_NAME: /secret\r\n\r\n", 400),
        (b"GET /" + b"secret" * 1_000, 414),
        (b"GET / HTTP/1.1\r\nExpect: secret\r\n\r\n", 417),
        (b"GET / HTTP/1.1\r\nA: " + b"secret" * 2_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, 431),
        (JSON + b"Transfer-Encoding: secret\r\n\r\n", 400),
    ],
)
def test_what_is_malformed_gets_a_problem_and_one_line_in_the_log(
    service: Service, raw: bytes, status: int
) -> None:
    wire = Wire.to(service.port, raw)
    reply = wire.reply()
    assert (reply.status, reply.problem["status"]) == (status, status)
    assert wire.is_ended()
    wire.close()
    line = f"request_refused .*status={status} .*request_id={reply.problem['request_id']}"
    assert len(service.lines(line, 1)) == 1
    assert not service.seen("Traceback|secret|Invalid request")


def test_a_request_that_ends_too_soon_is_told_so(service: Service) -> None:
    for begun in (b"GET", JSON, JSON + b"Content-Length: 9\r\n\r\n{", CHUNKED + b"2\r\n{"):
        wire = Wire.to(service.port, begun)
        wire.sock.shutdown(socket.SHUT_WR)
        assert wire.reply().problem["detail"] == "The request ended before it was complete."
        wire.close()


def test_who_connects_and_leaves_is_no_request(service: Service) -> None:
    refused = len(service.seen("reason=RequestCutShort"))
    Wire.to(service.port).close()
    wire = Wire.to(service.port, b"nonsense\r\n\r\n")
    service.lines(wire.reply().problem["request_id"], 1)
    wire.close()
    assert len(service.seen("reason=RequestCutShort")) == refused


@pytest.mark.parametrize("size", [LIMIT + 1, 10**12])
def test_a_length_over_the_limit_is_refused_before_the_body(service: Service, size: int) -> None:
    for more in (b"", b"Expect: 100-continue\r\n"):
        wire = Wire.to(service.port, JSON + more + b"Content-Length: %d\r\n\r\n" % size)
        assert wire.reply().problem["type"] == "urn:ree:problem:body-too-large"
        wire.close()


def test_the_problem_reaches_who_sends_on_regardless(service: Service) -> None:
    body = b" " * 20_000_000
    wire = Wire.to(service.port)
    wire.send(post(body))
    assert wire.reply().problem["status"] == 413
    assert wire.is_ended()
    wire.close()


def test_chunks_are_cut_at_the_limit_and_a_full_body_is_read(service: Service) -> None:
    full = b"%x\r\n" % LIMIT + b" " * LIMIT + b"\r\n"
    wire = Wire.to(service.port, CHUNKED + full + b"0\r\n\r\n" + post(b"{}"))
    assert wire.reply().status == 400, "read, and not JSON"
    assert wire.reply().status == 422, "and the connection goes on"
    wire.close()
    wire = Wire.to(service.port, CHUNKED + full + b"1\r\n")
    assert wire.reply().problem["status"] == 413
    wire.close()
    wire = Wire.to(service.port, post(b" " * LIMIT))
    assert wire.reply().status == 400
    wire.close()


def test_a_refusal_of_head_has_no_body(service: Service) -> None:
    wire = Wire.to(service.port, b"HEAD / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % 10**9)
    assert wire.reply(bodiless=True).status == 413
    assert wire.is_ended()
    wire.close()


def test_the_body_is_called_for_when_it_is_awaited(service: Service) -> None:
    head, _, body = ESTIMATE.partition(b"\r\n\r\n")
    wire = Wire.to(service.port, head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert (wire.line(), wire.line()) == (b"HTTP/1.1 100 Continue\r\n", b"\r\n")
    wire.send(body)
    assert wire.reply().status == 200
    wire.send(head + b"\r\nExpect: 100-continue\r\n\r\n" + body)
    assert wire.reply().status == 200, "it had come already"
    wire.close()


def test_a_pipeline_is_answered_in_order(service: Service) -> None:
    bad = b"GET /no-such-page HTTP/1.1\r\nHost: ree\r\n\r\n"
    wire = Wire.to(service.port, (GET + ESTIMATE + bad) * 100 + b"nonsense\r\n\r\n")
    for _ in range(100):
        assert b"status" in wire.reply().body
        assert b"estimated_price" in wire.reply().body
        assert wire.reply().status == 404
    assert wire.reply().problem["status"] == 400
    wire.close()


def test_the_split_of_the_bytes_changes_nothing(service: Service) -> None:
    raw = CHUNKED + b"2;a=b\r\n{}\r\n0\r\n\r\n" + GET
    for cut in range(len(raw)):
        wire = Wire.to(service.port)
        wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.send(raw[:cut])
        wire.send(raw[cut:])
        assert (wire.reply().status, wire.reply().status) == (422, 200)
        wire.close()


def test_a_connection_is_kept_until_it_is_not_wanted(service: Service) -> None:
    wire = Wire.to(service.port, GET)
    assert wire.reply().fields["connection"] == "keep-alive"
    wire.send(GET[:-2] + b"Connection: close\r\n\r\n")
    assert wire.reply().fields["connection"] == "close"
    assert wire.is_ended()
    wire.close()
    wire = Wire.to(service.port, b"GET /health HTTP/1.0\r\n\r\n")
    assert wire.reply().fields["connection"] == "close"
    assert wire.is_ended()
    wire.close()
    wire = Wire.to(service.port, GET)
    assert wire.reply().status == 200
    assert wire.is_ended(), "idle"
    wire.close()


def answered(wires: list[Wire]) -> list[Wire]:
    ready = select([wire.sock for wire in wires], [], [], 0)[0]
    return [wire for wire in wires if wire.sock in ready]


def test_bodies_together_are_bounded(service: Service) -> None:
    begun = post(b" " * LIMIT)[:-1]
    wires = [Wire.to(service.port, begun) for _ in range(8)]
    refused = until(lambda: len(found := answered(wires)) == 4 and found, "four refused")
    for wire in refused:
        reply = wire.reply()
        assert reply.problem["status"] == 503
        assert int(reply.fields["retry-after"]) > 0
    for wire in wires:
        if wire in refused:
            continue
        wire.send(b" ")
        assert wire.reply().status == 400, "read, and not JSON"
    for wire in wires:
        wire.close()
    wire = Wire.to(service.port, begun + b" ")
    assert wire.reply().status == 400, "there is room again"
    wire.close()


def test_what_is_refused_before_it_is_read_is_counted(service: Service) -> None:
    def counted() -> float:
        wire = Wire.to(service.port, b"GET /metrics HTTP/1.1\r\nHost: ree\r\n\r\n")
        text = wire.reply().body.decode()
        wire.close()
        found = re.search(r'requests_total{method="other",route="unread",status="414"} (.*)', text)
        return float(found[1]) if found else 0.0

    before = counted()
    wire = Wire.to(service.port, b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n\r\n")
    assert wire.reply().status == 414
    wire.close()
    assert counted() == before + 1
