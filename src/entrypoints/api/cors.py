"""Which pages of other origins may ask from a browser: those that are listed."""

import re
from collections.abc import Sequence

from flask import Flask, Response

ASKED_WITH = ("Authorization", "Content-Type", "If-None-Match", "X-Api-Key", "X-Request-Id")
SHOWN = ("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "X-Request-Id")
_KEPT_SECONDS = 600


def register_cors(app: Flask, origins: Sequence[str]) -> None:
    """Exactly *origins*, and without cookies: a client says who it is by its key.

    They are given as patterns of themselves, since flask-cors guesses what is a pattern.
    """
    from flask_cors import CORS

    CORS(
        app,
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in origins],
        methods=["GET", "HEAD", "POST"],
        allow_headers=list(ASKED_WITH),
        expose_headers=list(SHOWN),
        max_age=_KEPT_SECONDS,
        supports_credentials=False,
        vary_header=False,  # it would leave it out for the origins that are not listed
        intercept_exceptions=False,  # Flask's hooks see the answers to those, too
    )

    @app.after_request
    def _vary(response: Response) -> Response:
        response.vary.add("Origin")
        return response
