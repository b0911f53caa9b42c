"""Bare Flask on the very server that ree has: its worker class, threads and settings of gunicorn.

python benchmarks/hello_as_ree.py APPLICATION PORT WORKERS
"""

import os
import sys
import tempfile

from dependency_injector import providers

import hello
from ree import Container, load_settings
from ree.entrypoints.api import server
from ree.entrypoints.api.refusals import TURNED_DOWN


class _NoModel:
    """In place of the model that is followed."""

    def __getattr__(self, _: str) -> object:
        return lambda *_: None


def main() -> None:
    """Serves until it is told to stop."""
    application, port, workers = sys.argv[1:]
    container = Container()
    settings = load_settings({"REE_STORAGE_PATH": tempfile.gettempdir()}, os.devnull)
    container.settings.override(providers.Object(settings))
    container.watched_model.override(providers.Object(_NoModel()))
    assert hasattr(server, "create_app"), "server.py makes its application otherwise now"
    app = getattr(hello, application)
    app.extensions[TURNED_DOWN] = lambda _: None
    server.create_app = lambda _: app
    server.serve(container, "127.0.0.1", int(port), int(workers))


if __name__ == "__main__":
    main()
