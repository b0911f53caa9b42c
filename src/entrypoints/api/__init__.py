"""The HTTP API: a thin door to the use cases."""

from collections.abc import Callable
from inspect import unwrap
from typing import Any

from flask import Flask

from ...adapters.settings import Settings
from ...container import Container
from ...domain.ports import Clock
from ..logs import configure_logs
from .answers import StrictJson
from .client_keys import client_gate
from .cors import register_cors
from .documentation import document, pages
from .estimate_page import page
from .every_request import Gate, register_every_request
from .metrics import Metrics, ModelState
from .operations import PATH, operations, port_gate
from .problems import register_problems
from .record_metrics import RecordState
from .refusals import TURNED_DOWN
from .routes import routes


class Service(Flask):
    """Flask without what views that are no coroutines and answer by themselves do not need."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which is no coroutine; Flask looks each time."""
        return func

    def log_exception(self, exc_info: Any) -> None:
        """Nothing: problems are logged as they are answered, and Flask's line has the path."""

    def unwrap_views(self) -> None:
        """Call views without flask-smorest's wrappers, which only document them."""
        for endpoint, view in self.view_functions.items():
            self.view_functions[endpoint] = unwrap(view)


def create_app(container: Container | None = None) -> Flask:
    """The WSGI application; it keeps its container in `extensions["ree"]`.

    Without a container it makes one of the environment's settings, and configures the log.
    WrongSetting.
    """
    if container is None:
        container = Container()
        settings = container.settings()
        configure_logs(settings.log_level, settings.log_format, secrets=settings.secrets)
    app = Service(__name__, static_folder=None)
    app.json = StrictJson(app)
    app.url_map.merge_slashes = False
    app.extensions["ree"] = container
    container.serve_batch()  # its singletons, before there are threads
    _protect(app, container)
    register_problems(app)
    api = document(
        app,
        container.code_version().partition("+")[0],
        keys=bool(container.settings().client_keys),
    )
    api.register_blueprint(routes)
    app.unwrap_views()
    app.register_blueprint(pages)
    app.register_blueprint(page)
    return app


def _protect(app: Flask, container: Container) -> None:
    """What happens to every request, whatever it asks for."""
    settings, clock, model = container.settings(), container.clock(), container.watched_model()
    metrics = Metrics([key.name for key in settings.client_keys])
    app.extensions[TURNED_DOWN] = metrics.turned_down
    container.storage_watch().listen(metrics.storage)
    records = RecordState(
        metrics.unread, container.runs(), container.drift_log(), container.track_log()
    )
    model.watchers += [metrics.followed, records.follow]
    register_every_request(app, metrics, clock, _gates(settings, clock))
    app.register_blueprint(operations(metrics.shown(ModelState(model.state, clock), records)))
    if settings.cors_origins:
        register_cors(app, settings.cors_origins)


def _gates(settings: Settings, clock: Clock) -> list[Gate]:
    gates = []
    if settings.metrics_port:
        gates.append(port_gate(settings.metrics_port))
    if settings.client_keys:
        apart = frozenset({PATH} if settings.metrics_port else ())
        gates.append(
            client_gate(settings.client_keys, settings.client_rate, clock, also_open=apart)
        )
    return gates
