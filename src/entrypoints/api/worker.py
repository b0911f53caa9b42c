"""A gunicorn worker whose threads are given whole requests only.

So no number of slow clients can hold one. HTTP/1.1 over plain TCP, on Linux (epoll): TLS and HTTP/2
end at the ingress. Answers are made whole before they are sent; gunicorn's access log, request
hooks and PROXY protocol are not there.

One thread at a time has the loop: it turns it and answers short requests by itself, which saves
handing every request to another thread and fighting that one for the interpreter. When an answer
takes longer than PATIENCE, the loop is given to the next thread. The main thread does that, and
takes the signals.
"""

import os
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep
from types import FrameType

from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.base import Worker

from .loop import STOP_LINGER, Connection, Loop
from .refusals import Count, refusal

PATIENCE = 0.005
"""Seconds that an answer may keep the loop."""
_RESTS_AFTER = 100
"""Looks at a loop with nothing to answer, after which the main thread waits to be called."""
_COURTESY = 0.0001
"""Seconds for a thread that is away to get the interpreter: the loop lets go of it often, but for
so short that one who waits would hardly ever get it on a busy machine."""
_JOIN = 1.0


class _Answer(list[bytes]):
    """Takes what gunicorn would send."""

    sendall = list.append


class WholeRequests(Worker):
    """Takes its `Limits` from the application's attribute `limits`, and tells its `turned_down`
    the status of every refusal."""

    alive: bool

    def init_process(self) -> None:
        """After the fork, before there are signals."""
        self._bell: SimpleQueue[None] = SimpleQueue()
        super().init_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM, in the main thread."""
        super().handle_exit(sig, frame)
        self._bell.put(None)

    def run(self) -> None:
        """Serve until SIGTERM, then finish what was begun, within the graceful timeout."""
        self._count: Count = self.app.turned_down
        self._loop = Loop(self.cfg, self.app.limits, self.log, self.PIPE, self._count)
        self._loop.listen(self.sockets)
        self._max_kept = self.cfg.worker_connections - self.cfg.threads
        self._role: SimpleQueue[None] = SimpleQueue()
        self._role.put(None)
        self._lock = Lock()
        self._away = 0
        self._since: deque[float] = deque()
        self._watched = self._done = False
        self._failure: BaseException | None = None
        # One more than may answer at once, for the loop.
        threads = [Thread(target=self._work, daemon=True) for _ in range(self.cfg.threads + 1)]
        for thread in threads:
            thread.start()
        while self.alive:
            self._watch(1.0)
        self._loop.wake()
        end = monotonic() + self.cfg.graceful_timeout
        while monotonic() < end and not (self._loop.stopped and not self._loop.connections):
            self._watch(0.02)
        self._done = True
        self._loop.wake()
        for _ in threads:
            self._role.put(None)
        for thread in threads:
            thread.join(max(0.0, min(_JOIN, end + _JOIN - monotonic())))
        self._loop.close()

    # The main thread

    def _watch(self, rest: float) -> None:
        """Until there is nothing to answer, or for *rest* seconds if there was nothing."""
        try:
            self._bell.get(timeout=rest)
        except Empty:
            self._check()
            return
        idle = 0
        while idle < _RESTS_AFTER and not self._check():
            idle = 0 if self._since else idle + 1
            sleep(PATIENCE)
        self._watched = False
        if self._since:  # begun meanwhile, by a thread that thought it was watched
            self._call()

    def _check(self) -> bool:
        """Give the loop on if it is kept too long; whether the worker stops."""
        if self._failure:
            raise self._failure
        with suppress(IndexError):  # just answered
            if self._since and monotonic() - self._since[0] > PATIENCE:
                self._since.pop()
                with self._lock:
                    self._away += 1
                self._role.put(None)
        return not self.alive and self._loop.stopped and not self._loop.connections

    # The threads

    def _work(self) -> None:
        try:
            while not self._done:
                self._role.get()
                self._turn()
        except BaseException as error:
            self._failure = error
            self._bell.put(None)

    def _turn(self) -> None:
        """Until the loop is given to another thread."""
        loop = self._loop
        while not self._done:
            while loop.whole and self._away < self.cfg.threads:
                if not self._kept_through(loop.whole.popleft()):
                    return
            if not self.alive and not loop.stopped:
                loop.stop()
            if self._away:
                sleep(_COURTESY)
            if loop.turn():
                self.notify()
                self._look_for_parent()

    def _kept_through(self, connection: Connection) -> bool:
        """Answer; whether the loop was not given to another thread meanwhile."""
        self._since.append(monotonic())
        if not self._watched:
            self._call()
        self._serve(connection)
        try:
            self._since.pop()
        except IndexError:
            with self._lock:
                self._away -= 1
            if self._loop.whole:
                self._loop.wake()
            return False
        return True

    def _call(self) -> None:
        self._watched = True
        self._bell.put(None)

    def _look_for_parent(self) -> None:
        if self.alive and self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False

    def _serve(self, connection: Connection) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        answer, closing = self._answer(connection)
        self._loop.free(connection)
        self._loop.send(connection, answer, STOP_LINGER if closing else 0.0)

    def _answer(self, connection: Connection) -> tuple[bytes, bool]:
        """And whether it ends the connection."""
        try:
            connection.incoming.read_body()
            return self._respond(connection)
        except ParseException as error:
            return refusal(error, self._count), True
        except BaseException as error:  # as SystemExit: the thread lives on
            return refusal(error, self._count), True

    def _respond(self, connection: Connection) -> tuple[bytes, bool]:
        answer = _Answer()
        response, environ = wsgi.create(
            connection.incoming.request, answer, connection.client, connection.server, self.cfg
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
        return not self.cfg.keepalive or len(self._loop.connections) > self._max_kept
