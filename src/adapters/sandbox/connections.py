"""HTTP/1.1 connections that are kept open between requests, and closed with their server."""

import socket
from contextlib import suppress
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from .server import LARGEST_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_DISCARDED = 50_000_000
"""Of a body that is too large to be read, this much is passed over."""


class KeepAlive(WSGIRequestHandler):
    """Answers many requests on a connection, which werkzeug's own handler does not."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(self._body(environ))
        try:
            body, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except ConnectionError:
            self.close_connection = True
            return
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"".join(body))

    def _body(self, environ: "WSGIEnvironment") -> bytes:
        """All of it, so that the next request begins where this one ends."""
        if environ.get("wsgi.input_terminated"):
            return bytes(environ["wsgi.input"].read())
        told = self.headers.get("Content-Length", "0")
        length = int(told) if told.isdecimal() else 0
        self.close_connection |= not told.isdecimal()
        if length <= LARGEST_BODY:
            return self.rfile.read(length)
        # Closing on unread bytes would reset the connection before the refusal is read.
        self.close_connection |= length > _DISCARDED
        self._discard(min(length, _DISCARDED))
        return b""

    def _discard(self, length: int) -> None:
        while length > 0 and (read := len(self.rfile.read(min(length, LARGEST_BODY)))):
            length -= read

    def log_request(self, *_: object, **__: object) -> None:
        return


class Connections:
    """Those that are open: a stopped server must not go on answering on them."""

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()

    def handler(self) -> type[WSGIRequestHandler]:
        connections = self

        class Tracked(KeepAlive):
            def setup(self) -> None:
                super().setup()
                with connections._lock:
                    connections._open.add(self.connection)

            def finish(self) -> None:
                with connections._lock:
                    connections._open.discard(self.connection)
                super().finish()

        return Tracked

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
