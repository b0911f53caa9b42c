"""The command line: a thin door to the use cases. What a command needs is imported when it runs."""

import signal
import sys
from typing import Any, NoReturn

from .commands import Commands

cli = Commands(
    "ree",
    {
        "demo": "Train on a simulated market, publish, estimate three homes.",
        "retrain": "Fetch past sales, train, evaluate, gate and publish a model.",
        "estimate": "Estimate the homes of a file.",
        "models": "Look at the versions, choose the active one.",
        "runs": "Look at past retrains.",
        "track": "Compare estimates with what homes then sold for.",
        "drift": "Compare a period's sales with what the active version was trained on.",
        "keys": "Make keys: for signing versions, for clients of the API.",
        "serve": "Serve the HTTP API.",
        "sandbox": "A market API to try things on.",
    },
    help="An automated valuation model for Norwegian homes that retrains, checks and "
    "publishes itself.\n\nSettings are read from the environment (REE_...) and .env.",
)


def main() -> NoReturn:
    """What `ree` runs; being told to stop (SIGTERM) cleans up as any failure does."""
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    cli(prog_name="ree")
    raise AssertionError("a command ends the process")


def _stop(number: int, _: Any) -> NoReturn:
    sys.exit(128 + number)
