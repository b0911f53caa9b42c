"""The chart's object store, as its manifest starts it: who may do what there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from botocore.exceptions import ClientError

from ..servers.access import Access
from ..servers.seaweedfs import free_ports, weed, weed_or_skip

ROOT = Path(__file__).parents[2]
HELM = ROOT / ".deploy-tools" / "bin" / "helm"
BUCKETS = ROOT / "deploy" / "helm" / "files" / "buckets.py"


def rendered() -> list[dict[str, Any]]:
    chart = ROOT / "deploy" / "helm"
    done = subprocess.run(
        [HELM, "template", "ree", chart, "-f", chart / "values_kind.yaml"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@contextmanager
def started(folder: Path, secrets: dict[str, str]) -> Iterator[str]:
    """Its address. Paths are below *folder*, and every port is a free one on loopback."""
    (store,) = (each for each in rendered() if each["kind"] == "StatefulSet")
    (container,) = store["spec"]["template"]["spec"]["containers"]
    s3, master, volume, filer = free_ports(4)
    (folder / "data").mkdir()
    (folder / "tmp").mkdir()
    (folder / "s3.json").write_text(secrets["S3_IDENTITIES"])
    put = {
        "-dir=/data": f"-dir={folder / 'data'}",
        "-s3.port=8333": f"-s3.port={s3}",
        "-s3.ip.bind=0.0.0.0": "-s3.ip.bind=127.0.0.1",
        "-s3.config=/etc/seaweedfs-identities/s3.json": f"-s3.config={folder / 's3.json'}",
        "-filer.localSocket=/tmp/filer.sock": f"-filer.localSocket={folder / 'filer.sock'}",
        "-s3.localSocket=/tmp/s3.sock": f"-s3.localSocket={folder / 's3.sock'}",
    }
    assert put.keys() <= set(container["args"])
    ports = (f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*container["command"], *(put.get(each, each) for each in container["args"]), *ports],
            cwd=folder / "tmp",
            env={
                "PATH": f"{Path(weed()).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(folder / "tmp"),
                "TMPDIR": str(folder / "tmp"),
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{s3}"
    try:
        end = monotonic() + 60
        while not healthy(url):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert monotonic() < end, (folder / "log").read_text()[-2000:]
            sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)
        for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{10_000 + filer}.sock"):
            left.unlink(missing_ok=True)


def healthy(url: str) -> bool:
    try:
        with urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """As the README makes them."""
    if not HELM.exists():
        assert not os.environ.get("CI"), "make deploy-tools"
        pytest.skip("helm is not installed: make deploy-tools")
    weed_or_skip()
    folder = tmp_path_factory.mktemp("keys")
    (folder / "deploy" / "scripts").mkdir(parents=True)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    script = folder / "deploy" / "scripts" / "env_kind.sh"
    script.write_text((ROOT / "deploy" / "scripts" / "env_kind.sh").read_text())
    made = subprocess.run(["bash", script], capture_output=True, text=True, check=True)
    return dict(line.partition("=")[::2] for line in made.stdout.splitlines())


@pytest.fixture(scope="module")
def url(secrets: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a store whose buckets were made, and made again, by the Job."""
    with started(tmp_path_factory.mktemp("store"), secrets) as url:
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, BUCKETS, "ree-models", "ree-snapshots"],
                env={
                    "REE_S3_ENDPOINT": url,
                    "REE_S3_REGION": "us-east-1",
                    "REE_S3_ACCESS_KEY": secrets["REE_S3_ACCESS_KEY"],
                    "REE_S3_SECRET_KEY": secrets["REE_S3_SECRET_KEY"],
                },
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        yield url


def client(url: str, key: str, secret: str) -> Any:
    return Access(url, key, secret).store("ree-models").bucket.client


@pytest.fixture
def writer(url: str, secrets: dict[str, str]) -> Any:
    return client(url, secrets["REE_S3_ACCESS_KEY"], secrets["REE_S3_SECRET_KEY"])


@pytest.fixture
def reader(url: str, secrets: dict[str, str]) -> Any:
    return client(url, secrets["S3_READER_ACCESS_KEY"], secrets["S3_READER_SECRET_KEY"])


OBJECT = {"Bucket": "ree-models", "Key": "latest.json"}


def test_the_writer_writes_and_the_reader_reads(writer: Any, reader: Any) -> None:
    writer.put_object(**OBJECT, Body=b"{}")
    assert reader.get_object(**OBJECT)["Body"].read() == b"{}"
    listed = reader.list_objects_v2(Bucket="ree-models")["Contents"]
    assert [each["Key"] for each in listed] == ["latest.json"]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("put_object", OBJECT | {"Body": b"mine"}),
        ("put_object", OBJECT | {"Body": b"mine", "Key": "new"}),
        ("delete_object", OBJECT),
        ("copy_object", OBJECT | {"Key": "copy", "CopySource": "ree-models/latest.json"}),
        ("create_multipart_upload", OBJECT | {"Key": "parts"}),
        ("create_bucket", {"Bucket": "ree-other"}),
        ("delete_bucket", {"Bucket": "ree-snapshots"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_reader_changes_nothing(
    writer: Any, reader: Any, call: str, arguments: dict[str, Any]
) -> None:
    """What the API has, and so whoever breaks into it."""
    writer.put_object(**OBJECT, Body=b"{}")
    with pytest.raises(ClientError) as refused:
        getattr(reader, call)(**arguments)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert writer.get_object(**OBJECT)["Body"].read() == b"{}"


@pytest.mark.parametrize("key", ["", "nobody"])
def test_nobody_else_is_let_in(url: str, secrets: dict[str, str], key: str) -> None:
    stranger = client(url, key or secrets["REE_S3_ACCESS_KEY"], "wrong-secret-wrong")
    with pytest.raises(ClientError) as refused:
        stranger.list_objects_v2(Bucket="ree-models")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
