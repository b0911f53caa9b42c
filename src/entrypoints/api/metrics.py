"""What is counted, by Prometheus' conventions."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ...adapters.active_model import Followed
from ...domain.ports import Clock
from ..metric_files import counted_in_files
from ..storage_metrics import StorageMetrics
from .counted_codes import NEAR_EDGE, REFUSED, counted

METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
PATHS = frozenset({"fast", "complete"})
_BUCKETS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Metrics:
    """The instruments of one application, and what they show over all its processes."""

    def __init__(self, clients: Iterable[str] = ()) -> None:
        self._own = CollectorRegistry()
        self._in_files = counted_in_files()
        self._requests = self._counter(
            "ree_http_requests", "Requests answered.", "route", "method", "status"
        )
        self._duration = Histogram(
            "ree_http_request_duration_seconds",
            "From the request's head to its answer, without sending that.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._own,
        )
        self._in_flight = Gauge(
            "ree_http_requests_in_flight",
            "Requests being answered.",
            registry=self._own,
            multiprocess_mode="livesum",
        )
        self.enter, self.leave = self._in_flight.inc, self._in_flight.dec
        self._asked = self._counter("ree_properties_asked", "Properties asked about.")
        self._priced = self._counter("ree_properties_priced", "Properties priced.")
        self._size = Histogram(
            "ree_batch_size", "Properties a batch.", buckets=_SIZES, registry=self._own
        )
        refused = self._counter(
            "ree_properties_refused", "Properties refused, by their first fault.", "code"
        )
        self._refused = {code: refused.labels(code) for code in sorted(REFUSED)}
        near_edge = self._counter(
            "ree_estimates_near_edge",
            "Properties priced though they are unlike most that were sold.",
            "respect",
        )
        self._near_edge = {code: near_edge.labels(name) for code, name in NEAR_EDGE.items()}
        bodies = self._counter(
            "ree_bodies_decoded", "Bodies decoded, by the path that could tell.", "path"
        )
        self._bodies = {path: bodies.labels(path) for path in sorted(PATHS)}
        sent = self._counter("ree_client_requests", "Requests with a client's key.", "client")
        held = self._counter(
            "ree_client_rate_limited", "Requests refused, for the client sent too many.", "client"
        )
        self._sent = {name: sent.labels(name) for name in clients}
        self._held = {name: held.labels(name) for name in clients}
        self._unknown = self._counter(
            "ree_client_unauthorized", "Requests refused, for they had no client's key."
        )
        self._refresh_failures = self._counter(
            "ree_model_refresh_failures", "Looks for a newer version that failed."
        )
        self._unread = self._counter(
            "ree_records_read_failures",
            "Readings of the records of retrains, drift or sales since that failed.",
        )
        self.unread = self._unread.inc
        self.storage = StorageMetrics(self._own)
        self._failures = 0
        self._by_answer: dict[tuple[str, str, int], Counter] = {}
        self._by_route: dict[str, Histogram] = {}

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self._own)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; *route* is a template, never a path."""
        key = (route, method if method in METHODS else "other", status)
        counter = self._by_answer.get(key)
        if counter is None:
            counter = self._by_answer[key] = self._requests.labels(*key)
        counter.inc()
        histogram = self._by_route.get(route)
        if histogram is None:
            histogram = self._by_route[route] = self._duration.labels(route)
        histogram.observe(seconds)

    def turned_down(self, status: int) -> None:
        """Count a request that was refused before it was read."""
        self._requests.labels("unread", "other", status).inc()

    def priced(
        self,
        asked: int,
        refused: Iterable[str],
        path: str,
        warned: Iterable[Sequence[str]] = (),
    ) -> None:
        """Count a batch that is answered.

        *refused* has one code a property that is not priced, *warned* the warnings of each that is.
        """
        count = self._count(asked, refused, path)
        if asked > count:
            self._priced.inc(asked - count)
        codes = [code for own in warned for code in own]
        if codes:
            for code, times in Counts(codes).items():
                if code in self._near_edge:
                    self._near_edge[code].inc(times)

    def refused(self, asked: int, codes: Iterable[str], path: str) -> None:
        """Count a batch that is refused as a whole, with one code a property at fault."""
        self._count(asked, codes, path)

    def _count(self, asked: int, refused: Iterable[str], path: str) -> int:
        """How many are refused."""
        self._bodies[path].inc()
        self._size.observe(asked)
        self._asked.inc(asked)
        codes = [*refused]
        if codes:
            for code, times in Counts(map(counted, codes)).items():
                self._refused[code].inc(times)
        return len(codes)

    def let_in(self, client: str) -> None:
        """Count a request with a client's key."""
        self._sent[client].inc()

    def held_back(self, client: str) -> None:
        """Count a request of a client that sent too many."""
        self._held[client].inc()

    def turned_away(self) -> None:
        """Count a request without a client's key."""
        self._unknown.inc()

    def followed(self, state: Followed) -> None:
        """Count what failed since the last look; in the thread that looks."""
        if state.failures > self._failures:
            self._refresh_failures.inc(state.failures - self._failures)
            self._failures = state.failures

    def shown(self, *others: Collector) -> CollectorRegistry:
        """Every process's counts, and what *others* tell."""
        registry = CollectorRegistry()
        if self._in_files:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(self._own)
        for other in others:
            registry.register(other)
        return registry


class ModelState(Collector):
    """What is served, as the process that is asked knows it, and since when there is a service."""

    def __init__(self, state: Callable[[], Followed], clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._started = clock.now()

    def collect(self) -> Iterator[Metric]:
        """Nothing of a model where there is none."""
        yield _gauge(
            "ree_start_time_seconds", "When the service was started.", self._started.timestamp()
        )
        served = self._state().served
        ready = 0.0 if served is None else 1.0
        yield _gauge("ree_model_ready", "1 if a model is served, else 0.", ready)
        if served is None:
            return
        version = served.loaded.version
        until = version.record.trained_until
        info = GaugeMetricFamily(
            "ree_model_info",
            "The version that is served.",
            labels=["version", "type", "sequence", "trained_until"],
        )
        sequence = str(served.activation.sequence)
        kind = version.record.kind.value
        info.add_metric([version.version, kind, sequence, until.isoformat() if until else ""], 1.0)
        yield info
        now = self._clock.now()
        yield _gauge(
            "ree_model_age_seconds",
            "Since the version that is served was made.",
            (now - version.created_at).total_seconds(),
        )
        if until is not None:
            yield _gauge(
                "ree_model_data_age_seconds",
                "Since the last day of the sales that the version was trained on began (UTC).",
                (now - datetime.combine(until, time(), UTC)).total_seconds(),
            )


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
