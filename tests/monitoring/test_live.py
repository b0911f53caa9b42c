"""The service, Prometheus and Alertmanager together: what an operator sees of what happens."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..integration.service import HOME, Publisher, Service
from ..servers.monitoring import Monitoring
from .shipped import panel_expressions, program

WORKERS = 3
COUNTED = 'sum(ree_http_requests_total{route="/estimate",status="200"})'


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def publisher(store: Path) -> Publisher:
    """Of an active version."""
    publisher = Publisher.of(storage_path=store)
    publisher.activate(publisher.publish(50_000))
    return publisher


@pytest.fixture
def service(tmp_path: Path, store: Path, publisher: Publisher) -> Iterator[Service]:
    settings = {"REE_STORAGE_PATH": str(store), "REE_MODEL_REFRESH_SECONDS": "0.5"}
    with Service(tmp_path, settings, workers=WORKERS) as service:
        service.until_ready()
        yield service


@pytest.fixture
def monitoring(tmp_path: Path, service: Service) -> Iterator[Monitoring]:
    for name in ("prometheus", "prometheus-alertmanager"):
        program(name)
    with Monitoring(tmp_path / "monitoring", service.port) as monitoring:
        yield monitoring


def estimate(service: Service, times: int) -> None:
    for _ in range(times):
        assert service.ask("/estimate", {"1": HOME})[0] == 200


def reached(monitoring: Monitoring, alert: str) -> Any:
    """As Alertmanager has it, once it is there."""
    return monitoring.until(lambda: monitoring.alerts().get(alert), alert)


def test_what_an_operator_sees(
    monitoring: Monitoring, service: Service, publisher: Publisher, store: Path, tmp_path: Path
) -> None:
    """One story, for Prometheus takes seconds to find its targets."""
    counts_add_up_when_a_worker_is_killed(monitoring, service)
    every_panel_can_be_evaluated(monitoring)
    a_version_that_cannot_be_read_is_a_ticket(monitoring, service, publisher, store, tmp_path)
    a_service_that_finds_no_model_is_a_page(monitoring, service, store)


def counts_add_up_when_a_worker_is_killed(monitoring: Monitoring, service: Service) -> None:
    estimate(service, 30)
    monitoring.until(lambda: monitoring.values(COUNTED) == [30], "30 counted")
    # Before its first scrape Prometheus knew of none.
    monitoring.until(lambda: "ReeNoModel" not in monitoring.alerts(), "calm")
    log = "".join(line for _, line in service.log)
    os.kill(int(re.findall(r"Booting worker with pid: (\d+)", log)[0]), signal.SIGKILL)
    service.lines("Booting worker", WORKERS + 1)
    estimate(service, 30)
    monitoring.until(lambda: monitoring.values(COUNTED) == [60], "60 counted")
    assert monitoring.values("max(resets(ree_http_requests_total[10m]))") == [0]
    assert monitoring.values("max(resets(ree_properties_priced_total[10m]))") == [0]


def every_panel_can_be_evaluated(monitoring: Monitoring) -> None:
    seen = {title for title, expression in panel_expressions() if monitoring.values(expression)}
    assert {"Requests", "Latency of /estimate", "Instances", "Targets that are down"} <= seen


def a_version_that_cannot_be_read_is_a_ticket(
    monitoring: Monitoring, service: Service, publisher: Publisher, store: Path, aside: Path
) -> None:
    """The pointer names it, so the last good one is served on."""
    version = publisher.publish(60_000)
    copy = shutil.copytree(store, aside / "copy")  # where it is sound
    Publisher.of(storage_path=copy).activate(version)
    (store / "ree-models" / "models" / version / "model.npz").write_bytes(b"broken")
    os.replace(copy / "ree-models" / "latest.json", store / "ree-models" / "latest.json")
    alert = reached(monitoring, "ReeRefreshFailing")
    assert alert["labels"]["severity"] == "ticket"
    assert alert["receivers"] == [{"name": "tickets"}]
    assert alert["annotations"]["runbook"] == "docs/runbook.md#reerefreshfailing"
    estimate(service, 1)
    assert "ReeNoModel" not in monitoring.alerts()


def a_service_that_finds_no_model_is_a_page(
    monitoring: Monitoring, service: Service, store: Path
) -> None:
    """The storage was emptied, and the service started again at the same address."""
    assert service.end() == 0
    shutil.rmtree(store)
    with Service(service.folder, service.settings, WORKERS, port=service.port) as again:
        assert again.ask("/ready")[0] == 503
        monitoring.until(lambda: monitoring.values("max(ree_model_ready)") == [0], "not ready")
        alert = reached(monitoring, "ReeNoModel")
        assert alert["labels"] == {"alertname": "ReeNoModel", "severity": "page"}
        assert alert["receivers"] == [{"name": "pager"}]
        assert alert["status"]["state"] == "active"
        # What is part of the page is not told a second time.
        silenced = reached(monitoring, "ReeInstanceWithoutModel")["status"]
        assert silenced["inhibitedBy"] == [alert["fingerprint"]]
