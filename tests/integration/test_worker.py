"""The worker with an application that waits, fails and tells what it was given."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from ree.entrypoints.api.newcomers import keep_out, let_in

from .service import DEADLINE, until
from .test_wire import answered
from .wire import Wire

MAIN = """
import sys
from threading import Semaphore, Thread
from gunicorn.app.base import BaseApplication
from ree.entrypoints.api.framing import Limits
from ree.entrypoints.api.worker import WholeRequests

gate = Semaphore(0)
TOLD = ("SERVER_PORT", "REMOTE_ADDR", "wsgi.input_terminated", "wsgi.multithread", "CONTENT_LENGTH")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/wait":
        gate.acquire()
    elif path == "/open":
        gate.release(int(environ["QUERY_STRING"]))
    elif path == "/exit":
        sys.exit(3)
    body = repr([environ.get(name) for name in TOLD]).encode() + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

def open_on_input():
    while sys.stdin.buffer.read(1):
        gate.release()

class Server(BaseApplication):
    limits = Limits(60.0, 1_000, 4_000)

    def turned_down(self, status):
        pass

    def load_config(self):
        settings = {
            "bind": [f"fd://{fd}" for fd in sys.argv[1:]], "worker_class": WholeRequests,
            "threads": 4, "worker_connections": 8, "control_socket_disable": True,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self):
        Thread(target=open_on_input, daemon=True).start()
        return app

Server().run()
"""
Ports = tuple[int, int]


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[tuple[Ports, IO[bytes]]]:
    """One worker behind two listeners, and what lets one through for each byte."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        numbers = one.getsockname()[1], other.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, str(one.fileno()), str(other.fileno())],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path)},
            pass_fds=[one.fileno(), other.fileno()],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    with process:
        assert process.stdin is not None
        yield numbers, process.stdin
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


@pytest.fixture
def ports(gated: tuple[Ports, IO[bytes]]) -> Ports:
    return gated[0]


def get(path: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: ree\r\n\r\n"


def test_an_answer_that_takes_long_does_not_keep_the_loop(ports: Ports) -> None:
    waiting = [Wire.to(ports[0], get(b"/wait")) for _ in range(3)]
    for number in range(1, 4):
        other = Wire.to(ports[0], get(b"/open?1"))
        assert other.reply().status == 200
        other.close()
        until(lambda count=number: len(answered(waiting)) == count, "let through")
    for wire in waiting:
        assert wire.reply().status == 200
        wire.close()


def test_who_comes_while_every_thread_is_taken_waits_for_one(
    gated: tuple[Ports, IO[bytes]],
) -> None:
    (port, _), gate = gated
    wires = [Wire.to(port, get(b"/wait")) for _ in range(4)]
    wires.append(Wire.to(port, get(b"/")))
    wires.append(Wire.to(port, b"no\r\n\r\n"))
    assert wires[-1].reply().status == 400, "the loop turns"
    assert answered(wires[:-1]) in ([], [wires[4]])
    gate.write(b"....")
    gate.flush()
    for wire in wires[:-1]:
        assert wire.reply().status == 200
    for wire in wires:
        wire.close()


def test_each_listener_is_told_apart_and_the_body_is_there(ports: Ports) -> None:
    for port in ports:
        wire = Wire.to(port, b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert wire.reply().body.decode() == f"['{port}', '127.0.0.1', True, True, '2']{{}}"
        wire.close()


def test_a_thread_outlives_an_exit(ports: Ports) -> None:
    for _ in range(6):
        wire = Wire.to(ports[0], get(b"/exit"))
        assert wire.reply().problem["type"] == "urn:ree:problem:internal"
        wire.close()
    wire = Wire.to(ports[0], get(b"/"))
    assert wire.reply().status == 200
    wire.close()


def test_more_connections_than_are_taken_wait_in_the_queue(ports: Ports) -> None:
    idle = [Wire.to(ports[0], b"G") for _ in range(8)]
    first = Wire.to(ports[0], get(b"/"))
    assert not answered([first])
    for wire in idle:
        wire.close()
    assert first.reply().status == 200
    first.close()


def test_newcomers_are_kept_out_and_who_is_in_is_not_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as early:
            keep_out(listener)
            early.sendall(b"x")
            accepted, _ = listener.accept()
            assert accepted.recv(1) == b"x"
            accepted.close()
        with pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.2)
        let_in(listener)
        socket.create_connection(address, timeout=DEADLINE).close()
