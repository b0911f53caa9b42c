"""Who may ask, once there are client keys, and how often."""

from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import TYPE_CHECKING

from attrs import frozen

from ...adapters.client_keys import ClientKey, digest_of
from ...domain.errors import ReeError
from ...domain.ports import Clock
from .exchange import Exchange
from .rate_limit import Pace, RateLimits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

OPEN = frozenset({"/", "/health", "/ready", "/docs", "/redoc", "/openapi.json"})
"""What anybody may see."""
OPEN_BELOW = ("/docs/assets/", "/assets/")
_SCHEME = "bearer"
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

    def __init__(self, pace: Pace, wait: int) -> None:
        super().__init__(
            f"This key allows {pace.per_minute} requests a minute, {pace.burst} at once. Try "
            f"again in {wait} s; a request may hold many properties."
        )
        self.wait = wait


@frozen
class _Client:
    """A key, and the place of its pace among those that are limited, if it is."""

    key: ClientKey
    place: int | None
    policy: tuple[str, str]
    """A header, as in the IETF's draft "RateLimit header fields for HTTP"."""


def client_gate(
    keys: Sequence[ClientKey], rate: int, clock: Clock, *, also_open: frozenset[str] = frozenset()
) -> Callable[[Exchange], Exception | None]:
    """Let in who has one of *keys*, *rate* times a minute where a key has no number of its own.

    Made once for all processes, before the fork. *also_open* are paths that need no key either.
    NoClientKey, TooManyRequests.
    """
    clients, limits = _clients(keys, rate)
    free = OPEN | also_open

    def check(exchange: Exchange) -> Exception | None:
        environ = exchange.environ
        path: str = environ["PATH_INFO"]
        if path in free or path.startswith(OPEN_BELOW) or environ["REQUEST_METHOD"] == "OPTIONS":
            return None
        client = _client(environ, clients)
        if client is None:
            exchange.metrics.turned_away()
            return NoClientKey()
        exchange.client = client.key.name
        exchange.metrics.let_in(client.key.name)
        if client.place is not None:
            taken = limits.take(client.place, int(clock.monotonic() * 1e9))
            wait = f";t={taken.wait}" if taken.wait else ""
            left = ("RateLimit", f'"key";r={taken.left}{wait}')
            exchange.headers += (client.policy, left)
            if not taken.passes:
                exchange.metrics.held_back(client.key.name)
                return TooManyRequests(limits.paces[client.place], taken.wait)
        return None

    return check


def _clients(keys: Sequence[ClientKey], rate: int) -> tuple[list[_Client], RateLimits]:
    clients: list[_Client] = []
    limited: list[int] = []
    for key in keys:
        allowed = rate if key.per_minute is None else key.per_minute
        policy = ("RateLimit-Policy", f'"key";q={allowed};w=60')
        clients.append(_Client(key, len(limited) if allowed else None, policy))
        limited += [allowed] if allowed else []
    return clients, RateLimits(limited)


def _client(environ: "WSGIEnvironment", clients: Sequence[_Client]) -> _Client | None:
    """Whose key was sent. Every key is compared, whatever was sent, so that time tells nothing."""
    digest = digest_of(_sent(environ))
    found = None
    for client in clients:
        if compare_digest(client.key.digest, digest):
            found = client
    return found


def _sent(environ: "WSGIEnvironment") -> str:
    """The key; no text at all, which is nobody's key, where there is none that could be one."""
    keys = set()
    if "HTTP_X_API_KEY" in environ:
        keys.add(environ["HTTP_X_API_KEY"])
    if "HTTP_AUTHORIZATION" in environ:
        scheme, _, key = environ["HTTP_AUTHORIZATION"].partition(" ")
        keys.add(key.strip() if scheme.lower() == _SCHEME else _NOBODY)
    sent: str = keys.pop() if len(keys) == 1 else _NOBODY
    return sent if len(sent) <= _LONGEST else _NOBODY
