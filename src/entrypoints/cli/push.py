"""What a run took and how it ended, left at a push gateway: no scrape meets a command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING

from .commands import tell

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from ...container import Container
    from ...domain.run import Run

JOB = "ree_retrain"
FAILED = "failed"
"""The ending of a run that has none: an error ended it."""
PATIENCE = 10.0
"""Seconds for the gateway."""


@contextmanager
def pushed(container: "Container") -> Iterator[Callable[["Run"], None]]:
    """Push once what is done here is over, whatever became of it; who has a run tells it.

    A gateway that cannot be reached is a warning. Each ending is a group of its own, so that when
    it last ended well is still known after it failed.
    """
    url = container.settings().pushgateway_url
    if url is None:
        yield lambda _: None
        return
    from prometheus_client import CollectorRegistry

    from ..storage_metrics import StorageMetrics

    registry = CollectorRegistry()
    container.storage_watch().listen(StorageMetrics(registry))
    told: list[Run] = []
    ending = FAILED
    try:
        yield told.append
        ending = told[0].ending.value
    finally:
        finished = container.clock().now().timestamp()
        _figures(registry, told[0] if told else None, finished)
        _push(url, registry, ending)


def _figures(registry: "CollectorRegistry", run: "Run | None", finished: float) -> None:
    from prometheus_client import Gauge

    Gauge(
        "ree_retrain_finished_timestamp_seconds",
        "When a retrain last ended so.",
        registry=registry,
    ).set(finished)
    if run is not None and not run.reused:  # else the steps were those of another one
        steps = Gauge(
            "ree_retrain_duration_seconds",
            "Of the steps of the last retrain that ended so.",
            ["step"],
            registry=registry,
        )
        for name, seconds in run.steps.items():
            steps.labels(name).set(seconds)


def _push(url: str, registry: "CollectorRegistry", ending: str) -> None:
    """Into the place of what this ending left before, but for what there is no news of."""
    from prometheus_client import pushadd_to_gateway

    try:
        pushadd_to_gateway(url, JOB, registry, {"ending": ending}, timeout=PATIENCE)
    except (OSError, HTTPException, ValueError) as error:
        tell(
            "Warning",
            f"the figures of this run were not taken ({type(error).__name__}). "
            "Check REE_PUSHGATEWAY_URL.",
        )
