"""An id, headers, counts and a line in the log for every request, and who is turned away.

Below Flask rather than in its hooks: there an answer's headers are a plain list, a hook costs
nothing to call, and what Flask itself does is timed, too.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from flask.ctx import _AppCtxGlobals
from werkzeug.exceptions import HTTPException

from ...domain.ports import Clock
from ..logs import MODEL_VERSION, REQUEST_ID, request_id
from .access_log import log_request
from .exchange import CURRENT, Exchange
from .headers import complete
from .metrics import Metrics
from .problems import of_error, of_http

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-Id"
_TIMED = "ree.estimate"
"""The endpoint whose answers have a Server-Timing."""

Gate = Callable[[Exchange], Exception | None]
"""Why a request is turned away, if it is."""


class Known(_AppCtxGlobals):
    """Flask's `g`, which knows the exchange, its `request_id` and its `timings`."""

    def __init__(self) -> None:
        exchange = CURRENT.get()
        if exchange is not None:
            self.exchange = exchange
            self.request_id = exchange.request_id
            self.timings = exchange.timings


def register_every_request(
    app: Flask, metrics: Metrics, clock: Clock, gates: Sequence[Gate] = ()
) -> None:
    """Wrap what the application does; who does not pass the *gates* does not get to it."""
    app.app_ctx_globals_class = Known
    whole = _wrapped(app, app.wsgi_app, metrics, clock, gates)
    app.wsgi_app = whole  # type: ignore[method-assign, assignment]


def _wrapped(
    app: Flask, inner: "WSGIApplication", metrics: Metrics, clock: Clock, gates: Sequence[Gate]
) -> "WSGIApplication":
    monotonic = clock.monotonic

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        began = monotonic()
        exchange = Exchange(environ, request_id(environ.get("HTTP_X_REQUEST_ID")), metrics)
        CURRENT.set(exchange)
        REQUEST_ID.set(exchange.request_id)

        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[..., Any]:
            exchange.status = int(status[:3])
            exchange.size = complete(headers)
            headers.append((HEADER, exchange.request_id))
            headers.extend(exchange.headers)
            request: Request | None = environ.get("werkzeug.request")  # it leaves it there
            if request is not None and request.url_rule is not None:
                exchange.route = request.url_rule.rule
                if request.url_rule.endpoint == _TIMED:
                    headers.append(_server_timing(exchange.timings, monotonic() - began))
            return start(status, headers, *error)

        metrics.enter()
        try:
            for gate in gates:
                refusal = gate(exchange)
                if refusal is not None:
                    return _turned_away(app, refusal, environ, begin)
            return inner(environ, begin)
        except Exception as error:  # a defect that Flask did not answer
            return _failed(app, error, environ, begin)
        finally:
            metrics.leave()
            seconds = monotonic() - began
            metrics.answered(exchange.route, environ["REQUEST_METHOD"], exchange.status, seconds)
            log_request(exchange, seconds)
            CURRENT.set(None)
            REQUEST_ID.set(None)
            MODEL_VERSION.set(None)

    return answer


def _turned_away(
    app: Flask, error: Exception, environ: "WSGIEnvironment", start: "StartResponse"
) -> Iterable[bytes]:
    with app.request_context(environ):
        problem = of_http(error) if isinstance(error, HTTPException) else of_error(error)
        return app.process_response(problem)(environ, start)


def _failed(
    app: Flask, error: Exception, environ: "WSGIEnvironment", start: "StartResponse"
) -> Iterable[bytes]:
    """Without the application's hooks, of which one may be what fails."""
    with app.request_context(environ):
        return of_error(error)(environ, start)


def _server_timing(timings: Iterable[tuple[str, float]], total: float) -> tuple[str, str]:
    told = [f"{name};dur={seconds * 1000:.3f}, " for name, seconds in timings]
    return "Server-Timing", f"{''.join(told)}total;dur={total * 1000:.3f}"
