"""Answers that clients may keep, if they ask each time whether they still hold."""

from hashlib import sha256

from flask import Response, request

from .headers import CACHING

_CHARACTERS = 32


def revalidated(response: Response) -> Response:
    """With an ETag of its body (strong); 304 without the body for who has it already."""
    response.set_etag(sha256(response.get_data()).hexdigest()[:_CHARACTERS])
    response.headers[CACHING] = "no-cache"
    response.make_conditional(request)
    return response
