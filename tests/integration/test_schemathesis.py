"""What a stranger's tool makes of the OpenAPI document and the answers of the real service."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ree.domain.model import PriceModel, TrainingRecord

from ..drift_report import drift_report
from .service import DEADLINE, Publisher, Service

RULES = Path(__file__).parents[2] / "schemathesis.toml"
KEY = "ree_0123456789abcdef"
OPERATIONS = 8


@pytest.fixture(params=["anybody", "clients with a key"])
def key(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "anybody" else KEY


@pytest.fixture
def service(
    tmp_path: Path, trained: tuple[PriceModel, TrainingRecord], key: str | None
) -> Iterator[Service]:
    publisher = Publisher.of(storage_path=tmp_path / "store")
    version = publisher.registry.publish(*trained).version
    publisher.activate(version)
    publisher.container.drift_log().record(drift_report(version=version))
    settings = {"REE_STORAGE_PATH": str(tmp_path / "store")}
    if key:
        settings["REE_CLIENT_KEYS"] = f"stranger:{sha256(key.encode()).hexdigest()}"
    with Service(tmp_path, settings) as service:
        service.until_ready()
        yield service


def test_all_checks_of_schemathesis_pass(service: Service, tmp_path: Path, key: str | None) -> None:
    if key:
        assert service.ask("/model")[0] == 401
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", RULES, "run"]
    command += [f"http://127.0.0.1:{service.port}/openapi.json", "--checks", "all"]
    command += ["--max-examples", "100", "--seed", "1", "--continue-on-failure"]
    command += ["--generation-database", "none", "--no-color"]
    command += ["-H", f"Authorization: Bearer {key}"] if key else []
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, told
    assert f"Operations:       {OPERATIONS} selected" in told, told
    generated = re.search("([0-9]+) generated, ([0-9]+) passed", told)
    assert generated, told
    assert generated[1] == generated[2]
    assert int(generated[1]) >= 200, told
    assert "request_failed" not in "".join(line for _, line in service.log)
