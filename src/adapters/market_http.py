"""One question to the market API: time limits, further attempts, and what a refusal means."""

import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Self

import httpx2
from attrs import field, frozen
from stamina import RetryingCaller

from ..domain.errors import MarketError, MarketUnavailable
from .market_client import open_client
from .retry_after import told_wait

_log = logging.getLogger(__name__)
_ADVICE = {
    401: "check REE_API_KEY",
    403: "check REE_API_KEY",
    404: "check REE_API_BASE_URL",
    429: "it wants fewer requests, try again later",
}
_ADVICE_BY_CLASS = {
    3: "redirects are not followed, check REE_API_BASE_URL",
    4: "its contract may have changed, ask its operator",
    5: "try again later",
}


class _Unavailable(MarketUnavailable):
    """Worth another attempt, after *wait* seconds if the API told how many."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


@frozen
class Question:
    """A request; *part* says which of many, for whoever reads an error."""

    method: str
    path: str
    part: str
    params: Mapping[str, str | int] | None = None
    json: Mapping[str, object] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.part})"


@frozen(eq=False)
class MarketHttp:
    """A kept connection. The key is in its headers, never in an address or an argument."""

    origin: str
    _client: httpx2.Client = field(repr=False)
    _retrying: RetryingCaller = field(repr=False)

    @classmethod
    def connect(
        cls,
        base_url: str | None,
        api_key: str | None,
        *,
        timeout_seconds: float,
        attempts: int,
        wait_max: float,
    ) -> Self:
        """MarketError where the address, the key or the environment cannot be used."""
        client = open_client(base_url, api_key, timeout_seconds)
        retrying = RetryingCaller(
            attempts, timeout=None, wait_initial=min(0.5, wait_max), wait_max=wait_max
        )
        url = client.base_url
        return cls(f"{url.scheme}://{url.netloc.decode()}", client, retrying)

    def ask(self, question: Question) -> bytes:
        """The body of the answer; MarketError."""
        try:
            return self._retrying(_next_attempt, self._once, question)
        except _Unavailable as error:
            message = str(error)
        raise MarketUnavailable(message)

    def broken_contract(self, question: Question, reason: str) -> MarketError:
        """The error for an answer that the contract does not allow."""
        return MarketError(
            f"The market API at {self.origin} broke its contract in answer to {question}, "
            f"{reason}: check REE_API_BASE_URL, or ask its operator."
        )

    def close(self) -> None:
        self._client.close()

    def _once(self, question: Question) -> bytes:
        # Raised after the handlers: what httpx2 raises knows the request and its headers.
        error: MarketError
        status, began = None, perf_counter()
        try:
            response = self._client.request(
                question.method, question.path, params=question.params, json=question.json
            )
            status = response.status_code
            if response.is_success:
                _tell(question, "ok", status, began)
                return response.content
            error = self._refusal(question, response)
        except httpx2.DecodingError:
            error = self.broken_contract(question, "the body cannot be decompressed")
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as failure:
            error = _Unavailable(self._unreachable(str(failure) or "timed out"))
        except httpx2.TransportError as failure:
            error = _Unavailable(
                f"The market API at {self.origin} did not answer {question} "
                f"({_silence(failure)}): try again later."
            )
        except UnicodeError:  # what the resolver raises for a host that cannot be a name
            error = MarketError(self._unreachable("no such host"))
        _tell(question, _outcome(error), status, began)
        raise error

    def _refusal(self, question: Question, response: httpx2.Response) -> MarketError:
        status = response.status_code
        advice = _ADVICE.get(status) or _ADVICE_BY_CLASS.get(status // 100, "ask its operator")
        message = f"The market API at {self.origin} answered {status} to {question}: {advice}."
        if status == 429 or status >= 500:
            return _Unavailable(message, told_wait(response.headers))
        return MarketError(message)

    def _unreachable(self, reason: str) -> str:
        return (
            f"The market API at {self.origin} cannot be reached ({reason}): check REE_API_BASE_URL."
        )


def _tell(question: Question, outcome: str, status: int | None, began: float) -> None:
    """At WARNING what may be tried again: of what may not, the error itself is told."""
    level = logging.WARNING if outcome == "unavailable" else logging.DEBUG
    if _log.isEnabledFor(level):
        told = {
            "method": question.method,
            "path": question.path,
            "outcome": outcome,
            "ms": round((perf_counter() - began) * 1000, 2),
        } | ({} if status is None else {"status": status})
        _log.log(level, "market_call", extra=told)


def _outcome(error: MarketError) -> str:
    return "unavailable" if isinstance(error, MarketUnavailable) else "failed"


def _next_attempt(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds; 0 leaves the pause to the backoff."""
    return isinstance(error, _Unavailable) and (error.wait or True)


def _silence(failure: httpx2.TransportError) -> str:
    if isinstance(failure, httpx2.TimeoutException):
        return "timed out"
    if isinstance(failure, httpx2.NetworkError):
        return str(failure) or "the connection broke"
    return "the connection broke, or what answers does not speak HTTP"
