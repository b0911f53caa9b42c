"""What `ree retrain` leaves at a real push gateway."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import Result
from prometheus_client.parser import text_string_to_metric_families

from ...metric_tables import OF_PUSH, check_with_promtool, documented, shown
from ...servers.pushgateway import NoGateway, fetched, free_port, pushgateway
from .conftest import FIRST

Ree = Callable[..., Result]
FINISHED, DURATION = "ree_retrain_finished_timestamp_seconds", "ree_retrain_duration_seconds"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with pushgateway() as url:
            yield url
    except NoGateway as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def gateway(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """As if nothing had ever been left there."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for ending in ("snapshots_only", "activated", "failed"):
        path = f"{server}/metrics/job/ree_retrain/ending/{ending}"
        with urlopen(Request(path, method="DELETE")):  # noqa: S310
            pass
    return server


def left(gateway: str) -> dict[str, dict[str, dict[str, float]]]:
    """Values by metric and ending, and by what else is labelled."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for family in text_string_to_metric_families(fetched(f"{gateway}/metrics")):
        for sample in family.samples:
            labels = dict(sample.labels)
            if labels.pop("job", None) == "ree_retrain":
                labels.pop("instance")
                ending = found.setdefault(sample.name, {}).setdefault(labels.pop("ending"), {})
                ending[",".join(labels.values())] = sample.value
    return found


def of_ree(gateway: str) -> str:
    """The text without what is the gateway's own."""
    lines = fetched(f"{gateway}/metrics").splitlines(keepends=True)
    return "".join(line for line in lines if ("ree_" in line and 'job="' in line) or "# " in line)


def test_a_run_leaves_what_it_took_and_when_it_ended(ree: Ree, fetched: Path, gateway: str) -> None:
    done = ree(*FIRST, "--dry-run", REE_PUSHGATEWAY_URL=gateway)
    assert (done.exit_code, "Warning" in done.stderr) == (0, False)
    found = left(gateway)
    assert set(found[FINISHED]) == {"snapshots_only"}
    assert set(found[DURATION]["snapshots_only"]) >= {"fetch", "validate"}
    assert found["ree_storage_requests_total"]["snapshots_only"]["keys,ok"] > 0


def test_how_it_ended_well_is_known_after_it_failed(
    ree: Ree, published: Path, gateway: str
) -> None:
    assert ree(*FIRST, REE_PUSHGATEWAY_URL=gateway).exit_code == 0
    well = left(gateway)[FINISHED]
    assert set(well) == {"activated"}
    assert DURATION not in left(gateway), "an earlier run did the work"
    new = ("retrain", "--start-date", "2024-01-01", "--end-date", "2024-01-31")
    failed = ree(*new, REE_PUSHGATEWAY_URL=gateway, REE_API_KEY="wrong")
    assert failed.exit_code == 1
    assert left(gateway)[FINISHED] == well | {"failed": left(gateway)[FINISHED]["failed"]}
    assert left(gateway)[FINISHED]["failed"][""] > well["activated"][""]


def test_it_is_documented(ree: Ree, fetched: Path, gateway: str) -> None:
    ree(*FIRST, "--dry-run", REE_PUSHGATEWAY_URL=gateway)
    text = of_ree(gateway)
    check_with_promtool(text)
    found = {name: labels - {"job", "instance"} for name, labels in shown(text).items()}
    storage = {name: {"ending"} | labels for name, labels in documented("All of them").items()}
    assert {name: found[name] for name in documented(*OF_PUSH)} == documented(*OF_PUSH) | storage


@pytest.mark.parametrize("path", ["", "/?token=canary-77"])
def test_a_gateway_that_is_not_there_changes_no_exit_code(
    ree: Ree, published: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    nowhere = f"http://127.0.0.1:{free_port()}{path}"
    done = ree(*FIRST, "--json", REE_PUSHGATEWAY_URL=nowhere)
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == (
        "Warning: the figures of this run were not taken (URLError). Check REE_PUSHGATEWAY_URL."
    )
    assert "canary" not in done.output
    assert "Warning" not in done.stdout
