"""The real push gateway, on loopback, in memory."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

PROGRAM = "prometheus-pushgateway"
PATIENCE = 30.0
_DIRECT = build_opener(ProxyHandler({}))


class NoGateway(Exception):
    """The program is not installed."""


def free_port() -> int:
    """That nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetched(url: str) -> str:
    """The text there; URLError."""
    with _DIRECT.open(url, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


@contextmanager
def pushgateway() -> Iterator[str]:
    """Its URL, once it is ready; NoGateway."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise NoGateway(f"{PROGRAM} is not installed")
    url = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(
        [program, f"--web.listen-address={url}", "--persistence.file="],
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait(process, f"http://{url}/-/ready")
            yield f"http://{url}"
        finally:
            process.kill()


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    end = monotonic() + PATIENCE
    while process.poll() is None and monotonic() < end:
        try:
            fetched(url)
        except URLError:
            sleep(0.02)
        else:
            return
    raise RuntimeError(f"{PROGRAM} does not start")
