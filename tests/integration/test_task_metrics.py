"""What a real worker shows of its tasks: a pool of processes, one of which is killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from attrs import frozen
from prometheus_client.parser import text_string_to_metric_families

from ..metric_tables import OF_WORKER, check_with_promtool, documented, shown
from ..servers.pushgateway import fetched, free_port
from .service import DEADLINE, environment, until

PROGRAM = """
import os
from pathlib import Path
from signal import SIGKILL

from celery import Celery, signals

from ree.container import Container
from ree.entrypoints.task_metrics import watch_tasks

queue = Path("queue")
queue.mkdir(exist_ok=True)
app = Celery("counted", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": "queue", "data_folder_out": "queue", "polling_interval": 0.05,
    },
    worker_prefetch_multiplier=1,
    worker_lost_wait=0.1,
)
containers = {}


def container():
    if os.getpid() not in containers:
        containers[os.getpid()] = Container()
    return containers[os.getpid()]


watch_tasks(app, container().settings(), container)


@app.task(name="ree.done")
def done():
    container().model_objects().keys("")


@app.task(name="ree.failed")
def failed():
    raise ValueError


@app.task(name="ree.retried", bind=True)
def retried(task):
    if not task.request.retries:
        raise task.retry(countdown=0)


@app.task(name="ree.lost")
def lost():
    os.kill(os.getpid(), SIGKILL)


@signals.worker_ready.connect
def send(**_):
    for name in ["done", "lost", "failed", "lost", "retried"] + ["done"] * 10:
        app.send_task(f"ree.{name}")
"""
COUNTED = {
    ("ree.done", "done"): 11,
    ("ree.failed", "failed"): 1,
    ("ree.lost", "failed"): 2,
    ("ree.retried", "retried"): 1,
    ("ree.retried", "done"): 1,
}


@frozen
class Seen:
    """What a worker showed once it had done its tasks, and what became of it."""

    text: str
    files: list[str]
    """That it counted in."""
    listeners: list[bool]
    """Whether each process that holds its port is the main one."""
    second: "subprocess.CompletedProcess[str]"
    """Another worker, started on the same port meanwhile."""
    port: int
    ended: int
    left: list[Path]


def tasks(text: str) -> dict[tuple[str, str], float]:
    """How often each task ended how; those that never did are left out."""
    return {
        (sample.labels["task"], sample.labels["outcome"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "ree_tasks_total" and sample.value
    }


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder, port = tmp_path_factory.mktemp("worker"), free_port()
    temporary = folder / "tmp"
    temporary.mkdir()
    (folder / "counted.py").write_text(PROGRAM)
    settings = {"REE_WORKER_METRICS_PORT": str(port), "REE_STORAGE_PATH": str(folder / "store")}
    where: dict[str, Any] = {
        "cwd": folder,
        "env": environment(folder, {**settings, "TMPDIR": str(temporary)}),
    }
    command = [sys.executable, "-m", "celery", "-A", "counted", "worker", "--concurrency", "2"]
    command += ["--pool", "prefork", "--without-gossip", "--without-mingle"]

    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, **where
        ) as process,
    ):
        try:
            text = until(lambda: counted(port, process), "done with all tasks")
            [kept] = temporary.glob("ree-metrics-*")
            files = [file.name for file in kept.iterdir()]
            listeners = [pid == process.pid for pid in of_group(process.pid) if holds(pid, port)]
            second = subprocess.run(
                command, capture_output=True, text=True, timeout=DEADLINE, check=False, **where
            )
            process.send_signal(signal.SIGTERM)
            ended = process.wait(DEADLINE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    left = list(temporary.glob("ree-metrics-*"))
    return Seen(text, files, listeners, second, port, ended, left)


def of_group(group: int) -> list[int]:
    """The worker's processes."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in found if _group(pid) == group]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def holds(pid: int, port: int) -> bool:
    """Whether the process has the socket that listens there."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return any(f"socket:[{inode}]" in links for inode in inodes)


def counted(port: int, process: "subprocess.Popen[bytes]") -> str | None:
    """What is shown once every task was counted."""
    assert process.poll() is None, "the worker ended"
    try:
        text = fetched(f"http://127.0.0.1:{port}/metrics")
    except (URLError, ConnectionError):
        return None
    return text if sum(tasks(text).values()) >= sum(COUNTED.values()) else None


def test_counts_add_up_over_processes_that_were_killed(seen: Seen) -> None:
    assert tasks(seen.text) == COUNTED
    durations = [
        sample.value
        for family in text_string_to_metric_families(seen.text)
        for sample in family.samples
        if sample.name == "ree_task_duration_seconds_count"
    ]
    assert sum(durations) == 14  # what was killed has none
    assert 'ree_storage_requests_total{operation="keys",outcome="ok"} 11.0' in seen.text
    numbers = {name.partition("_")[2] for name in seen.files if name.endswith(".db")}
    assert numbers <= {"0.db", "1.db", "2.db"}, "who replaces a process counts on in its file"


def test_it_is_documented(seen: Seen) -> None:
    assert shown(seen.text) == documented(*OF_WORKER)
    check_with_promtool(seen.text)


def test_a_worker_that_cannot_show_its_metrics_does_not_start(seen: Seen) -> None:
    assert seen.second.returncode == 1
    assert seen.second.stderr.splitlines()[-1] == (
        f"Cannot show metrics on 127.0.0.1:{seen.port}: Address already in use. "
        "Choose another REE_WORKER_METRICS_PORT."
    )


def test_the_port_is_free_once_the_main_process_is_gone(seen: Seen) -> None:
    """Whatever a process of the pool, which may outlive it, still does."""
    assert seen.listeners == [True]


def test_it_leaves_neither_files_nor_a_taken_port(seen: Seen) -> None:
    assert (seen.ended, seen.left) == (0, [])
    with socket.create_server(("127.0.0.1", seen.port)):
        pass
