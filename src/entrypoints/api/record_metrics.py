"""What the records of retrains, of drift and of later sales say, as gauges."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from math import isfinite
from threading import Thread

import structlog
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...adapters.active_model import Followed
from ...domain.appraisal import COVERAGE
from ...domain.drift import DriftReport, DriftVerdict
from ...domain.errors import ReeError
from ...domain.evaluation import Metrics
from ...domain.ports import DriftLog, RunLog, TrackLog
from ...domain.run import Run, refusals_in_a_row
from ...domain.track_record import TrackedMonth

LEVELS = {DriftVerdict.STABLE: 0.0, DriftVerdict.WATCH: 1.0, DriftVerdict.DRIFTED: 2.0}
"""Where there were too few sales to tell, there is no sample."""
OVERALL, ALL = "overall", "all"


class RecordState(Collector):
    """What the process that is asked read last.

    Whatever cannot be read stays as it was, and *failed* is called.
    """

    def __init__(
        self,
        failed: Callable[[], None],
        runs: RunLog,
        drifts: DriftLog | None = None,
        tracks: TrackLog | None = None,
    ) -> None:
        self._failed = failed
        self._runs, self._drifts, self._tracks = runs, drifts, tracks
        self._known: dict[str, list[Metric]] = {}
        self._told: dict[str, str] = {}
        self._thread: Thread | None = None

    def follow(self, state: Followed) -> None:
        """Read in a thread of its own, for which no look for a newer model waits."""
        if self._thread is None or not self._thread.is_alive():
            version = state.served.loaded.version.version if state.served else None
            self._thread = Thread(
                target=self.read, args=(version,), name="ree-records", daemon=True
            )
            self._thread.start()

    def read(self, version: str | None) -> None:
        """All of them; drift is that of *version*, which is served."""
        self._take("runs", lambda: _of_runs(self._runs.runs()))
        if self._drifts is not None:
            drifts = self._drifts
            self._take("drift", lambda: _of_drift(drifts.newest(version) if version else None))
        if self._tracks is not None:
            tracks = self._tracks
            self._take("track_record", lambda: _of_track_record(tracks.months()))

    def collect(self) -> Iterator[Metric]:
        """Nothing of what there is no record of."""
        for families in [*self._known.values()]:
            yield from families

    def _take(self, what: str, read: Callable[[], Iterable[Metric]]) -> None:
        try:
            self._known[what] = [*read()]
        except Exception as error:
            self._failed()
            if self._told.get(what) != repr(error):
                self._told[what] = repr(error)
                log = structlog.get_logger().bind(records=what, reason=str(error))
                log.warning("records_not_read", exc_info=not isinstance(error, ReeError))
        else:
            self._told.pop(what, None)


def _of_runs(runs: Sequence[Run]) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "ree_gate_refusals_in_a_row",
        "Newest retrains whose model the gate refused.",
        value=refusals_in_a_row(runs),
    )
    last = {run.ending: run.finished_at for run in reversed(runs)}
    family = _by("ree_retrain_timestamp_seconds", "When a retrain last ended so.", "ending")
    for ending, moment in last.items():
        family.add_metric([ending.value], moment.timestamp())
    yield family


def _of_drift(report: DriftReport | None) -> Iterator[Metric]:
    if report is None:
        return
    verdict = _by("ree_drift_verdict", "0 stable, 1 to be watched, 2 drifted.", "feature")
    psi = _by("ree_drift_psi", "Population stability index since the training.", "feature")
    distance = _by("ree_drift_distance", "Of distributions since the training, 0 to 1.", "feature")
    for name, found in [
        (OVERALL, report.verdict),
        *((f.feature, f.verdict) for f in report.features),
    ]:
        if found in LEVELS:
            verdict.add_metric([name], LEVELS[found])
    for feature in report.features:
        _add(psi, feature.feature, feature.psi)
        _add(distance, feature.feature, feature.distance)
    yield from (verdict, psi, distance)
    for feature in report.features:
        if isfinite(feature.shift):
            yield GaugeMetricFamily(
                "ree_drift_price_level",
                "Median of price / estimate - 1 of later sales.",
                value=feature.shift,
            )
    yield GaugeMetricFamily(
        "ree_drift_checked_timestamp_seconds",
        "When drift of the version that is served was last looked for.",
        value=report.checked_at.timestamp(),
    )


def _of_track_record(months: Sequence[TrackedMonth]) -> Iterator[Metric]:
    if not months:
        return
    newest = months[0]
    by_type = {ALL: newest.evaluation.overall, **newest.evaluation.by_realestate_type}
    for name, words, figure in _TRACKED:
        family = _by(f"ree_track_record_{name}", words, "realestate_type")
        for kind, metrics in by_type.items():
            _add(family, kind, figure(metrics))
        yield family
    after = datetime.combine(newest.month.end + timedelta(days=1), time(), UTC)
    yield GaugeMetricFamily(
        "ree_track_record_month_timestamp_seconds",
        "When the newest month whose sales were compared was over (UTC).",
        value=after.timestamp(),
    )


def _covered(metrics: Metrics) -> float | None:
    found = metrics.covered(COVERAGE)
    return found.covered if found else None


_TRACKED: tuple[tuple[str, str, Callable[[Metrics], float | None]], ...] = (
    ("mdape", "Median error beside later sales, a fraction.", lambda of: of.mdape),
    ("wape", "Summed error by summed prices of later sales.", lambda of: of.wape),
    ("within_10", "Share of estimates within 10 % of later sales.", lambda of: of.within_10),
    ("within_20", "Share of estimates within 20 % of later sales.", lambda of: of.within_20),
    ("coverage_90", "Share of later sales inside the 90 % intervals.", _covered),
    ("sales", "Later sales that were compared.", lambda of: of.n),
)


def _by(name: str, words: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, labels=[label])


def _add(family: GaugeMetricFamily, label: str, value: float | None) -> None:
    """Nothing for a figure that there is not."""
    if value is not None and isfinite(value):
        family.add_metric([label], value)
