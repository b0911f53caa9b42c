"""How long a server asks one to wait."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 60.0
"""Seconds; more than that is cut to it."""


def told_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds of Retry-After; a date counts from the Date of the answer itself."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return min(float(told), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT)
