"""A line in the log for every request.

Made here and written at once: through structlog it would cost as much as pricing a home. Neither
bodies nor queries nor headers are logged, nor a path that is no route: anything can be in it.
"""

import re
import time
from functools import lru_cache

from ..logs import MODEL_VERSION, info_lines
from .exchange import Exchange

_METHOD = re.compile("[A-Z]{1,20}", re.ASCII)


def log_request(exchange: Exchange, seconds: float) -> None:
    """What was asked and how it was answered, after *seconds*."""
    lines = info_lines()
    if lines is not None:
        make = _json if lines.as_json else _console
        method = _shown(exchange.environ["REQUEST_METHOD"])
        lines.line(make(exchange, method, f"{seconds * 1000:.2f}", MODEL_VERSION.get()))


@lru_cache(maxsize=64)
def _shown(method: str) -> str:
    """The method, unless it could break or forge a line."""
    return method if _METHOD.fullmatch(method) else "other"


def _console(exchange: Exchange, method: str, ms: str, version: str | None) -> str:
    client = f" client={exchange.client}" if exchange.client else ""
    count = "" if exchange.properties is None else f" properties={exchange.properties}"
    model = f" model_version={version}" if version else ""
    return (
        f"{_moment()} [info     ] request method={method} route={exchange.route}"
        f" status={exchange.status} ms={ms}{client}{count} bytes={exchange.size}"
        f" request_id={exchange.request_id}{model}"
    )


def _json(exchange: Exchange, method: str, ms: str, version: str | None) -> str:
    """None of its texts needs to be escaped."""
    client = f', "client": "{exchange.client}"' if exchange.client else ""
    count = "" if exchange.properties is None else f', "properties": {exchange.properties}'
    model = f', "model_version": "{version}"' if version else ""
    return (
        f'{{"timestamp": "{_moment()}", "level": "info", "event": "request", '
        f'"logger": "{__name__}", "request_id": "{exchange.request_id}"{model}, '
        f'"method": "{method}", "route": "{exchange.route}", "status": {exchange.status}, '
        f'"ms": {ms}{client}{count}, "bytes": {exchange.size}}}'
    )


def _moment() -> str:
    now = time.time()
    second = int(now)
    return f"{_second(second)}.{int((now - second) * 1_000_000):06d}Z"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
