"""Clients that speak bytes, to see what happens on the wire."""

import json
import socket
from typing import Any

from attrs import frozen

from .service import DEADLINE, HOME

SECURITY = ("X-Request-Id", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options")


@frozen
class Reply:
    """An answer, its header fields in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        """It must be one, complete, and the last answer of its connection."""
        assert self.fields["content-type"] == "application/problem+json"
        assert self.fields["connection"] == "close"
        for name in SECURITY:
            assert self.fields[name.lower()]
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        assert problem["request_id"] == self.fields["x-request-id"]
        assert {"type", "title", "detail"} <= set(problem)
        return problem


@frozen
class Wire:
    """A connection."""

    sock: socket.socket
    stream: Any

    @classmethod
    def to(cls, port: int, sent: bytes = b"") -> "Wire":
        """Connected, with something sent."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        sock.sendall(sent)
        return cls(sock, sock.makefile("rb"))

    def send(self, data: bytes) -> None:
        """All of it."""
        self.sock.sendall(data)

    def line(self) -> bytes:
        """The next."""
        found: bytes = self.stream.readline()
        return found

    def reply(self, *, bodiless: bool = False) -> Reply:
        """The next answer; EOFError if there is none, or not all of it."""
        first = self.line()
        if not first:
            raise EOFError
        fields = {}
        while (line := self.line()) != b"\r\n":
            if not line:
                raise EOFError(first)
            name, value = line.decode().strip().split(": ", 1)
            fields[name.lower()] = value
        size = 0 if bodiless else int(fields["content-length"])
        body = self.stream.read(size)
        if len(body) != size:
            raise EOFError(first)
        return Reply(int(first.split()[1]), fields, body)

    def is_ended(self) -> bool:
        """By the service, with nothing more to read."""
        return self.line() == b""

    def close(self) -> None:
        """Both."""
        self.stream.close()
        self.sock.close()


def post(body: bytes, *fields: bytes, path: bytes = b"/estimate") -> bytes:
    """A request with a length."""
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: ree", b"Content-Type: application/json"]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), *fields, b"", body])


GET = b"GET /health HTTP/1.1\r\nHost: ree\r\n\r\n"
ESTIMATE = post(json.dumps({"1": HOME}).encode())
