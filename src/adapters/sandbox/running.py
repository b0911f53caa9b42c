"""Serves a market over HTTP/1.1 from a background thread."""

import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from attrs import frozen
from werkzeug.serving import BaseWSGIServer, make_server

from .connections import Connections
from .faults import Faults, Unreliable
from .market import Market
from .server import create_sandbox

_STOPPING = (signal.SIGINT, signal.SIGTERM)


@frozen
class Sandbox:
    base_url: str
    _unreliable: Unreliable

    @property
    def requests(self) -> Counter[str]:
        """How many were served so far, by path; ``requests.total()`` over all."""
        return self._unreliable.served


@contextmanager
def running(
    market: Market, *, host: str = "127.0.0.1", port: int = 0, faults: Faults | None = None
) -> Iterator[Sandbox]:
    """Port 0 is any free one; OSError when the port is taken."""
    app = create_sandbox(market, faults=faults or Faults())
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connections = Connections()
    with socket.create_server((host, port), family=family) as listener:
        server = make_server(
            host,
            listener.getsockname()[1],
            app,
            threaded=True,
            request_handler=connections.handler(),
            fd=listener.fileno(),
        )
    thread = Thread(target=server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
    thread.start()
    try:
        yield Sandbox(_url(host, server), app.extensions["sandbox"])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        connections.close()


def serve(
    market: Market, host: str, port: int, faults: Faults, announce: Callable[[str], None]
) -> None:
    """Until SIGINT or SIGTERM; *announce* gets the base URL. Only in the main thread."""
    stop = Event()

    def stopped(*_: object) -> None:
        stop.set()

    with running(market, host=host, port=port, faults=faults) as sandbox:
        before = {number: signal.signal(number, stopped) for number in _STOPPING}
        try:
            announce(sandbox.base_url)
            stop.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _url(host: str, server: BaseWSGIServer) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
