"""Trouble on the way to the market: slowness, failing requests, connections that break."""

from collections import Counter
from collections.abc import Iterable
from random import Random
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING

from attrs import field, frozen, validators
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_STATUSES = (500, 503, 429)
_CLOSE = 0


@frozen
class Faults:
    """What goes wrong on purpose; the same seed lets the same requests fail, by their order."""

    fault_rate: float = field(default=0.0, validator=[validators.ge(0), validators.le(1)])
    """The share of requests answered by 500, 503, 429 or a closed connection."""
    latency_ms: int = field(default=0, validator=validators.ge(0))
    require_key: str | None = field(default=None, repr=False)
    seed: int = 0


class Unreliable:
    """WSGI middleware that counts the requests and lets the faulty ones fail.

    A connection to be closed is a ConnectionAbortedError, for the server to act upon.
    """

    def __init__(self, app: "WSGIApplication", faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self._random = Random(faults.seed)
        self._served: Counter[str] = Counter()
        self._lock = Lock()

    @property
    def served(self) -> Counter[str]:
        """Requests so far, failed ones too, by path."""
        with self._lock:
            return self._served.copy()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        fault = self._next(environ["PATH_INFO"])
        if self._faults.latency_ms:
            sleep(self._faults.latency_ms / 1000)
        if fault is None:
            return self._app(environ, start_response)
        if fault == _CLOSE:
            raise ConnectionAbortedError("closed on purpose")
        headers = {} if fault == 500 else {"Retry-After": "0"}
        answer = Response(
            b'{"error":"failed on purpose"}', fault, headers, mimetype="application/json"
        )
        return answer(environ, start_response)

    def _next(self, path: str) -> int | None:
        with self._lock:
            self._served[path] += 1
            fails = self._random.random() < self._faults.fault_rate
            kind = self._random.choice((*_STATUSES, _CLOSE))
        return kind if fails else None
