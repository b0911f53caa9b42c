"""Counts of several processes, as one."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import Counter, values

from ree.entrypoints.api.metrics import Metrics
from ree.entrypoints.metric_files import HELD, VARIABLE, metric_files


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.shown().get_sample_value(name, labels)


def worker(age: int) -> SimpleNamespace:
    return SimpleNamespace(age=age)


def test_counts_add_up_over_processes_and_outlive_them() -> None:
    with metric_files() as places:
        metrics = Metrics()
        for age in (1, 2):
            places.before_fork(None, worker(age))
            places.after_fork(None, worker(age))
            metrics.enter()
            metrics.priced(10, ["missing:lat"], "fast")
            metrics.answered("/estimate", "POST", 200, 0.003)
        assert sample(metrics, "ree_properties_priced_total") == 18
        assert sample(metrics, "ree_http_requests_in_flight") == 2
        places.ended(None, worker(1))
        assert sample(metrics, "ree_properties_priced_total") == 18
        assert sample(metrics, "ree_http_requests_in_flight") == 1
        labels = {"route": "/estimate", "method": "POST", "status": "200"}
        assert sample(metrics, "ree_http_requests_total", **labels) == 2


def test_a_worker_takes_over_the_number_and_the_counts_of_a_dead_one() -> None:
    with metric_files() as places:
        metrics = Metrics()
        for age in (1, 2, 3):
            places.before_fork(None, worker(age))
        for age in range(4, 40):
            places.ended(None, worker(age - 2))
            places.before_fork(None, worker(age))
            places.after_fork(None, worker(age))
            assert places.own in (1, 2, 3)
            metrics.priced(1, (), "complete")
        assert sample(metrics, "ree_properties_priced_total") == 36
        assert len(list(Path(places.folder).glob("counter_*"))) <= 4
        places.ended(None, worker(99))  # of which nothing is known


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "elsewhere")
    before = values.ValueClass
    with metric_files() as places:
        assert os.environ[VARIABLE] == places.folder
        Metrics().turned_away()
        assert list(Path(places.folder).iterdir())
    assert not Path(places.folder).exists()
    assert os.environ[VARIABLE] == "elsewhere"
    assert values.ValueClass is before
    monkeypatch.delenv(VARIABLE)
    with metric_files():
        pass
    assert VARIABLE not in os.environ


def test_a_worker_that_leaves_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "undone below")
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    with metric_files() as places:
        folder = Path(places.folder)
        monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.undo()
    assert folder.exists()
    shutil.rmtree(folder)


def test_what_a_killed_service_left_is_removed_and_what_counts_is_not(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from ree.entrypoints.metric_files import metric_files\n"
        "from ree.entrypoints.api.metrics import Metrics\n"
        "with metric_files() as places:\n"
        "    Metrics().turned_away()\n"
        "    print(places.folder, flush=True)\n"
        "    sys.stdin.read()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with (
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as killed,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        assert killed.stdout is not None
        folder = Path(killed.stdout.readline().strip())
        strange = [tmp_path / "ree-metrics-file", tmp_path / "ree-metrics-folder" / "counter_1.db"]
        strange[1].parent.mkdir()
        for file in strange:
            file.write_text("of somebody else")

        def started_long_after() -> None:
            os.utime(folder / HELD, (0, 0))
            with metric_files():
                assert sample(Metrics(), "ree_client_unauthorized_total") == 0

        started_long_after()
        assert folder.exists(), "it counts"
        killed.communicate("")
        os.utime(folder / HELD)
        with metric_files():
            assert folder.exists(), "who was just started may not hold it yet"
        started_long_after()
        assert not folder.exists()
        assert all(file.exists() for file in strange)


FORKING = """
import os, signal, warnings
from threading import Event, Thread
from prometheus_client import CollectorRegistry
from ree.entrypoints.metric_files import metric_files
from ree.entrypoints.storage_metrics import StorageMetrics

warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
with metric_files():
    storage, stopped = StorageMetrics(CollectorRegistry()), Event()

    def count():
        while not stopped.is_set():
            storage("get", "ok", 0.001)

    counting = Thread(target=count)
    counting.start()
    ends = []
    for _ in range(30):
        child = os.fork()
        if not child:
            signal.alarm(20)
            storage("get", "ok", 0.001)
            os._exit(0)
        ends.append(os.waitpid(child, 0)[1])
    stopped.set()
    counting.join()
print(*ends)
"""


def test_a_forked_process_can_count_whatever_threads_counted_before() -> None:
    """In a process of its own: what counts lines holds locks of its own while it is forked."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", f"{' '.join('0' * 30)}\n")


def test_who_counted_before_goes_on_counting() -> None:
    counter = Counter("before", "Not of ree.", registry=None)
    counter.inc()
    with metric_files():
        counter.inc()
    assert counter._value.get() == 2


def test_applications_in_one_process_count_apart() -> None:
    one, other = Metrics(["web"]), Metrics(["web"])
    one.let_in("web")
    assert sample(one, "ree_client_requests_total", client="web") == 1
    assert sample(other, "ree_client_requests_total", client="web") == 0


def test_labels_stay_few() -> None:
    metrics = Metrics()
    for number in range(50):
        metrics.answered("unmatched", f"M{number}", 405, 0.001)
        metrics.refused(1, [f"c{number}:x"], "complete")
    labels = {"route": "unmatched", "method": "other", "status": "405"}
    assert sample(metrics, "ree_http_requests_total", **labels) == 50
    assert sample(metrics, "ree_properties_refused_total", code="other") == 50
    assert sample(metrics, "ree_properties_asked_total") == 50
    assert sample(metrics, "ree_properties_priced_total") == 0
