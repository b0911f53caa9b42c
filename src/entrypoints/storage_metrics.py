"""What is counted of the object storage, by every process that has one."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from ..adapters.measured_objects import OUTCOMES
from .metric_files import COUNTING

_BUCKETS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)


class StorageMetrics:
    """A listener of a StorageWatch."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "ree_storage_requests",
            "Calls of the object storage.",
            ["operation", "outcome"],
            registry=registry,
        )
        duration = Histogram(
            "ree_storage_request_duration_seconds",
            "Of calls of the object storage, their repetitions included.",
            ["operation"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._requests = {
            (operation, outcome): requests.labels(operation, outcome)
            for operation, outcomes in OUTCOMES.items()
            for outcome in outcomes
        }
        self._duration = {operation: duration.labels(operation) for operation in OUTCOMES}

    def __call__(self, operation: str, outcome: str, seconds: float) -> None:
        """Count a call; what nobody foresaw of an operation is a failure."""
        counter = self._requests.get((operation, outcome)) or self._requests[operation, "failed"]
        with COUNTING:
            counter.inc()
            self._duration[operation].observe(seconds)
