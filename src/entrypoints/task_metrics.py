"""What a Celery worker counts, over all processes of its pool, and where it is shown."""

from collections.abc import Callable
from contextlib import ExitStack
from os import getpid
from time import monotonic
from typing import Any

from billiard.process import current_process
from celery import Celery, signals
from prometheus_client import CollectorRegistry, Counter, Histogram, start_wsgi_server
from prometheus_client.multiprocess import MultiProcessCollector

from ..adapters.settings import Settings
from ..container import Container
from .metric_files import COUNTING, Places, metric_files
from .storage_metrics import StorageMetrics

DONE, FAILED, RETRIED = "done", "failed", "retried"
OURS = "ree."
"""What the names of our tasks begin with; Celery's own are not counted."""
_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600)


def watch_tasks(app: Celery, settings: Settings, container: Callable[[], Container]) -> None:
    """Let workers of *app* count, and show it on REE_WORKER_METRICS_PORT if that is set.

    *container* gives that of the process that asks. A worker that cannot listen does not start.
    """
    if settings.worker_metrics_port:

        def start(sender: Any, **_: Any) -> None:
            if sender.app is app:
                _Worker(app, settings, container)

        signals.worker_init.connect(start, weak=False)


class TaskMetrics:
    """The instruments; made before the pool forks, so that its processes share their files."""

    def __init__(self, names: list[str], registry: CollectorRegistry) -> None:
        tasks = Counter("ree_tasks", "Tasks ended.", ["task", "outcome"], registry=registry)
        duration = Histogram(
            "ree_task_duration_seconds",
            "Of tasks, however they ended.",
            ["task"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._tasks = {
            (name, outcome): tasks.labels(name, outcome)
            for name in names
            for outcome in (DONE, FAILED, RETRIED)
        }
        self._duration = {name: duration.labels(name) for name in names}

    def ended(self, task: str, outcome: str) -> None:
        """Count a task."""
        if (task, outcome) in self._tasks:
            with COUNTING:
                self._tasks[task, outcome].inc()

    def took(self, task: str, seconds: float) -> None:
        """Measure a task."""
        if task in self._duration:
            with COUNTING:
                self._duration[task].observe(seconds)


class _Worker:
    """Signals of one worker, in its main process and in those of its pool."""

    def __init__(self, app: Celery, settings: Settings, container: Callable[[], Container]) -> None:
        self._container, self._pid = container, getpid()
        self._began: dict[str, float] = {}
        self._open = ExitStack()
        self._places: Places = self._open.enter_context(metric_files())
        own = CollectorRegistry()
        names = sorted(name for name in app.tasks if name.startswith(OURS))
        self._metrics, self._storage = TaskMetrics(names, own), StorageMetrics(own)
        self._listener = self._listen(settings.host, settings.worker_metrics_port)
        for signal, receiver in (
            (signals.worker_process_init, self._forked),
            (signals.task_prerun, self._begun),
            (signals.task_postrun, self._over),
            (signals.task_retry, self._retried),
            (signals.task_failure, self._failed),
            (signals.worker_shutdown, self._stopped),
        ):
            signal.connect(receiver, weak=False)
            self._open.callback(signal.disconnect, receiver)

    def _listen(self, host: str, port: int) -> Any:
        shown = CollectorRegistry()
        MultiProcessCollector(shown, self._places.folder)  # type: ignore[no-untyped-call]
        try:
            server, _ = start_wsgi_server(port, host, shown)
        except OSError as error:
            self._open.close()
            # Celery goes on whatever else a receiver raises.
            raise SystemExit(
                f"Cannot show metrics on {host}:{port}: {error.strerror or error}. "
                "Choose another REE_WORKER_METRICS_PORT."
            ) from None
        self._open.callback(server.server_close)
        self._open.callback(server.shutdown)
        return server

    def _forked(self, **_: Any) -> None:
        """In a process of the pool. One that takes the place of a dead one counts on in its file.

        A pool of threads, or none, is the main process itself.
        """
        if getpid() != self._pid:
            self._places.own = current_process().index + 1  # type: ignore[attr-defined]
            self._listener.socket.close()  # else a worker that is killed leaves the port taken

    def _begun(self, task_id: str, **_: Any) -> None:
        self._container().storage_watch().listen(self._storage)
        self._began[task_id] = monotonic()

    def _over(self, task_id: str, task: Any, state: str | None, **_: Any) -> None:
        began = self._began.pop(task_id, None)
        if began is not None:
            self._metrics.took(task.name, monotonic() - began)
        if state == "SUCCESS":
            self._metrics.ended(task.name, DONE)

    def _retried(self, sender: Any, **_: Any) -> None:
        self._metrics.ended(sender.name, RETRIED)

    def _failed(self, sender: Any, **_: Any) -> None:
        """In the process that failed, or in the main one for one that was lost."""
        self._metrics.ended(sender.name, FAILED)

    def _stopped(self, **_: Any) -> None:
        self._open.close()
