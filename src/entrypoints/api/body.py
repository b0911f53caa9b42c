"""The body of a request, read strictly."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from ...adapters.strict_json import parse
from ...domain.errors import ReeError

BYTES_PER_PROPERTY = 4 * 1024
BYTES_BESIDES = 64 * 1024
LARGE = 256 * 1024
"""Bytes of a body which takes long to read completely."""
LARGE_AT_ONCE = 2
"""Large bodies that a process reads completely at a time: the other threads stay free."""


class UnsupportedBody(ReeError):
    """A body in a form that is not read."""


class BodyTooLarge(ReeError):
    """More bytes than a full batch needs."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes. Split the batch.")


class NotAnObject(ReeError):
    """JSON, but not an object."""

    def __init__(self) -> None:
        super().__init__("The body must be a JSON object: property id -> features.")


class Busy(ReeError):
    """Too many large bodies that need the complete path."""

    def __init__(self) -> None:
        super().__init__("Other large requests with faults are being read. Try again in a moment.")


def byte_limit(max_batch: int) -> int:
    """How many bytes a body may have."""
    return max_batch * BYTES_PER_PROPERTY + BYTES_BESIDES


def body_text(request: Request, max_batch: int) -> bytes:
    """The bytes of a JSON body; UnsupportedBody, BodyTooLarge."""
    _check_form(request)
    limit = byte_limit(max_batch)
    length = request.content_length
    if length is None:
        return _chunked(request, limit)
    if length > limit:
        raise BodyTooLarge(limit)
    text: bytes = request.environ["wsgi.input"].read(length)
    if len(text) != length:
        raise ClientDisconnected
    return text


def _chunked(request: Request, limit: int) -> bytes:
    request.max_content_length = limit + 1  # it is cut there without a word
    try:
        text = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BodyTooLarge(limit) from None
    if len(text) > limit:
        raise BodyTooLarge(limit)
    return text


def json_object(text: bytes) -> dict[str, Any]:
    """The body as a JSON object; MalformedJson, NotAnObject."""
    body = parse(text, halves=False)
    if not isinstance(body, dict):
        raise NotAnObject
    return body


@contextmanager
def complete_reading(size: int) -> Iterator[None]:
    """While a body of so many bytes is read and answered completely; Busy."""
    if size <= LARGE:
        yield
    elif _large.acquire(blocking=False):
        try:
            yield
        finally:
            _large.release()
    else:
        raise Busy


_large = BoundedSemaphore(LARGE_AT_ONCE)


def _check_form(request: Request) -> None:
    given = request.environ
    if given.get("CONTENT_TYPE") == "application/json" and "HTTP_CONTENT_ENCODING" not in given:
        return
    parameters = dict(request.mimetype_params)
    charset = parameters.pop("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset != "utf-8" or parameters:
        raise UnsupportedBody("Send JSON in UTF-8, with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise UnsupportedBody("Send the body as it is, without a Content-Encoding.")
