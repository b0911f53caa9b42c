"""Counts of several processes, as one."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import Counter, values

from ree.entrypoints.metric_files import VARIABLE, metric_files
from ree.entrypoints.api.metrics import Metrics


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
    assert sample(metrics, "ree_properties_refused_total", family="other") == 50
    assert sample(metrics, "ree_properties_asked_total") == 50
    assert sample(metrics, "ree_properties_priced_total") == 0
