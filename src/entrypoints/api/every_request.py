"""An id, headers, counts and a line in the log for every request.

Below Flask rather than in its hooks: there an answer's headers are a plain list, and what Flask
itself does is timed, too.
"""

import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from ...domain.ports import Clock
from .access_log import log_request
from .exchange import Exchange
from .headers import complete
from .metrics import Metrics

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-Id"
_KEY = "ree.exchange"
_ID = re.compile("[A-Za-z0-9._-]{1,64}", re.ASCII)
_TIMED = "ree.estimate"
"""The endpoint whose answers have a Server-Timing."""


def register_every_request(app: Flask, metrics: Metrics, clock: Clock) -> None:
    """Wrap what is registered so far."""
    app.wsgi_app = _wrapped(app.wsgi_app, metrics, clock)  # type: ignore[method-assign, assignment]

    @app.before_request
    def _begin() -> None:
        exchange: Exchange = request.environ[_KEY]
        g.exchange = exchange
        g.request_id = exchange.request_id
        g.timings = exchange.timings


def _wrapped(inner: "WSGIApplication", metrics: Metrics, clock: Clock) -> "WSGIApplication":
    monotonic = clock.monotonic

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        began = monotonic()
        given: str = environ.get("HTTP_X_REQUEST_ID", "")
        exchange = Exchange(given if _ID.fullmatch(given) else os.urandom(16).hex(), metrics)
        environ[_KEY] = exchange
        clear_contextvars()
        bind_contextvars(request_id=exchange.request_id)

        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[..., Any]:
            exchange.status = int(status[:3])
            exchange.size = complete(headers)
            headers.append((HEADER, exchange.request_id))
            headers.extend(exchange.headers)
            rule = request.url_rule  # Flask's request is at hand until the answer has begun
            if rule is not None:
                exchange.route = rule.rule
                if rule.endpoint == _TIMED:
                    headers.append(_server_timing(exchange.timings, monotonic() - began))
            return start(status, headers, *error)

        metrics.enter()
        try:
            return inner(environ, begin)
        finally:
            metrics.leave()
            seconds = monotonic() - began
            method = environ["REQUEST_METHOD"]
            metrics.answered(exchange.route, method, exchange.status, seconds)
            log_request(exchange, method, environ["PATH_INFO"], seconds)
            clear_contextvars()

    return answer


def _server_timing(timings: Iterable[tuple[str, float]], total: float) -> tuple[str, str]:
    told = "".join(f"{name};dur={seconds * 1000:.3f}, " for name, seconds in timings)
    return "Server-Timing", f"{told}total;dur={total * 1000:.3f}"
