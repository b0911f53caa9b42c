"""What the operator's tools ask for."""

from collections.abc import Callable

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from werkzeug.exceptions import NotFound

from .exchange import Exchange

PATH = "/metrics"


def operations(registry: CollectorRegistry) -> Blueprint:
    """`/metrics`, which shows what is in *registry*."""
    routes = Blueprint("operations", __name__)

    @routes.get(PATH)
    def metrics() -> Response:
        """What is counted, in Prometheus' text format or OpenMetrics."""
        encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=media_type)

    return routes


def port_gate(port: int) -> Callable[[Exchange], Exception | None]:
    """Only the metrics on *port*, and only there.

    It is the port of the socket that was connected to, which no header changes.
    """
    text = str(port)

    def check(exchange: Exchange) -> Exception | None:
        environ = exchange.environ
        apart = environ["SERVER_PORT"] == text
        return None if apart == (environ["PATH_INFO"] == PATH) else NotFound()

    return check
