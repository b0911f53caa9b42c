"""A gunicorn worker whose threads get whole requests only.

One loop accepts, reads and writes without ever waiting for one client; a request goes to a thread
once its last byte is there, and what a client does not read of its answer is the loop's again. So
no number of slow clients can hold a thread. HTTP/1.1 over plain TCP, on Linux (epoll): TLS and
HTTP/2 end at the ingress. Answers are made whole before they are sent; gunicorn's access log,
request hooks and PROXY protocol are not there.
"""

import os
from collections import deque
from contextlib import suppress
from math import inf
from queue import SimpleQueue
from select import EPOLLIN, EPOLLONESHOT, EPOLLOUT, epoll
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from struct import pack
from threading import Thread
from time import monotonic
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.base import Worker

from .body import BodyTooLarge
from .framing import Incoming, Limits
from .refusals import RequestCutShort, RequestTimeout, TooManyBytes, refusal

SMALL = 64 * 1024
"""Bytes of a request that are not counted; the number of connections bounds them."""
STOP_LINGER = 2.0
"""Seconds for a client to end a connection that is done, or to use an idle one of a stopping
worker, which it may be doing already."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_RESET = pack("ii", 1, 0)
_EVENTS = 64
_IDLE, _READING, _BUSY, _RETURNED, _WRITING, _ENDING = range(6)


class Connection:
    """A client. It belongs to a thread while it is busy, otherwise to the loop."""

    __slots__ = (
        "client",
        "closing",
        "counted",
        "deadline",
        "fd",
        "incoming",
        "outgoing",
        "server",
        "sock",
        "state",
    )

    def __init__(self, sock: socket, client: Any, server: Any, incoming: Incoming) -> None:
        self.sock, self.client, self.server, self.incoming = sock, client, server, incoming
        self.fd = sock.fileno()
        self.state = _READING
        self.deadline = inf
        self.outgoing = memoryview(b"")
        self.closing = 0.0
        """Seconds for the client to end it after this answer, if it is the last."""
        self.counted = 0


class _Answer(list[bytes]):
    """Takes what gunicorn would send."""

    sendall = list.append


class WholeRequests(Worker):
    """Takes its `Limits` from the application's attribute `limits`."""

    def init_process(self) -> None:
        """What the process needs, after the fork."""
        self._limits: Limits = self.app.limits
        self._tick = min(0.25, self._limits.seconds / 4)
        self._next_sweep = 0.0
        self._epoll = epoll()
        self._connections: dict[int, Connection] = {}
        self._writers: dict[Connection, None] = {}
        self._whole: SimpleQueue[Connection | None] = SimpleQueue()
        self._returned: deque[Connection] = deque()
        self._freed: deque[int] = deque()
        self._held = self._unread = 0
        self._accepting = self._starved = False
        self._max_kept = self.cfg.worker_connections - self.cfg.threads
        super().init_process()

    def run(self) -> None:
        """Serve until SIGTERM, then finish what was begun, within the graceful timeout."""
        self._listeners = {sock.fileno(): (sock, sock.getsockname()) for sock in self.sockets}
        threads = [Thread(target=self._work, daemon=True) for _ in range(self.cfg.threads)]
        for thread in threads:
            thread.start()
        self._epoll.register(self.PIPE[0], EPOLLIN)
        while self.alive:
            self._turn()
        self._stop_accepting()
        end = monotonic() + self.cfg.graceful_timeout
        while self._connections and monotonic() < end:
            self._turn()
        for connection in list(self._connections.values()):
            self._close(connection)
        for _ in threads:
            self._whole.put(None)
        self._epoll.close()

    # The loop

    def _turn(self) -> None:
        accepting = (
            self.alive
            and not self._starved
            and len(self._connections) < self.cfg.worker_connections
        )
        if accepting != self._accepting:
            self._set_accepting(accepting)
        for fd, _ in self._epoll.poll(self._tick, _EVENTS):
            if connection := self._connections.get(fd):
                self._step(connection)
            elif fd in self._listeners:
                self._accept(*self._listeners[fd])
            elif fd == self.PIPE[0]:
                os.read(fd, 4_096)
        while self._returned:
            self._step(self._returned.popleft())
        now = monotonic()
        if now >= self._next_sweep:
            self._sweep(now)

    def _step(self, connection: Connection) -> None:
        state = connection.state
        try:
            if state in (_IDLE, _READING):
                self._receive(connection)
            elif state == _WRITING:
                self._write(connection)
            elif state == _ENDING:
                self._drain(connection)
            elif state == _RETURNED:
                self._take_back(connection)
        except BlockingIOError:
            self._arm(connection, EPOLLOUT if state == _WRITING else EPOLLIN)
        except OSError:
            self._close(connection)
        except Exception:
            self.log.exception("Error on a connection")
            self._close(connection)

    def _sweep(self, now: float) -> None:
        """What is done by the clock."""
        self._next_sweep = now + self._tick
        self._starved = False
        self.notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False
        late = [found for found in self._connections.values() if found.deadline <= now]
        for connection in late:
            if connection.state == _READING:
                self._step(connection)  # what came while the loop was busy counts
                if connection.state == _READING and connection.fd in self._connections:
                    self._refuse(connection, RequestTimeout())
            elif connection.state == _WRITING:
                self._reset(connection)
            else:
                self._close(connection)

    def _set_accepting(self, accepting: bool) -> None:
        self._accepting = accepting
        for fd, (listener, _) in self._listeners.items():
            if accepting:
                listener.setblocking(False)
                self._epoll.register(fd, EPOLLIN)
            else:
                self._epoll.unregister(fd)

    def _accept(self, listener: Any, server: Any) -> bool:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionError):
            return False
        except OSError as error:  # no descriptor or memory is left; clients can wait
            self.log.warning("Cannot accept: %s", error)
            self._starved = True
            return False
        sock.setblocking(False)
        connection = Connection(sock, client, server, self._incoming(client))
        connection.deadline = monotonic() + self._limits.seconds
        self._connections[connection.fd] = connection
        self._epoll.register(connection.fd, EPOLLIN | EPOLLONESHOT)
        return True

    def _stop_accepting(self) -> None:
        if self._accepting:
            self._set_accepting(False)
        for listener, server in self._listeners.values():
            listener.setblocking(False)
            while self._accept(listener, server):  # closing resets those who are in the queue
                pass
            listener.close()
        soon = monotonic() + STOP_LINGER
        for connection in self._connections.values():
            if connection.state in (_IDLE, _ENDING) or not connection.incoming.begun:
                connection.deadline = min(connection.deadline, soon)

    # One connection, in the loop

    def _receive(self, connection: Connection) -> None:
        incoming = connection.incoming
        data = connection.sock.recv(incoming.wanted)
        if data:
            self._feed(connection, data)
        elif incoming.begun:
            self._refuse(connection, RequestCutShort())
        else:
            self._close(connection)

    def _feed(self, connection: Connection, data: bytes) -> None:
        incoming = connection.incoming
        try:
            whole = incoming.feed(data)
        except (ParseException, BodyTooLarge) as error:
            self._refuse(connection, error)
            return
        if incoming.held > SMALL and not self._count(connection, incoming.held):
            self._refuse(connection, TooManyBytes())
        elif whole:
            self._hand_over(connection)
        else:
            if connection.state != _READING:
                connection.state = _READING
                connection.deadline = monotonic() + self._limits.seconds
            if incoming.awaits_continue:
                incoming.awaits_continue = False
                if connection.sock.send(_CONTINUE) != len(_CONTINUE):
                    raise BrokenPipeError("a client that reads nothing")
            self._arm(connection, EPOLLIN)

    def _count(self, connection: Connection, held: int) -> bool:
        while self._freed:
            self._held -= self._freed.popleft()
        self._held += held - connection.counted
        connection.counted = held
        return self._held <= self._limits.memory

    def _hand_over(self, connection: Connection) -> None:
        connection.state = _BUSY
        connection.deadline = inf
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        self._whole.put(connection)

    def _refuse(self, connection: Connection, error: Exception) -> None:
        request = connection.incoming.request
        answer = refusal(error, bodiless=request is not None and request.method == "HEAD")
        self._free(connection)
        self._send(connection, answer, max(STOP_LINGER, self._limits.seconds))

    def _take_back(self, connection: Connection) -> None:
        """From a thread that could not send all, or with the beginning of another request."""
        connection.deadline = monotonic() + self._limits.seconds
        if connection.outgoing:
            connection.state = _WRITING
            self._writers[connection] = None
            self._unread += len(connection.outgoing)
            self._arm(connection, EPOLLOUT)
            while self._unread > self._limits.memory:
                self._reset(next(iter(self._writers)))
        else:
            connection.state = _READING
            rest, connection.incoming.rest = connection.incoming.rest, b""
            self._feed(connection, rest)

    def _write(self, connection: Connection) -> None:
        sent = connection.sock.send(connection.outgoing)
        connection.outgoing = connection.outgoing[sent:]
        self._unread -= sent
        if connection.outgoing:
            self._arm(connection, EPOLLOUT)
        else:
            del self._writers[connection]
            self._settle(connection)

    def _drain(self, connection: Connection) -> None:
        """Closing on bytes that were not read would take the answer from the client."""
        if connection.sock.recv(connection.incoming.wanted):
            self._arm(connection, EPOLLIN)
        else:
            self._close(connection)

    def _reset(self, connection: Connection) -> None:
        """Of a client that does not read; the kernel would go on trying."""
        connection.sock.setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self._connections.pop(connection.fd, None) is None:
            return
        if connection in self._writers:
            del self._writers[connection]
            self._unread -= len(connection.outgoing)
        self._free(connection)
        connection.sock.close()  # leaves the epoll, too

    # The threads

    def _work(self) -> None:
        while connection := self._whole.get():
            answer, closing = self._answer(connection)
            self._free(connection)
            self._send(connection, answer, STOP_LINGER if closing else 0.0)

    def _answer(self, connection: Connection) -> tuple[bytes, bool]:
        """And whether it ends the connection."""
        try:
            connection.incoming.read_body()
            return self._respond(connection)
        except ParseException as error:
            return refusal(error), True
        except BaseException as error:  # as SystemExit: the thread lives on
            self.log.exception("Error handling request")
            return refusal(error), True

    def _respond(self, connection: Connection) -> tuple[bytes, bool]:
        answer = _Answer()
        request = connection.incoming.request
        response, environ = wsgi.create(
            request, answer, connection.client, connection.server, self.cfg
        )
        environ["wsgi.multithread"] = True
        if self._is_last(connection):
            response.force_close()
        parts = self.wsgi(environ, response.start_response)
        try:
            for part in parts:
                response.write(part)
            response.close()
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return b"".join(answer), response.should_close()

    def _is_last(self, connection: Connection) -> bool:
        if not self.alive:
            return not connection.incoming.rest
        return not self.cfg.keepalive or len(self._connections) > self._max_kept

    # Both

    def _send(self, connection: Connection, answer: bytes, closing: float) -> None:
        """As much as the client takes at once; the loop sends what is left."""
        rest = connection.incoming.rest
        connection.incoming = self._incoming(connection.client)
        connection.incoming.rest = rest
        connection.closing = closing
        try:
            sent = connection.sock.send(answer)
        except BlockingIOError:
            sent = 0
        except OSError:
            connection.closing = STOP_LINGER
            sent = len(answer)
        if sent < len(answer):
            connection.outgoing = memoryview(answer)[sent:]
            self._return(connection)
        else:
            self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        """After an answer that was sent."""
        if connection.closing:
            self._end(connection)
        elif connection.incoming.rest:
            self._return(connection)
        else:
            kept = self.cfg.keepalive if self.alive else min(self.cfg.keepalive, STOP_LINGER)
            connection.deadline = monotonic() + kept
            connection.state = _IDLE
            self._arm(connection, EPOLLIN)

    def _end(self, connection: Connection) -> None:
        with suppress(OSError):  # the client is gone; the loop will see it
            connection.sock.shutdown(SHUT_WR)
        linger = connection.closing if self.alive else STOP_LINGER
        connection.deadline = monotonic() + linger
        connection.state = _ENDING
        self._arm(connection, EPOLLIN)

    def _return(self, connection: Connection) -> None:
        connection.deadline = inf
        connection.state = _RETURNED
        self._returned.append(connection)
        with suppress(BlockingIOError):  # full of calls already
            os.write(self.PIPE[1], b".")

    def _arm(self, connection: Connection, event: int) -> None:
        """Wake the loop once when something can be read or written."""
        try:
            self._epoll.modify(connection.fd, event | EPOLLONESHOT)
        except (OSError, ValueError):  # closed at the end of the grace, while a thread worked
            self.log.debug("A client is left")

    def _free(self, connection: Connection) -> None:
        if connection.counted:
            self._freed.append(connection.counted)
            connection.counted = 0

    def _incoming(self, client: Any) -> Incoming:
        return Incoming(self.cfg, client, self._limits.body)
