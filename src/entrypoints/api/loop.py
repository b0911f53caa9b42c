"""The sockets of a worker: a loop that accepts, reads and writes and never waits for a client."""

import os
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from math import inf
from select import EPOLLIN, EPOLLONESHOT, EPOLLOUT, epoll
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from struct import pack
from time import monotonic
from typing import Any

from gunicorn.http.errors import ParseException

from .body import BodyTooLarge
from .framing import Incoming, Limits
from .newcomers import keep_out, let_in
from .refusals import Count, RequestCutShort, RequestTimeout, TooManyBytes, refusal

SMALL = 64 * 1024
"""Bytes of a request that are not counted; the number of connections bounds them."""
STOP_LINGER = 2.0
"""Seconds for a client to end a connection that is done, or to use an idle one of a stopping
worker, which it may be doing already."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_RESET = pack("ii", 1, 0)
_EVENTS = 64
_SHARE = 8
"""A worker accepts one client, and one more for so many that it has."""
_COURTESY = 0.0005
"""Seconds after that in which it leaves new clients to other workers; who comes first would get all
the connections of a client that opens a few, and the others nothing to do."""
_IDLE, _READING, _BUSY, _RETURNED, _WRITING, _ENDING = range(6)


class Connection:
    """A client. While it is busy it belongs to the thread that answers, otherwise to the loop."""

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


class Loop:
    """Turned by one thread at a time. `send`, `free` and `wake` are for any."""

    def __init__(
        self, cfg: Any, limits: Limits, log: Any, wakes: tuple[int, int], count: Count
    ) -> None:
        self._cfg, self._limits, self._log, self._count_refusal = cfg, limits, log, count
        self._wake_read, self._wake_write = wakes
        self._tick = min(0.25, limits.seconds / 4)
        self._next_sweep = self._polite_until = 0.0
        self._epoll = epoll()
        self._epoll.register(self._wake_read, EPOLLIN)
        self._listeners: dict[int, tuple[Any, Any]] = {}
        self._writers: dict[Connection, None] = {}
        self._returned: deque[Connection] = deque()
        self._freed: deque[int] = deque()
        self._held = self._unread = 0
        self._accepting = self._starved = False
        self.connections: dict[int, Connection] = {}
        self.whole: deque[Connection] = deque()
        """Their requests wait for an answer."""
        self.stopped = False

    def listen(self, listeners: Iterable[Any]) -> None:
        """Accept from these; a request is told the address of its listener."""
        self._listeners = {sock.fileno(): (sock, sock.getsockname()) for sock in listeners}

    def turn(self) -> bool:
        """Wait for what happens next and do it; whether it was time for what the clock does."""
        accepting = not (
            self.stopped or self._starved or len(self.connections) >= self._cfg.worker_connections
        )
        if accepting != self._accepting:
            self._set_accepting(accepting)
        for fd, _ in self._epoll.poll(0 if self._returned else self._tick, _EVENTS):
            if connection := self.connections.get(fd):
                self._step(connection)
            elif fd in self._listeners:
                self._accept_some(*self._listeners[fd])
            elif fd == self._wake_read:
                os.read(fd, 4_096)
        for _ in range(len(self._returned)):
            self._step(self._returned.popleft())
        now = monotonic()
        if now < self._next_sweep:
            return False
        self._next_sweep = now + self._tick
        self._starved = False
        self._sweep(now)
        return True

    def stop(self) -> None:
        """Accept who is in the queue, then nobody; end idle connections soon."""
        self.stopped = True
        if self._accepting:
            self._set_accepting(False)
        for listener, server in self._listeners.values():
            listener.setblocking(False)
            keep_out(listener)
            while self._accept(listener, server):  # closing the listener would reset them
                pass
            listener.close()
        soon = monotonic() + STOP_LINGER
        for connection in self.connections.values():
            if connection.state in (_IDLE, _ENDING) or not connection.incoming.begun:
                connection.deadline = min(connection.deadline, soon)

    def close(self) -> None:
        """Whoever is left."""
        for connection in list(self.connections.values()):
            self._close(connection)
        self._epoll.close()

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
            self._log.exception("Error on a connection")
            self._close(connection)

    def _sweep(self, now: float) -> None:
        if not self.stopped:
            for listener, _ in self._listeners.values():
                let_in(listener)
        late = [found for found in self.connections.values() if found.deadline <= now]
        for connection in late:
            if connection.state == _READING and (connection.incoming.begun or not self.stopped):
                self._step(connection)  # what came while the loop was busy counts
                if connection.state == _READING and connection.fd in self.connections:
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

    def _accept_some(self, listener: Any, server: Any) -> None:
        """One, then a pause for other workers; of many clients more: they shall not wait long."""
        if monotonic() < self._polite_until:
            return
        count = len(self.connections)
        room = self._cfg.worker_connections - count
        for _ in range(min(1 + count // _SHARE, room)):
            if not self._accept(listener, server):
                break
        self._polite_until = monotonic() + _COURTESY

    def _accept(self, listener: Any, server: Any) -> bool:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionError):
            return False
        except OSError as error:  # no descriptor or memory is left; clients can wait
            self._log.warning("Cannot accept: %s", error)
            self._starved = True
            return False
        sock.setblocking(False)
        connection = Connection(sock, client, server, self._incoming(client))
        connection.deadline = monotonic() + self._limits.seconds
        self.connections[connection.fd] = connection
        self._epoll.register(connection.fd, EPOLLIN | EPOLLONESHOT)
        return True

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
            connection.state = _BUSY
            connection.deadline = inf
            self.whole.append(connection)
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

    def _linger(self, error: Exception) -> float:
        """Seconds for the client to read why; who is late has had them, when others wait."""
        full = len(self.connections) >= self._cfg.worker_connections
        if full and isinstance(error, RequestTimeout):
            return self._tick
        return max(STOP_LINGER, self._limits.seconds)

    def _refuse(self, connection: Connection, error: Exception) -> None:
        request = connection.incoming.request
        bodiless = request is not None and request.method == "HEAD"
        answer = refusal(error, self._count_refusal, bodiless=bodiless)
        self.free(connection)
        self.send(connection, answer, self._linger(error))

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
        with suppress(OSError):
            connection.sock.setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        if self.connections.pop(connection.fd, None) is None:
            return
        if connection in self._writers:
            del self._writers[connection]
            self._unread -= len(connection.outgoing)
        self.free(connection)
        connection.sock.close()  # leaves the epoll, too

    def send(self, connection: Connection, answer: bytes, closing: float) -> None:
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
            kept = self._cfg.keepalive
            connection.deadline = monotonic() + (min(kept, STOP_LINGER) if self.stopped else kept)
            connection.state = _IDLE
            self._arm(connection, EPOLLIN)

    def _end(self, connection: Connection) -> None:
        with suppress(OSError):  # the client is gone; the loop will see it
            connection.sock.shutdown(SHUT_WR)
        linger = STOP_LINGER if self.stopped else connection.closing
        connection.deadline = monotonic() + linger
        connection.state = _ENDING
        self._arm(connection, EPOLLIN)

    def _return(self, connection: Connection) -> None:
        connection.deadline = inf
        connection.state = _RETURNED
        self._returned.append(connection)
        self.wake()

    def wake(self) -> None:
        """Let the loop turn."""
        with suppress(BlockingIOError):  # full of calls already
            os.write(self._wake_write, b".")

    def _arm(self, connection: Connection, event: int) -> None:
        """Wake the loop once when something can be read or written."""
        try:
            self._epoll.modify(connection.fd, event | EPOLLONESHOT)
        except (OSError, ValueError):  # closed at the end of the grace, while a thread worked
            self._log.debug("A client is left")

    def free(self, connection: Connection) -> None:
        """Its body is not needed any more."""
        if connection.counted:
            self._freed.append(connection.counted)
            connection.counted = 0

    def _incoming(self, client: Any) -> Incoming:
        return Incoming(self._cfg, client, self._limits.body)
