"""Serving the API with gunicorn."""

import errno
import gc
import select
from importlib import import_module
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from ...container import Container
from ...domain.errors import ReeError
from ..metric_files import Places, metric_files
from . import create_app
from .body import byte_limit
from .framing import Limits
from .refusals import TURNED_DOWN

THREADS = 4


class CannotListen(ReeError):
    """The address cannot be had."""


def serve(container: Container, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM, which lets what was begun end, or SIGINT, which does not: exit with 0.

    SystemExit; CannotListen.

    On `REE_METRICS_PORT` as well, if it is set; what is answered there is the application's choice.
    """
    apart = container.settings().metrics_port
    if apart and apart == port:
        raise CannotListen(f"REE_METRICS_PORT is {port}, where the API is. Choose another port.")
    listeners = [_listen(host, each) for each in ([port, apart] if apart else [port])]
    with metric_files() as files:
        _serve(container, listeners, workers, files)


def _serve(container: Container, listeners: list[socket], workers: int, files: Places) -> None:
    options = {
        "bind": [f"fd://{listener.detach()}" for listener in listeners],
        "workers": workers,
        "threads": THREADS,
        "worker_class": _worker_class(),
        "preload_app": True,
        "control_socket_disable": True,
        "proc_name": "ree",
        "logger_class": _Logs,
        "loglevel": _loudest(container.settings().log_level).lower(),
        "pre_fork": files.before_fork,
        "post_fork": files.after_fork,
        "child_exit": files.ended,
        "post_worker_init": lambda _: container.watched_model().start(),
    }
    _Server(container, options).run()


def _listen(host: str, port: int) -> socket:
    family = AF_INET6 if ":" in host else AF_INET
    try:
        return create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Another program listens on {host}:{port}. Choose another port."
        else:
            message = f"Cannot listen on {host}:{port}: {error.strerror or error}."
        raise CannotListen(message) from None


def _loudest(level: str) -> str:
    """gunicorn's own DEBUG lines are its whole configuration and what clients do."""
    return "INFO" if level == "DEBUG" else level


def _worker_class() -> Any:
    """Where there is no epoll, for development, gunicorn's own without protection."""
    if not hasattr(select, "epoll"):
        return "gthread"
    from .worker import WholeRequests

    return WholeRequests


class _Server(BaseApplication):
    def __init__(self, container: Container, options: dict[str, Any]) -> None:
        self.container = container
        settings = container.settings()
        body = byte_limit(settings.max_batch)
        self.limits = Limits(settings.body_timeout, body, memory=THREADS * body)
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """What workers share: compiled functions, the application, and the active model."""
        import_module("ree.adapters.price_models")
        import_module("ree.adapters.tree_kernels")
        app = create_app(self.container)
        self.turned_down = app.extensions[TURNED_DOWN]
        self.container.watched_model().preload(self.container.preloading_registry())
        gc.collect()
        gc.freeze()  # else the collector writes to memory that is shared
        return app


class _Logs(Logger):
    """gunicorn's messages among ours; its access log is not needed beside our request lines."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
