"""Errors as problem details (RFC 9457)."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from attrs import frozen
from flask import Flask, Response, current_app, g
from werkzeug.exceptions import HTTPException

from ...adapters.strict_json import MalformedJson
from ...domain.errors import (
    BatchTooLarge,
    EmptyBatch,
    InvalidProperties,
    ModelNotReady,
    NoDriftReport,
    StorageError,
    UnknownVersion,
    UnreadableVersion,
)
from ...domain.rules import Fault
from .answers import placeless
from .body import BodyTooLarge, Busy, NotAnObject, UnsupportedBody
from .client_keys import NoClientKey, TooManyRequests
from .query import InvalidQuery

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 1_000
RETRY_AFTER = "5"
"""Seconds; a service without a model looks for one more often than that."""


@frozen
class Kind:
    """What an error is to a client."""

    status: int
    name: str
    title: str
    shown: str | None = None
    """What is said instead of the error's own message, which is not for clients."""

    @property
    def type(self) -> str:
        """The URI that tells kinds of problems apart."""
        return f"urn:ree:problem:{self.name}"


PROBLEMS: Mapping[type[Exception], Kind] = {
    MalformedJson: Kind(400, "malformed-json", "Malformed JSON"),
    NoClientKey: Kind(401, "client-key", "Client key needed"),
    NoDriftReport: Kind(404, "no-drift-report", "No drift report"),
    UnknownVersion: Kind(404, "unknown-version", "Unknown version"),
    BatchTooLarge: Kind(413, "batch-too-large", "Too many properties"),
    BodyTooLarge: Kind(413, "body-too-large", "Too many bytes"),
    UnsupportedBody: Kind(415, "unsupported-body", "Unsupported body"),
    NotAnObject: Kind(422, "not-an-object", "Not a JSON object"),
    EmptyBatch: Kind(422, "empty-batch", "Empty batch"),
    InvalidQuery: Kind(422, "invalid-query", "Invalid query"),
    InvalidProperties: Kind(422, "invalid-properties", "Invalid properties"),
    Busy: Kind(503, "busy", "Busy"),
    TooManyRequests: Kind(429, "too-many-requests", "Too many requests"),
    ModelNotReady: Kind(503, "model-not-ready", "No model"),
    UnreadableVersion: Kind(503, "unreadable-version", "Unreadable version"),
    StorageError: Kind(
        503, "storage", "Storage failed", "The model storage failed; the service's log tells why."
    ),
    Exception: Kind(
        500,
        "internal",
        "Internal error",
        "Something went wrong in the service; its log tells what, under the request id.",
    ),
}


def register_problems(app: Flask) -> None:
    """Answer every error with a problem."""
    app.register_error_handler(Exception, of_error)


def kind_of(error: Exception) -> Kind:
    """What the table has for an error, or for the nearest class that it has."""
    return next(PROBLEMS[cls] for cls in type(error).__mro__ if cls in PROBLEMS)


def of_error(error: Exception) -> Response:
    """The problem that the table makes of an error."""
    kind = kind_of(error)
    if kind.status == 500:
        structlog.get_logger().error("request_failed", exc_info=error)
    elif kind.shown:
        structlog.get_logger().warning("request_failed", reason=str(error))
    response = _problem(
        kind.type,
        kind.title,
        kind.status,
        kind.shown or placeless(str(error), current_app.extensions["ree"].settings()),
        **_errors(error),
    )
    response.headers.extend(_what_to_do(error, kind.status))
    return response


def of_http(error: HTTPException) -> Response:
    """The problem for what Flask itself refuses, as an unknown route."""
    defect = getattr(error, "original_exception", None)
    if defect is not None:
        return of_error(defect)
    response = _problem(
        "about:blank", error.name, error.code or 500, error.description or error.name
    )
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _problem(kind: str, title: str, status: int, detail: str, **more: Any) -> Response:
    body = {"type": kind, "title": title, "status": status, "detail": detail}
    body |= {"request_id": g.get("request_id")} | more
    response = current_app.make_response(body)
    response.status_code = status
    response.mimetype = MEDIA_TYPE
    return response


def _what_to_do(error: Exception, status: int) -> dict[str, str]:
    """Headers that tell a client's program."""
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.wait)}
    if isinstance(error, NoClientKey):
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": RETRY_AFTER} if status == 503 else {}


def _errors(error: Exception) -> dict[str, Any]:
    faults: Iterable[tuple[str | None, Fault]]
    if isinstance(error, InvalidProperties):
        faults = error.faults
    elif isinstance(error, InvalidQuery):
        faults = [(None, fault) for fault in error.faults]
    else:
        return {}
    listed = [
        {
            "property_id": property_id if property_id is None else property_id[:64],
            "field": fault.field,
            "code": fault.code,
            "message": fault.message,
        }
        for property_id, fault in list(faults)[:MAX_ERRORS]
    ]
    return {"errors": listed, "errors_total": len(error.faults)}
