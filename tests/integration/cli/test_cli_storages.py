"""On S3 and on Google Cloud Storage every command behaves as on the filesystem."""

import gc
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ree.adapters.sandbox.running import Sandbox

from ...servers.access import Access
from ...servers.gcs import Gcs
from ...servers.seaweedfs import SeaweedFS
from .conftest import FIRST, LATER, LIMITS, PRIVATE, SECRET, invoke

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LAX = {f"REE_GATE_{name}_MAX_DEGRADE_PCT": "1000" for name in LIMITS}
VERSION = re.compile(r"\d{8}-\d{6}-([0-9a-f]{8})")
FETCH = re.compile(r"\d{8}T\d{6}\.\d+Z")
HOMES = """property_id,realestate_type,municipality_number,lat,lon,built_year,total_area,bra,floor
flat,leilighet,0301,59.92,10.75,1936,62,62,3
attic,leilighet,0301,59.92,10.75,1936,62,62,
"""


def told(market: Sandbox, folder: Path, storage: Mapping[str, str]) -> list[Any]:
    """What a user sees, command for command, without names that tell the time."""
    folder.mkdir()
    homes, out = folder / "homes.csv", folder / "out.csv"
    homes.write_text(HOMES)

    def ree(*args: str) -> Any:
        result = invoke(market, folder / "storage", *args, **LAX, **storage)
        assert "Traceback" not in result.output
        for secret in (SECRET, PRIVATE, storage.get("REE_S3_SECRET_KEY", SECRET)):
            assert secret not in result.output
        shown = [neutral(arg) for arg in args if not arg.startswith("/")]
        transcript.append((shown, result.exit_code, neutral(result.stdout)))
        return json.loads(result.stdout) if result.stdout.startswith("{") else result.stdout

    transcript: list[Any] = []
    ree("models", "list")
    first = ree(*FIRST, "--json")["model_version"]
    assert ree(*FIRST, "--json")["reused"] is True
    second = ree(*LATER, "--json")["model_version"]
    assert second != first
    assert ree("models", "list", "--json")["active"] == second
    ree("models", "show")
    ree("models", "rollback", "--why", "a test", "--json")
    assert ree("models", "list", "--json")["active"] == first
    ree("models", "activate", second, "--why", "a test")
    ree("models", "activate", "20260101-000000-00000000", "--why", "a test")
    ree("models", "verify")
    assert ree("models", "verify", "--json")["sound"] is True
    assert ree("models", "reproduce", first, "--json")["same"] is True
    ree("runs", "list", "--json")
    ree("estimate", str(homes), "--output", str(out), "--valuation-date", "2025-06-15")
    transcript.append(neutral(out.read_text()))
    gc.collect()  # connections that commands left to the end of their process
    return transcript


def neutral(text: str) -> str:
    """Digests stay, moments and durations and places go."""
    text = VERSION.sub(r"<\1>", text)
    text = FETCH.sub("<fetch>", text)
    text = re.sub(r'"(steps)": \{[^}]*\}', r'"\1": {}', text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?(\+00:00)?)?", "<moment>", text)
    text = re.sub(r'"(previous_digest|run_id)": "[^"]*"', r'"\1": ""', text)
    text = re.sub(r"(s3://[\w.-]+|/\S*/ree-(models|snapshots))/\S*", "<place>", text)
    text = re.sub(r"/\S*/here/", "", text)
    text = re.sub(r"(run +|runs/)<[0-9a-f]{8}>", r"\1<run>", text)
    text = re.sub(r"publications/[0-9a-f]{64}", "<publication>", text)  # by the champion's name
    text = re.sub(r"code \S+,", "code <code>,", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def s3(access: Access, name: str) -> dict[str, str]:
    buckets = {kind: f"{name}-{kind}" for kind in ("models", "snapshots")}
    for bucket in buckets.values():
        access.new_store(bucket).close()
    return {
        "REE_STORAGE": "s3",
        "REE_S3_ENDPOINT": access.endpoint,
        "REE_S3_ACCESS_KEY": access.access_key,
        "REE_S3_SECRET_KEY": access.secret_key,
        "REE_S3_REGION": access.region,
        "REE_S3_BUCKET_MODELS": buckets["models"],
        "REE_S3_BUCKET_SNAPSHOTS": buckets["snapshots"],
    }


@pytest.fixture(scope="module")
def on_the_filesystem(market: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("filesystem")
    return told(market, folder / "here", {})


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for line, expected in zip(lines(one), lines(other), strict=True):
            assert line == expected


def lines(entry: Any) -> list[str]:
    return [line for part in entry for line in str(part).splitlines()]


def test_seaweedfs(
    market: Sandbox, on_the_filesystem: list[Any], seaweedfs: SeaweedFS, tmp_path: Path
) -> None:
    storage = s3(seaweedfs.writer, "ree-cli")
    assert_same(told(market, tmp_path / "here", storage), on_the_filesystem)


def test_google_cloud_storage_over_tls(
    market: Sandbox, on_the_filesystem: list[Any], gcs: Gcs, tmp_path: Path
) -> None:
    storage = s3(gcs.access, "ree-cli")
    assert storage["REE_S3_ENDPOINT"].startswith("https://")
    theirs = [
        json.loads(re.sub(r"\betag\b", "generation", json.dumps(entry)))
        for entry in on_the_filesystem
    ]
    ours = json.loads(json.dumps(told(market, tmp_path / "here", storage)))
    assert_same(ours, theirs)
