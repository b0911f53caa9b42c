"""That what alerts and panels ask for is there: documented, and shown by a service that runs."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from attrs import evolve

from ree.domain.coverage import Coverage
from ree.domain.drift import DriftReport, DriftVerdict, FeatureDrift
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.track_record import TrackedMonth
from ree.domain.turnover import Period

from ..integration.service import HOME, Publisher, Service, until
from ..metric_tables import OF_API, OF_PUSH, OF_WORKER, documented, shown
from .shipped import RECORDED, all_used

GIVEN = {"job", "instance", "le"}
"""Labels that Prometheus or the kind of metric brings."""
NOT_YET = {
    "ree_client_requests_total",
    "ree_client_rate_limited_total",
    "ree_model_data_age_seconds",
    "ree_retrain_timestamp_seconds",
}
"""Without client keys, sales that the version was trained on, and a retrain there is none."""
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
THEN = datetime(2026, 2, 1, 3, 30, tzinfo=UTC)

Labels = dict[str, set[str]]


def asked_for() -> Labels:
    """The labels that expressions say of each of ree's metrics."""
    found: Labels = defaultdict(set)
    for each in all_used():
        if each.metric.startswith("ree_"):
            found[each.family] |= each.labels - GIVEN
    return found


def missing(wanted: Labels, there: Labels) -> list[str]:
    return [
        f"{name}{sorted(labels)}"
        for name, labels in sorted(wanted.items())
        if name not in there or not labels <= there[name]
    ]


def test_what_is_asked_for_is_documented() -> None:
    every = documented(*{*OF_API, *OF_WORKER, *OF_PUSH})
    assert len(asked_for()) > 30
    assert missing(asked_for(), every) == []


def test_what_is_recorded_is_asked_for() -> None:
    assert set(RECORDED) <= {each.metric for each in all_used()}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Of a version that drifted, whose track record has a month."""
    publisher = Publisher.of(storage_path=tmp_path / "store")
    version = publisher.publish(50_000)
    publisher.activate(version)
    feature = FeatureDrift("usable_area", DriftVerdict.DRIFTED, 900, 400, 0.4, 0.3)
    drifted = DriftVerdict.DRIFTED
    report = DriftReport(version, None, JANUARY, "0" * 64, THEN, drifted, 100, (feature,))
    publisher.container.drift_log().record(report)
    covered = Coverage(100, 0.9, 0.88, 0.8, 0.94, 0.4)
    metrics = Metrics(100, 4e5, 5e5, 0.1, 0.08, 0.09, 9e5, 0.6, 0.9, coverage=(covered,))
    evaluation = Evaluation(metrics, {"leilighet": evolve(metrics, n=60)})
    month = TrackedMonth(version, date(2025, 12, 31), JANUARY, "0" * 64, THEN, evaluation, {})
    publisher.container.track_log().record(month)
    with Service(tmp_path, {"REE_STORAGE_PATH": str(tmp_path / "store")}, workers=1) as running:
        running.until_ready()
        yield running


def scraped(service: Service) -> str:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_the_service_shows_what_is_asked_of_it(service: Service) -> None:
    assert service.ask("/estimate", {"1": HOME})[0] == 200
    assert service.ask("/estimate", {"1": {}})[0] == 422
    of_service = documented(*OF_API)
    wanted = {
        name: labels
        for name, labels in asked_for().items()
        if name in of_service and name not in NOT_YET
    }
    until(lambda: "ree_track_record_sales{" in scraped(service), "read")
    assert missing(wanted, shown(scraped(service))) == []
