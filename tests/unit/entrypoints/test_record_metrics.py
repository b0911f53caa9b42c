"""What the records of retrains, drift and later sales are shown as."""

from datetime import UTC, date, datetime, timedelta
from math import nan
from typing import Any

import pytest
from attrs import define, evolve, field
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from ree.domain.coverage import Coverage
from ree.domain.dataset import DatasetManifest
from ree.domain.drift import DriftVerdict, FeatureDrift
from ree.domain.errors import StorageError
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.funnel import Funnel
from ree.domain.run import Ending, Run
from ree.domain.track_record import TrackedMonth
from ree.domain.turnover import Period
from ree.entrypoints.api.record_metrics import RecordState

from ... import metric_tables
from ...drift_report import drift_report

MOMENT = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEW = Metrics(3, 3e5, 4e5, 0.1, 0.08, nan, 1e6, 0.6, 0.9)
MANY = evolve(FEW, n=40, mdape=0.07, wape=0.09, coverage=(Coverage(40, 0.9, 0.93, 0.8, 1, 0.4),))
MONTH = TrackedMonth(
    "v1", date(2025, 12, 31), JANUARY, "d", MOMENT, Evaluation(MANY, {"hytte": FEW}), {}
)


@define
class Log:
    """A port of records in memory, that can be told to fail."""

    kept: Any
    fails: Exception | None = None
    asked: list[str] = field(factory=list)

    def runs(self) -> Any:
        return self._read()

    def months(self) -> Any:
        return self._read()

    def newest(self, version: str) -> Any:
        self.asked.append(version)
        return self._read().get(version)

    def _read(self) -> Any:
        if self.fails:
            raise self.fails
        return self.kept


def run(ending: Ending, days: int) -> Run:
    manifest = DatasetManifest("d", JANUARY, "d", Funnel(()), 0, 0, ())
    moment = MOMENT + timedelta(days=days)
    return Run("r", "k", "me", moment, moment, {}, manifest, ending, model_version="v")


REPORT = drift_report(
    version="v1",
    checked_at=MOMENT,
    verdict=DriftVerdict.WATCH,
    features=(
        FeatureDrift("price", DriftVerdict.DRIFTED, 900, 90, 0.3, 0.2),
        FeatureDrift("rooms", DriftVerdict.TOO_FEW, 900, 0, nan, nan),
        FeatureDrift("lat", DriftVerdict.STABLE, 900, 90, 0.01, 0.02),
        FeatureDrift("price_level", DriftVerdict.WATCH, 900, 90, shift=-0.06),
    ),
)


@pytest.fixture
def logs() -> dict[str, Any]:
    runs = [run(Ending.REFUSED, 3), run(Ending.REFUSED, 2), run(Ending.ACTIVATED, 1)]
    return {
        "runs": Log([*runs, run(Ending.REFUSED, 0)]),
        "drifts": Log({"v1": REPORT}),
        "tracks": Log([MONTH, evolve(MONTH, version="v0", evaluation=Evaluation(FEW))]),
    }


@pytest.fixture
def failures() -> list[int]:
    return []


@pytest.fixture
def state(logs: dict[str, Any], failures: list[int]) -> RecordState:
    return RecordState(lambda: failures.append(1), **logs)


def shown(state: RecordState) -> dict[str, float]:
    """By name and the value of the label."""
    registry = CollectorRegistry()
    registry.register(state)
    return {
        " ".join([sample.name.removeprefix("ree_"), *sample.labels.values()]): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


AFTER_JANUARY = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
RUNS = {
    "gate_refusals_in_a_row": 2,
    "retrain_timestamp_seconds refused": (MOMENT + timedelta(days=3)).timestamp(),
    "retrain_timestamp_seconds activated": (MOMENT + timedelta(days=1)).timestamp(),
}
DRIFT = {
    "drift_verdict overall": 1,
    "drift_verdict price": 2,
    "drift_verdict lat": 0,
    "drift_verdict price_level": 1,
    "drift_price_level": -0.06,
    "drift_psi price": 0.3,
    "drift_psi lat": 0.01,
    "drift_distance price": 0.2,
    "drift_distance lat": 0.02,
    "drift_checked_timestamp_seconds": MOMENT.timestamp(),
}
TRACK = {
    "track_record_mdape all": 0.07,
    "track_record_mdape hytte": 0.08,
    "track_record_wape all": 0.09,
    "track_record_within_10 all": 0.6,
    "track_record_within_10 hytte": 0.6,
    "track_record_within_20 all": 0.9,
    "track_record_within_20 hytte": 0.9,
    "track_record_coverage_90 all": 0.93,
    "track_record_sales all": 40,
    "track_record_sales hytte": 3,
    "track_record_month_timestamp_seconds": AFTER_JANUARY,
}


def test_records_are_shown_and_what_is_not_known_is_not(state: RecordState) -> None:
    assert shown(state) == {}
    state.read("v1")
    assert shown(state) == RUNS | DRIFT | TRACK


def test_all_of_it_is_documented(state: RecordState) -> None:
    state.read("v1")
    registry = CollectorRegistry()
    registry.register(state)
    text = generate_latest(registry).decode()
    found = metric_tables.shown(text) | {"ree_records_read_failures_total": set()}
    assert found == metric_tables.documented("What it reads of records")
    metric_tables.check_with_promtool(text)


def test_drift_is_that_of_the_version_that_is_served(
    state: RecordState, logs: dict[str, Any]
) -> None:
    state.read("v1")
    state.read("v2")
    assert shown(state) == RUNS | TRACK
    state.read(None)
    assert logs["drifts"].asked == ["v1", "v2"]


def test_nothing_is_shown_of_no_record(logs: dict[str, Any], failures: list[int]) -> None:
    logs["runs"].kept = logs["tracks"].kept = []
    state = RecordState(lambda: failures.append(1), **logs)
    state.read(None)
    assert shown(state) == {"gate_refusals_in_a_row": 0}
    assert failures == []


@pytest.mark.parametrize(
    ("failing", "kept"), [("runs", RUNS), ("drifts", DRIFT), ("tracks", TRACK)]
)
def test_what_cannot_be_read_stays_as_it_was(
    state: RecordState,
    logs: dict[str, Any],
    failures: list[int],
    failing: str,
    kept: dict[str, float],
) -> None:
    state.read("v1")
    for log in logs.values():
        log.kept = type(log.kept)()
    logs[failing].fails = StorageError("it is away")
    with capture_logs() as lines:
        for _ in range(2):
            state.read("v1")
    assert shown(state) == {"gate_refusals_in_a_row": 0} | kept
    assert len(failures) == 2
    assert [line["reason"] for line in lines] == ["it is away"], "told once"
    logs[failing].fails = None
    state.read("v1")
    assert shown(state) == {"gate_refusals_in_a_row": 0}
    assert len(failures) == 2
