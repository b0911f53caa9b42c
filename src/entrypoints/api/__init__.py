"""The HTTP API: a thin door to the use cases."""

from flask import Flask

from ...container import Container
from ..logs import configure_logs
from .answers import StrictJson
from .documentation import document, pages
from .problems import register_problems
from .request_log import register_request_log
from .routes import routes


def create_app(container: Container | None = None) -> Flask:
    """The WSGI application; it keeps its container in `extensions["ree"]`.

    Without a container it makes one of the environment's settings, and configures the log.
    WrongSetting.
    """
    if container is None:
        container = Container()
        configure_logs(container.settings().log_level)
    app = Flask(__name__, static_folder=None)
    app.json = StrictJson(app)
    app.url_map.merge_slashes = False
    app.extensions["ree"] = container
    container.serve_batch()  # its singletons, before there are threads
    register_request_log(app, container.clock())
    register_problems(app)
    api = document(app, container.code_version().partition("+")[0])
    api.register_blueprint(routes)
    app.register_blueprint(pages)
    return app
