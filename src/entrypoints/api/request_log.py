"""An id for every request, a line in the log, and the headers that every answer has."""

import re
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from ...domain.ports import Clock

HEADER = "X-Request-Id"
_ID = re.compile("[A-Za-z0-9._-]{1,64}")
_SHOWN = 200
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def register_request_log(app: Flask, clock: Clock) -> None:
    """Neither bodies nor queries nor headers are logged."""

    @app.before_request
    def _begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _ID.fullmatch(given) else uuid4().hex
        g.began = clock.monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        structlog.get_logger().info(
            "request",
            method=request.method,
            path=quote(request.path)[:_SHOWN],
            status=response.status_code,
            ms=round((clock.monotonic() - g.began) * 1000, 1),
        )
        return response

    @app.teardown_request
    def _forget(_: Any) -> None:
        structlog.contextvars.unbind_contextvars("request_id")
