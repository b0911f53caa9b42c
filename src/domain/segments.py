"""How far the estimates of a segment can be relied on."""

from typing import Literal

from .evaluation import Metrics

Status = Literal["good", "ok", "risk"]

MIN_ROWS = 30
"""With fewer sales than these the figures are chance."""
GOOD_MDAPE = 0.10
OK_MDAPE = 0.20


def status(metrics: Metrics) -> Status:
    """By the median absolute percentage error (MdAPE), a fraction; what is not known is a risk."""
    return status_of(metrics.n, metrics.mdape)


def status_of(n: int, mdape: float) -> Status:
    """The same of an MdAPE that was measured on *n* sales."""
    if n < MIN_ROWS or not mdape <= OK_MDAPE:
        return "risk"
    return "good" if mdape <= GOOD_MDAPE else "ok"
