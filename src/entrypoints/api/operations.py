"""What the operator's tools ask for."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, abort, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

PATH = "/metrics"


def register_operations(app: Flask, registry: CollectorRegistry, port: int) -> None:
    """`/metrics`; on *port* alone, and nothing else there, unless *port* is 0."""
    app.register_blueprint(_operations(registry))
    if port:
        app.before_request(_apart(str(port)))


def _operations(registry: CollectorRegistry) -> Blueprint:
    operations = Blueprint("operations", __name__)

    @operations.get(PATH)
    def metrics() -> Response:
        """What is counted, in Prometheus' text format or OpenMetrics."""
        encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=media_type)

    return operations


def _apart(port: str) -> Callable[[], None]:
    """By the port of the socket that was connected to, which no header changes."""

    def check() -> None:
        environ = request.environ
        if (environ["PATH_INFO"] == PATH) != (environ["SERVER_PORT"] == port):
            abort(404)

    return check
