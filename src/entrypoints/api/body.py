"""The body of a request, read strictly."""

from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from ...adapters.strict_json import parse
from ...domain.errors import ReeError

BYTES_PER_PROPERTY = 4 * 1024
BYTES_BESIDES = 64 * 1024


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


def byte_limit(max_batch: int) -> int:
    """How many bytes a body may have."""
    return max_batch * BYTES_PER_PROPERTY + BYTES_BESIDES


def json_object(request: Request, max_batch: int) -> dict[str, Any]:
    """The body as a JSON object; UnsupportedBody, BodyTooLarge, MalformedJson, NotAnObject."""
    _check_form(request)
    limit = byte_limit(max_batch)
    request.max_content_length = limit + 1  # a chunked body is cut there without a word
    try:
        text = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BodyTooLarge(limit) from None
    if len(text) > limit:
        raise BodyTooLarge(limit)
    body = parse(text)
    if not isinstance(body, dict):
        raise NotAnObject
    return body


def _check_form(request: Request) -> None:
    parameters = dict(request.mimetype_params)
    charset = parameters.pop("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset != "utf-8" or parameters:
        raise UnsupportedBody("Send JSON in UTF-8, with Content-Type: application/json.")
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise UnsupportedBody("Send the body as it is, without a Content-Encoding.")
