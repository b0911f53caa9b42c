"""The service on S3: through outages, without the right to write, and asking little of it."""

import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from ..faults.proxy import Proxy, Run
from ..servers.access import Access
from ..servers.gcs import Gcs
from ..servers.seaweedfs import SeaweedFS
from .service import Publisher, Service, until

REFRESH = 0.5
LOW, HIGH = 20_000, 90_000


def buckets(access: Access, name: str) -> dict[str, Any]:
    """The settings, made as they are needed, that reach these buckets."""
    for kind in ("models", "snapshots"):
        access.new_store(f"{name}-{kind}").close()
    return {
        "storage": "s3",
        "s3_endpoint": access.endpoint,
        "s3_access_key": access.access_key,
        "s3_secret_key": access.secret_key,
        "s3_bucket_models": f"{name}-models",
        "s3_bucket_snapshots": f"{name}-snapshots",
    }


def variables(settings: dict[str, Any], **others: str) -> dict[str, str]:
    """The same for a process."""
    given = settings | others | {"model_refresh_seconds": str(REFRESH)}
    return {f"REE_{name.upper()}": value for name, value in given.items()}


def active(settings: dict[str, Any]) -> tuple[Publisher, str]:
    """A version that prices at LOW is active."""
    publisher = Publisher.of(**settings)
    version = publisher.publish(LOW)
    publisher.activate(version)
    return publisher, version


@pytest.fixture
def own(seaweedfs: SeaweedFS, tmp_path: Path) -> Iterator[SeaweedFS]:
    """A server that nobody else needs."""
    with SeaweedFS(tmp_path / "server") as server:
        yield server


def test_it_outlives_outages_at_its_start_and_later(own: SeaweedFS, tmp_path: Path) -> None:
    settings = buckets(own.writer, "outage")
    publisher, low = active(settings)
    high = publisher.publish(HIGH)
    own.kill()
    with Service(tmp_path, variables(settings)) as service:
        assert service.ask("/health")[0] == 200
        service.lines("model_not_refreshed .*REE_S3_ENDPOINT")
        status, problem = service.ask("/ready")
        assert (status, problem["title"]) == (503, "No model")
        assert "REE_S3_ENDPOINT" in problem["detail"]
        assert own.writer.endpoint not in problem["detail"]
        own.start()
        assert service.until_ready()["conditional_writes"] == "etag"
        service.lines(f"model_loaded .*version={low}")
        service.serves(low, LOW)

        service.forget()
        own.kill()
        service.lines("model_not_refreshed")
        refresh = service.until_ready(failing=True)["refresh"]
        assert refresh["failing_since"] is not None
        assert "latest.json" in refresh["reason"]
        service.serves(low, LOW)
        own.start()
        service.lines("model_refreshed_again")
        publisher.activate(high)
        service.lines(f"model_loaded .*version={high}")
        service.serves(high, HIGH)
        for secret in (own.writer.access_key, own.writer.secret_key):
            assert not service.seen(secret)


def test_a_storage_that_hangs_keeps_nobody_from_asking_how_it_is(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        access = Access(f"http://127.0.0.1:{hanging.getsockname()[1]}")
        settings = {"storage": "s3", "s3_endpoint": access.endpoint}
        settings |= {"s3_access_key": access.access_key, "s3_secret_key": access.secret_key}
        with Service(tmp_path, variables(settings)) as service:
            assert service.ask("/health")[0] == 200
            status, problem = service.ask("/ready")
            assert (status, problem["title"]) == (503, "No model")
            assert "still being loaded" in problem["detail"]


def test_google_cloud_storage_over_tls(gcs: Gcs, tmp_path: Path) -> None:
    settings = buckets(gcs.access, "serve")
    publisher, low = active(settings)
    high = publisher.publish(HIGH)
    with Service(tmp_path, variables(settings)) as service:
        service.lines(f"model_loaded .*version={low}")
        service.serves(low, LOW)
        publisher.activate(high)
        service.lines(f"model_loaded .*version={high}")
        service.serves(high, HIGH)
        publisher.roll_back()
        until(lambda: service.ask("/ready")[1]["model_version"] == low, "rolled back")
        assert service.until_ready()["conditional_writes"] == "generation"
        service.lines(f"model_loaded .*version={low}", 4)
        service.serves(low, LOW)


@pytest.fixture
def proxy(seaweedfs: SeaweedFS) -> Iterator[Proxy]:
    """Sees what the service asks of the store."""
    address = urlsplit(seaweedfs.writer.endpoint)
    with Proxy((str(address.hostname), address.port or 0)) as proxy:
        yield proxy


def test_a_reader_never_writes_and_asks_once_a_look(
    seaweedfs: SeaweedFS, proxy: Proxy, tmp_path: Path
) -> None:
    settings = buckets(seaweedfs.writer, f"reader-{os.getpid()}")
    publisher, low = active(settings)
    high = publisher.publish(HIGH)
    reader = variables(
        settings,
        s3_endpoint=proxy.endpoint,
        s3_access_key=seaweedfs.reader.access_key,
        s3_secret_key=seaweedfs.reader.secret_key,
    )
    with Service(tmp_path, reader) as service:
        service.lines(f"model_loaded .*version={low}")
        service.serves(low, LOW)
        began = monotonic()
        loading, proxy.run = proxy.run, Run()
        until(lambda: len(proxy.run.seen) >= 20, "asked")
        looking, proxy.run = proxy.run, Run()
        looks = (monotonic() - began) / (REFRESH / 2) + 1
        publisher.activate(high)
        service.lines(f"model_loaded .*version={high}")
        service.serves(high, HIGH)
        ready = service.until_ready()
    assert ready["conditional_writes"] == "etag"
    assert ready["refresh"]["failures"] == 0
    requests = [seen.request for run in (loading, looking, proxy.run) for seen in run.seen]
    assert {request.method for request in requests} <= {"GET", "HEAD"}
    pointer = f"/{settings['s3_bucket_models']}/latest.json"
    lists = Counter(
        found[1].rstrip("/")
        for seen in looking.seen
        if (found := re.search("[?&]prefix=([a-z_]+)%2F", seen.request.target))
    )
    assert set(lists) <= {"runs", "drift", "track_record"}  # what has been read is not read again
    assert all(count <= looks * service.workers for count in lists.values())
    looked = [seen for seen in looking.seen if "list-type=2" not in seen.request.target]
    asked = {(seen.request.target, seen.request.condition, seen.status) for seen in looked}
    assert asked <= {(pointer, "If-None-Match", 304), (pointer, "If-None-Match", None)}
    assert len([seen for seen in looking.seen if seen.status is None]) <= service.workers
    assert len(looked) <= looks * service.workers
