"""A TCP proxy that can spoil an answer, and what goes with it."""

import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit

from attrs import define, field

Forward = Callable[[], bytes]
Trick = Callable[[Forward], bytes | None]
"""Makes the answer from the true one, if it asks for that; None is a reset."""


def honest(forward: Forward) -> bytes:
    return forward()


def lost(forward: Forward) -> None:
    """The storage did it, and nobody is told."""
    forward()


def reset(forward: Forward) -> None:
    """The storage never hears of it."""


def cut(forward: Forward) -> bytes:
    """The body breaks off."""
    return forward()[:-5]


def status(number: int, code: str, message: str = "") -> Trick:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return lambda forward: answer(number, body)


def answer(number: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {number} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@define(eq=False)
class Proxy:
    """One request a connection. Each uses up one of the *tricks*; without any it is honest."""

    upstream: str
    tricks: deque[Trick] = field(factory=deque)
    seen: list[bytes] = field(factory=list)
    always: Trick = honest
    _listener: socket.socket = field(init=False)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def methods(self) -> list[str]:
        return [head.split(b" ", 1)[0].decode() for head in self.seen]

    def __enter__(self) -> "Proxy":
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _request(connection)
            if request is None:
                return
            self.seen.append(request)
            trick = self.tricks.popleft() if self.tricks else self.always
            reply = trick(lambda: self._forward(request))
            if reply is None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(reply)

    def _forward(self, request: bytes) -> bytes:
        parts = urlsplit(self.upstream)
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=30) as upstream:
            upstream.sendall(request)
            reply = b""
            while more := upstream.recv(65_536):
                reply += more
        return reply


def _request(connection: socket.socket) -> bytes | None:
    """Head and body. Who waits for `100 Continue` gets it from us; the last word is `close`."""
    with connection.makefile("rb") as reader:
        lines, length = [], 0
        while (line := reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            if name == b"expect":
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            elif name != b"connection":
                lines.append(line)
        if not lines:
            return None
        return b"".join([*lines, b"Connection: close\r\n\r\n", reader.read(length)])
