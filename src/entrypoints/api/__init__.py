"""The HTTP API: a thin door to the use cases."""

from flask import Flask

from ...container import Container
from ..logs import configure_logs
from .answers import StrictJson
from .client_keys import register_client_keys
from .cors import register_cors
from .documentation import document, pages
from .every_request import register_every_request
from .metrics import Metrics, ModelState
from .operations import PATH, register_operations
from .problems import register_problems
from .routes import routes


def create_app(container: Container | None = None) -> Flask:
    """The WSGI application; it keeps its container in `extensions["ree"]`.

    Without a container it makes one of the environment's settings, and configures the log.
    WrongSetting.
    """
    if container is None:
        container = Container()
        settings = container.settings()
        configure_logs(settings.log_level, settings.log_format)
    app = Flask(__name__, static_folder=None)
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
    app.register_blueprint(pages)
    return app


def _protect(app: Flask, container: Container) -> None:
    """What happens to every request, in this order."""
    settings, clock, model = container.settings(), container.clock(), container.watched_model()
    metrics = Metrics([key.name for key in settings.client_keys])
    model.watchers.append(metrics.followed)
    register_every_request(app, metrics, clock)
    register_operations(app, metrics.shown(ModelState(model.state, clock)), settings.metrics_port)
    if settings.cors_origins:
        register_cors(app, settings.cors_origins)
    if settings.client_keys:
        also_open = frozenset({PATH} if settings.metrics_port else ())
        register_client_keys(
            app, settings.client_keys, settings.client_rate, clock, also_open=also_open
        )
