"""AWS's answers, by moto; it lets anybody in."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from .access import Access


@contextmanager
def aws() -> Iterator[Access]:
    """A server of its own.

    One request at a time: moto looks at a condition and writes in two steps, between which another
    thread of it may write, as the real one never lets it.
    """
    app, one = DomainDispatcherApplication(create_backend_app), Lock()

    def serial(environ: Any, start_response: Any) -> Iterable[bytes]:
        with one:
            return list(app(environ, start_response))

    server = make_server("127.0.0.1", 0, serial, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Access(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
