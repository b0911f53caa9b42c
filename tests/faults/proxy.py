"""An HTTP/1.1 proxy in front of the object store that breaks one thing, and notes what it saw.

It hands on method, target, headers and body as they came, so that signatures stay valid.
"""

import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from http.client import HTTPConnection, HTTPException
from threading import Lock, Thread
from typing import BinaryIO

from attrs import define, field, frozen

PATIENCE = 30.0
"""Seconds after which something that has to happen is taken for hanging."""
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Kind(Enum):
    """What is done to a request."""

    KILL_BEFORE = "killed before the request was sent"
    KILL_AFTER = "killed after the request was done"
    KILL_LATE = "killed, and the request arrives after the rerun"
    RESET = "connection reset"
    LOST = "answer lost"
    DELAYED = "answer held until the client gave up"
    LATE = "request overtaken by its own retry"
    TRUNCATED = "answer truncated"
    STATUS_500 = "answered 500"
    STATUS_503 = "answered 503"
    STATUS_403 = "answered 403"
    OVERTAKEN_SAME = "overtaken by the same retrain before the request"
    OVERTAKEN_OTHER = "overtaken by another retrain before the request"
    LOST_SAME = "answer lost, and overtaken by the same retrain before the retry"
    LOST_OTHER = "answer lost, and overtaken by another retrain before the retry"
    BOUNCED_BEFORE = "server killed and restarted before the request"
    BOUNCED_AFTER = "server killed and restarted after the request"
    DOWN_BEFORE = "server killed before the request, for the rest of the run"
    DOWN_AFTER = "server killed after the request, for the rest of the run"


@frozen
class Fault:
    """What is done to the request of this number (from 1), and with *forever* to all after it."""

    kind: Kind
    at: int
    forever: bool = False

    def hits(self, number: int) -> bool:
        """Whether the request of this number is concerned."""
        return number >= self.at if self.forever else number == self.at


@frozen
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def condition(self) -> str:
        """The condition that it makes, as `If-Match`, or nothing."""
        names = [name for name, _ in self.headers if name.lower() in ("if-match", "if-none-match")]
        return " ".join(names)

    def __str__(self) -> str:
        return f"{self.method} {self.target} {self.condition}".strip()


