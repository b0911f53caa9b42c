"""What is refused before Flask sees it, as problem details (RFC 9457) in bytes."""

import json
from collections.abc import Callable, Mapping
from uuid import uuid4

import structlog
from gunicorn import SERVER
from gunicorn.http.errors import (
    ChunkMissingTerminator,
    ExpectationFailed,
    InvalidChunkExtension,
    InvalidChunkSize,
    InvalidHTTPVersion,
    InvalidRequestLine,
    InvalidRequestMethod,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.util import http_date
from werkzeug.http import HTTP_STATUS_CODES

from .every_request import HEADER
from .framing import ChunksTooSmall
from .headers import complete
from .problems import MEDIA_TYPE, PROBLEMS, RETRY_AFTER, kind_of

TURNED_DOWN = "ree.turned_down"
"""The extension of the application that is a Count."""
Count = Callable[[int], None]
"""Told the status of each refusal."""


class RequestTimeout(ParseException):
    """A request that did not come in time."""


class RequestCutShort(ParseException):
    """A client that ended before its request did."""


class TooManyBytes(ParseException):
    """More bodies at once than there is memory for."""


_LINE = (400, "The request line is malformed.")
_CHUNKS = (400, "The chunked body is malformed.")
REFUSALS: Mapping[type[Exception], tuple[int, str]] = {
    InvalidRequestLine: _LINE,
    InvalidRequestMethod: _LINE,
    InvalidHTTPVersion: _LINE,
    InvalidChunkSize: _CHUNKS,
    InvalidChunkExtension: _CHUNKS,
    ChunkMissingTerminator: _CHUNKS,
    ChunksTooSmall: (400, "The chunks are too small for what they carry. Send larger ones."),
    RequestCutShort: (400, "The request ended before it was complete."),
    ParseException: (400, "The header fields are malformed or contradict each other."),
    RequestTimeout: (408, "The request did not arrive in time. Send it again, faster."),
    LimitRequestLine: (414, "The request line is too long."),
    ExpectationFailed: (417, "Expect can only be 100-continue."),
    LimitRequestHeaders: (431, "The header fields are too many or too long."),
    UnsupportedTransferCoding: (400, "The only transfer coding is chunked."),
    TooManyBytes: (503, "Too many large bodies arrive at once. Send this one again later."),
}
"""The status and the detail of what PROBLEMS knows nothing of; the type is about:blank."""


def refusal(error: BaseException, count: Count, *, bodiless: bool = False) -> bytes:
    """The whole answer; one line is logged, which has nothing that the client sent."""
    request_id = uuid4().hex
    status, problem = _problem(error)
    count(status)
    log = structlog.get_logger().bind(status=status, request_id=request_id)
    if status == 500:
        log.error("request_failed", exc_info=error)
    else:
        log.info("request_refused", reason=type(error).__name__)
    body = json.dumps(problem | {"request_id": request_id}).encode()
    fields = [
        ("Server", SERVER),
        ("Date", http_date()),
        ("Connection", "close"),
        ("Content-Type", MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        (HEADER, request_id),
    ]
    complete(fields)
    if status == 503:
        fields.append(("Retry-After", RETRY_AFTER))
    lines = [f"HTTP/1.1 {status} {HTTP_STATUS_CODES[status]}"]
    lines += [f"{name}: {value}" for name, value in fields]
    head = "\r\n".join([*lines, "", ""]).encode()
    return head if bodiless else head + body


def _problem(error: BaseException) -> tuple[int, dict[str, str | int]]:
    for cls in type(error).__mro__:
        if cls in REFUSALS:
            status, detail = REFUSALS[cls]
            title = HTTP_STATUS_CODES[status]
            return status, _members("about:blank", title, status, detail)
    kind = kind_of(error) if isinstance(error, Exception) else PROBLEMS[Exception]
    return kind.status, _members(kind.type, kind.title, kind.status, kind.shown or str(error))


def _members(kind: str, title: str, status: int, detail: str) -> dict[str, str | int]:
    return {"type": kind, "title": title, "status": status, "detail": detail}
