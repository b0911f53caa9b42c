"""That what alerts and panels ask for is there: documented, and really exposed."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from ree.domain.coverage import Coverage
from ree.domain.drift import DriftReport, DriftVerdict, FeatureDrift
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.track_record import TrackedMonth
from ree.domain.turnover import Period

from ..integration.service import HOME, Publisher, Service, environment, until
from .shipped import RECORDED, ROOT, all_used

TABLE = ROOT / "docs" / "monitoring.md"
ROW = re.compile(r"^\| `(ree_\w+)` \| ([^|]*) \|", re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
GIVEN = {"job", "instance", "le"}
"""Labels that Prometheus or the kind of metric brings."""
WITHOUT_A_REQUEST = {"ree_client_requests_total", "ree_client_rate_limited_total"}
"""Which have a sample once there are client keys."""
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))

Labels = dict[str, set[str]]


def documented() -> dict[str, Labels]:
    """The labels of each metric, by the section of docs/monitoring.md."""
    parts = HEADING.split(TABLE.read_text())[1:]
    return {
        title: {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in ROW.findall(text)}
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def asked_for() -> Labels:
    """The labels that expressions say of each of ree's metrics."""
    found: Labels = defaultdict(set)
    for each in all_used():
        if each.metric not in RECORDED and each.metric.startswith("ree"):
            found[each.family] |= each.labels - GIVEN
    return found


def exposed(text: str) -> Labels:
    """The labels of each family that has a sample."""
    found: Labels = {}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        if family.samples:
            found[name] = {label for sample in family.samples for label in sample.labels}
    return found


def scraped(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def missing(wanted: Labels, there: Labels) -> list[str]:
    return [
        f"{name}{sorted(labels)}"
        for name, labels in sorted(wanted.items())
        if not labels <= there.get(name, {"absent"})
    ]


def test_what_is_asked_for_is_documented() -> None:
    assert len(asked_for()) > 30
    every = {name: labels for part in documented().values() for name, labels in part.items()}
    assert missing(asked_for(), every) == []


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Of a version that drifted, whose track record has a month."""
    publisher = Publisher.of(storage_path=tmp_path / "store")
    version = publisher.publish(50_000)
    publisher.activate(version)
    feature = FeatureDrift("usable_area", DriftVerdict.DRIFTED, 900, 400, 0.4, 0.3)
    moment = datetime(2026, 2, 1, 3, 30, tzinfo=UTC)
    report = DriftReport(version, JANUARY, moment, DriftVerdict.DRIFTED, (feature,))
    publisher.container.drift_log().record(report)
    covered = Coverage(100, 0.9, 0.88, 0.8, 0.94, 0.4)
    metrics = Metrics(100, 4e5, 5e5, 0.1, 0.08, 0.09, 9e5, 0.6, 0.9, coverage=(covered,))
    evaluation = Evaluation(metrics, {"leilighet": evolve(metrics, n=60)})
    until_then = date(2025, 12, 31)
    month = TrackedMonth(version, until_then, JANUARY, "0" * 64, moment, evaluation, {})
    publisher.container.track_log().record(month)
    with Service(tmp_path, {"REE_STORAGE_PATH": str(tmp_path / "store")}) as running:
        running.until_ready()
        yield running


def test_the_service_exposes_what_is_asked_of_it(service: Service) -> None:
    assert service.ask("/estimate", {"1": HOME})[0] == 200
    assert service.ask("/estimate", {"1": {}})[0] == 422
    parts = documented()
    of_service = {*parts["The API"], *parts["All of them"]} - WITHOUT_A_REQUEST
    # Published by hand: no retrain was run, and the model has no sales.
    of_service -= {"ree_retrain_timestamp_seconds", "ree_model_data_age_seconds"}
    wanted = {name: labels for name, labels in asked_for().items() if name in of_service}
    until(lambda: "ree_track_record_sales{" in scraped(service.port), "read")
    assert missing(wanted, exposed(scraped(service.port))) == []


def test_a_worker_exposes_what_is_asked_of_it(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"REE_STORAGE_PATH": str(tmp_path), "REE_WORKER_METRICS_PORT": str(port)}
    celery = [sys.executable, "-m", "celery", "-A", "ree.entrypoints.worker"]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [*celery, "worker", "--pool=solo"],
            cwd=tmp_path,
            env=environment(tmp_path, settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:

        def answered() -> str:
            assert worker.poll() is None, (tmp_path / "log").read_text()
            try:
                return scraped(port)
            except OSError:
                return ""

        there = exposed(until(answered, "exposed"))
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    part = documented()["A worker"]
    wanted = {name: labels for name, labels in asked_for().items() if name in part}
    assert len(wanted) == 2
    assert missing(wanted, there) == []