@frozen
class Answer:
    """An answer; *length* is what its head promises."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: int

    def encoded(self) -> bytes:
        """On the wire."""
        lines = [f"HTTP/1.1 {self.status} -", *(f"{name}: {value}" for name, value in self.headers)]
        if self.status not in (204, 304):
            lines.append(f"Content-Length: {self.length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


@define
class Seen:
    """One request and the status of its answer, if the store gave one."""

    request: Request
    status: int | None = None


def _nothing() -> None:
    pass


@define(eq=False)
class Run:
    """What the proxy is to do to one run, and what it saw of it."""

    fault: Fault | None = None
    meanwhile: Callable[[], None] = _nothing
    """What happens to the store in the middle of a request."""
    victim: "Future[int]" = field(factory=Future)
    seen: list[Seen] = field(factory=list)
    held: list[Request] = field(factory=list)
    fired: int = 0
    failure: BaseException | None = None

    def kill(self) -> None:
        """SIGKILL for the victim."""
        os.kill(self.victim.result(PATIENCE), signal.SIGKILL)


class Proxy:
    """Listens on a free port; what it is to do is *run*."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.run = Run()
        self._lock = Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._accept, name="fault proxy", daemon=True)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)

    def release(self) -> None:
        """Let the requests that were held reach the store now; nobody waits for the answers."""
        for request in self.run.held:
            self.run.seen.append(Seen(request, self._forward(request).status))
        self.run.held.clear()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            try:
                while request := _read(reader, connection):
                    if not self._handle(request, connection):
                        return
            except (OSError, HTTPException):
                _reset(connection)

    def _handle(self, request: Request, connection: socket.socket) -> bool:
        """Whether the connection can be used again."""
        run, seen = self.run, Seen(request)
        with self._lock:
            run.seen.append(seen)
            hit = run.fault is not None and run.fault.hits(len(run.seen))
            run.fired += hit
        try:
            if hit and run.fault is not None:
                answer = self._broken(run, run.fault.kind, seen, connection)
            else:
                answer = self._done(seen)
        except (OSError, HTTPException):
            answer = None
        except BaseException as error:
            run.failure = error
            answer = None
        if answer is None:
            _reset(connection)
            return False
        connection.sendall(answer.encoded())
        if len(answer.body) < answer.length and request.method != "HEAD":
            connection.shutdown(socket.SHUT_RDWR)
            return False
        return True

    def _broken(self, run: Run, kind: Kind, seen: Seen, connection: socket.socket) -> Answer | None:
        match kind:
            case Kind.KILL_BEFORE:
                run.kill()
            case Kind.KILL_AFTER:
                self._done(seen)
                run.kill()
            case Kind.KILL_LATE:
                run.held.append(seen.request)
                run.kill()
            case Kind.LOST:
                self._done(seen)
            case Kind.DELAYED:
                self._done(seen)
                _until_closed(connection)
            case Kind.LATE:
                run.held.append(seen.request)
                _until_closed(connection)
            case Kind.TRUNCATED:
                return _halved(self._done(seen), seen.request)
            case Kind.STATUS_500 | Kind.STATUS_503 | Kind.STATUS_403:
                return _refusal(int(kind.name[-3:]))
            case Kind.OVERTAKEN_SAME | Kind.OVERTAKEN_OTHER:
                run.meanwhile()
                return self._done(seen)
            case Kind.BOUNCED_BEFORE | Kind.DOWN_BEFORE:
                run.meanwhile()
            case Kind.BOUNCED_AFTER | Kind.DOWN_AFTER | Kind.LOST_SAME | Kind.LOST_OTHER:
                self._done(seen)
                run.meanwhile()
            case Kind.RESET:
                pass
        return None

    def _done(self, seen: Seen) -> Answer:
        answer = self._forward(seen.request)
        seen.status = answer.status
        return answer

    def _forward(self, request: Request) -> Answer:
        upstream = HTTPConnection(*self.upstream, timeout=PATIENCE)
        try:
            upstream.putrequest(
                request.method, request.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers:
                if name.lower() not in ("expect", "connection"):
                    upstream.putheader(name, value)
            upstream.putheader("Connection", "close")
            upstream.endheaders(request.body or None)
            response = upstream.getresponse()
            body = response.read()
            headers = [
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in _HOP_BY_HOP
            ]
            length = int(response.getheader("Content-Length") or 0) or len(body)
            return Answer(response.status, tuple(headers), body, length)
        finally:
            upstream.close()


def _read(reader: BinaryIO, connection: socket.socket) -> Request | None:
    """The next request; None at the end."""
    start = reader.readline().decode("latin-1").split()
    if not start:
        return None
    headers = []
    while line := reader.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    lower = {name.lower(): value for name, value in headers}
    if lower.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = reader.read(int(lower.get("content-length", 0)))
    return Request(start[0], start[1], tuple(headers), body)


def _halved(answer: Answer, request: Request) -> Answer | None:
    """All of the head and half of the body; without a body the answer is lost."""
    if not answer.body or request.method == "HEAD":
        return None
    half = answer.body[: len(answer.body) // 2]
    return Answer(answer.status, answer.headers, half, len(answer.body))


def _refusal(status: int) -> Answer:
    code = {500: "InternalError", 503: "SlowDown", 403: "AccessDenied"}[status]
    body = f"<Error><Code>{code}</Code><Message>from the fault proxy</Message></Error>".encode()
    return Answer(status, (("Content-Type", "application/xml"),), body, len(body))


def _until_closed(connection: socket.socket) -> None:
    readable, _, _ = select.select([connection], [], [], PATIENCE)
    if not readable or connection.recv(1):
        raise TimeoutError("the client did not give up")


def _reset(connection: socket.socket) -> None:
    """RST instead of FIN once it is closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
