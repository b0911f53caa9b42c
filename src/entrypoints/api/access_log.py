"""A line in the log for every request.

Made here and written at once: through structlog it would cost as much as pricing a home. Neither
bodies nor queries nor headers are logged.
"""

import re
import time
from functools import lru_cache
from urllib.parse import quote

from ..logs import info_lines
from .exchange import Exchange

_METHOD = re.compile("[A-Z]{1,20}", re.ASCII)
_SHOWN = 200


def log_request(exchange: Exchange, seconds: float) -> None:
    """What was asked and how it was answered, after *seconds*."""
    lines = info_lines()
    if lines is not None:
        environ = exchange.environ
        asked = _asked(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        make = _json if lines.as_json else _console
        lines.line(make(exchange, *asked, f"{seconds * 1000:.2f}"))


@lru_cache(maxsize=256)
def _asked(method: str, path: str) -> tuple[str, str]:
    """The method and the path, without anything that could break or forge a line."""
    shown = method if _METHOD.fullmatch(method) else "other"
    return shown, quote(path.encode("latin-1", "replace"))[:_SHOWN]


def _console(exchange: Exchange, method: str, path: str, ms: str) -> str:
    client = f" client={exchange.client}" if exchange.client else ""
    count = "" if exchange.properties is None else f" properties={exchange.properties}"
    return (
        f"{_moment()} [info     ] request method={method} path={path} status={exchange.status}"
        f" ms={ms} request_id={exchange.request_id}{client}{count} bytes={exchange.size}"
    )


def _json(exchange: Exchange, method: str, path: str, ms: str) -> str:
    """None of its texts needs to be escaped."""
    client = f', "client": "{exchange.client}"' if exchange.client else ""
    count = "" if exchange.properties is None else f', "properties": {exchange.properties}'
    return (
        f'{{"method": "{method}", "path": "{path}", "status": {exchange.status}, "ms": {ms}, '
        f'"request_id": "{exchange.request_id}"{client}{count}, "bytes": {exchange.size}, '
        f'"event": "request", "level": "info", "timestamp": "{_moment()}"}}'
    )


def _moment() -> str:
    now = time.time()
    second = int(now)
    return f"{_second(second)}.{int((now - second) * 1_000_000):06d}Z"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
