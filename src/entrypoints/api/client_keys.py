"""Who may ask, once there are client keys, and how often."""

from collections.abc import Sequence
from hmac import compare_digest
from typing import TYPE_CHECKING

from flask import Flask, g, request

from ...adapters.client_keys import ClientKey, digest_of
from ...domain.errors import ReeError
from ...domain.ports import Clock
from .exchange import Exchange
from .rate_limit import Pace, RateLimits, Taken

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

OPEN = frozenset({"/", "/health", "/ready", "/docs", "/redoc", "/openapi.json"})
"""What anybody may see."""
OPEN_BELOW = "/docs/assets/"
_BEARER = "bearer "
_LONGEST = 256
_NOBODY = ""


class NoClientKey(ReeError):
    """No key, or none of those that are let in; which of the two is not told."""

    def __init__(self) -> None:
        super().__init__(
            "Send a client key of this service, as Authorization: Bearer KEY or X-Api-Key: KEY."
        )


class TooManyRequests(ReeError):
    """A client asked more often than its key allows."""

    def __init__(self, per_minute: int, wait: int) -> None:
        super().__init__(
            f"This key allows {per_minute} requests a minute, and {Pace(per_minute).burst} at "
            f"once. Try again in {wait} s; one request may hold many properties."
        )
        self.wait = wait


def register_client_keys(
    app: Flask, keys: Sequence[ClientKey], rate: int, clock: Clock, *, also_open: frozenset[str]
) -> None:
    """Let in who has one of *keys*, *rate* times a minute where a key has no number of its own.

    Once for all processes, before the fork. *also_open* are paths that need no key either.
    """
    allowed = [rate if key.per_minute is None else key.per_minute for key in keys]
    limited = [place for place, per_minute in enumerate(allowed) if per_minute]
    limits = RateLimits([allowed[place] for place in limited])
    places = {keys[place].name: number for number, place in enumerate(limited)}
    rates = {keys[place].name: allowed[place] for place in limited}
    free = OPEN | also_open

    @app.before_request
    def _let_in() -> None:
        environ = request.environ
        path = environ["PATH_INFO"]
        if path in free or path.startswith(OPEN_BELOW) or environ["REQUEST_METHOD"] == "OPTIONS":
            return
        exchange: Exchange = g.exchange
        client = _client(environ, keys)
        if client is None:
            exchange.metrics.turned_away()
            raise NoClientKey
        exchange.client = client
        exchange.metrics.let_in(client)
        if client in places:
            taken = limits.take(places[client], int(clock.monotonic() * 1e9))
            exchange.headers += _told(rates[client], taken)
            if not taken.passes:
                exchange.metrics.held_back(client)
                raise TooManyRequests(rates[client], taken.wait)


def _client(environ: "WSGIEnvironment", keys: Sequence[ClientKey]) -> str | None:
    """Whose key was sent. Every key is compared, whatever was sent, so that time tells nothing."""
    digest = digest_of(_sent(environ))
    found = None
    for key in keys:
        if compare_digest(key.digest, digest):
            found = key.name
    return found


def _sent(environ: "WSGIEnvironment") -> str:
    """The key; no text at all, which is nobody's key, where there is none that could be one."""
    plain: str | None = environ.get("HTTP_X_API_KEY")
    given: str = environ.get("HTTP_AUTHORIZATION", "")
    bearer = given[len(_BEARER) :].strip() if given[: len(_BEARER)].lower() == _BEARER else None
    if plain is not None and bearer is not None and plain != bearer:
        return _NOBODY
    sent = bearer if plain is None else plain
    return sent if sent is not None and len(sent) <= _LONGEST else _NOBODY


def _told(per_minute: int, taken: Taken) -> list[tuple[str, str]]:
    """As in the IETF's draft "RateLimit header fields for HTTP"."""
    return [
        ("RateLimit-Policy", f'"key";q={per_minute};w=60'),
        ("RateLimit", f'"key";r={taken.left};t={taken.wait}'),
    ]
