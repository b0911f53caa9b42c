"""Retrains by workers on a real RabbitMQ: whatever dies or comes twice, each is made once."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from attrs import define
from dependency_injector import providers

from ree.adapters.sandbox.faults import Faults
from ree.adapters.sandbox.market import TurnoverRecord, UnitRecord
from ree.adapters.sandbox.running import Sandbox, running
from ree.adapters.sandbox.server import TURNOVERS
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.settings import Settings, load_settings
from ree.container import Container
from ree.domain.order import Order
from ree.domain.run import Ending, Run
from ree.entrypoints.broker import DEAD, MOST_DELIVERIES, QUEUE
from ree.entrypoints.worker import create_worker

from ..servers.rabbitmq import RabbitMQ
from ..servers.seaweedfs import SeaweedFS
from .celery_process import APP, Group, celery, first
from .odd_messages import odd_messages
from .service import environment

A_MONTH = 200
FEW = 20
WINDOW = 3
YEAR = ["retrain", "--start-date", "2025-01-01", "--end-date", "2025-12-31", "--estimator", "fast"]
OVERDUE = """
from datetime import UTC, datetime, timedelta
from ree.entrypoints.worker import app
last = datetime.now(UTC) - timedelta(40)
app.conf.beat_schedule["monthly"] |= {"last_run_at": last, "args": [None, None, True, "fast"]}
"""


SLOW = """
import os
from time import sleep
from billiard.pool import SIG_SOFT_TIMEOUT
from ree.adapters.track_log import ObjectTrackLog
from ree.entrypoints import tasks
from ree.entrypoints.worker import app

def never(*_):
    while True:
        try:
            sleep(60)
        except BaseException:
            pass

def too_long(*_):
    os.kill(os.getpid(), SIG_SOFT_TIMEOUT)
    sleep(60)

ObjectTrackLog.months = too_long
tasks.look_for_drift = never
drift = app.tasks["ree.check_drift"]
drift.soft_time_limit, drift.time_limit = 1, 2
"""
"""In which scoring months takes too long, and looking for drift cannot be told to end."""


@define(eq=False)
class Market(SimulatedMarket):
    """Tells when a month is asked for first, and each time that units are; both can take long."""

    on_month: Callable[[date], object] = lambda start: None
    on_units: Callable[[], object] = lambda: None

    def turnovers(self, start: date, end: date) -> Sequence[TurnoverRecord]:
        self.on_month(start)
        return super().turnovers(start, end)

    def units(self, ids: Iterable[int]) -> dict[int, UnitRecord]:
        self.on_units()
        return super().units(ids)


@define
class Place:
    """A broker, a storage and a market, and what is found there."""

    broker: RabbitMQ
    folder: Path
    settings: dict[str, str]
    stack: ExitStack

    def worker(self, app: str = APP) -> Group:
        """Ready; one task at a time."""
        options = ["-c", "1", "--without-mingle", "--without-gossip"]
        command = celery("worker", *options, app=app)
        group = self.start(command, f"worker{len(list(self.folder.iterdir()))}")
        group.wait("worker_ready")
        return group

    def start(self, command: list[str], name: str) -> Group:
        """In a folder of this name."""
        return self.stack.enter_context(Group(command, self.folder / name, self.settings))

    def write(self, name: str, code: str) -> None:
        """A module that workers find."""
        (self.folder / f"{name}.py").write_text(code)
        self.settings["PYTHONPATH"] = f"{self.folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"

    def send(self, name: str, *args: object, **options: Any) -> None:
        """As a program would that knows only the broker."""
        app = create_worker(self.read_settings())
        with app.connection_for_write() as connection:
            app.send_task(name, args, connection=connection, **options)

    def read_settings(self) -> Settings:
        return load_settings(self.settings, dotenv=os.devnull)

    def container(self) -> Container:
        container = Container()
        container.settings.override(providers.Object(self.read_settings()))
        return container

    def only_run(self) -> Run:
        """One run record, one version, one activation."""
        container = self.container()
        (run,) = container.runs().runs()
        (version,) = container.registry().versions()
        (move,) = container.registry().history()
        assert run.ending is Ending.ACTIVATED
        assert run.model_version == version.version == move.version
        return run  # type: ignore[no-any-return]

    def waiting(self) -> int:
        """Tasks that nobody has taken, and those that were given up."""
        app = create_worker(self.read_settings())
        with app.connection_for_read() as connection:
            channel = connection.default_channel
            return sum(
                channel.queue_declare(queue, passive=True).message_count for queue in (QUEUE, DEAD)
            )

    def only_order(self) -> Order:
        objects = self.container().model_objects()
        ids = {key.split("/")[1] for key in objects.keys("orders/")}
        (order_id,) = ids
        return self.container().orders().order(order_id)  # type: ignore[no-any-return]


@pytest.fixture
def place(rabbitmq: RabbitMQ, tmp_path: Path) -> Iterator[Place]:
    settings = {
        "REE_CELERY_BROKER_URL": rabbitmq.url,
        "REE_CELERY_RETRY_SECONDS": "0.1",
        "REE_TRAIN_WINDOW_MONTHS": str(WINDOW),
        "REE_TRAIN_MIN_ROWS": "100",
        "REE_STORAGE_PATH": str(tmp_path / "store"),
    }
    with ExitStack() as stack:
        yield Place(rabbitmq, tmp_path, settings, stack)
    app = create_worker(load_settings(settings, dotenv=os.devnull))
    with app.connection_for_write() as connection:
        for queue in (QUEUE, DEAD):
            connection.default_channel.queue_delete(queue)


@contextmanager
def selling(place: Place, market: Market | None = None, **faults: Any) -> Iterator[Sandbox]:
    """A market that is open, and that the workers to come know."""
    market = market or Market(turnovers_per_month=A_MONTH)
    with running(market, faults=Faults(**faults)) as sandbox:
        place.settings["REE_API_BASE_URL"] = sandbox.base_url
        yield sandbox


def test_another_worker_finishes_for_one_that_is_killed_while_it_trains(
    place: Place, seaweedfs: SeaweedFS
) -> None:
    access = seaweedfs.writer
    for bucket in ("ree-worker-models", "ree-worker-snapshots"):
        access.new_store(bucket).close()
    place.settings |= {
        "REE_STORAGE": "s3",
        "REE_S3_ENDPOINT": access.endpoint,
        "REE_S3_ACCESS_KEY": access.access_key,
        "REE_S3_SECRET_KEY": access.secret_key,
        "REE_S3_BUCKET_MODELS": "ree-worker-models",
        "REE_S3_BUCKET_SNAPSHOTS": "ree-worker-snapshots",
    }
    with selling(place) as sandbox:
        first = place.worker()
        place.send(
            "ree.retrain_rolling", None, None, True, "fast", headers={"ree_request_id": "it.7"}
        )
        first.wait("step_begun", step="train")
        first.kill()
        second = place.worker()
        (ended,) = second.wait("run_ended")
    run = place.only_run()
    assert ended["run_id"] == run.run_id
    assert ended["request_id"] == "it.7"
    assert ended["model_version"] == run.model_version
    assert run.asked_by.startswith("celery:")
    assert sandbox.requests[TURNOVERS] == WINDOW * (A_MONTH // 100 + 1), "fetched twice"


def test_two_beats_and_tasks_that_come_twice_make_one_version(place: Place) -> None:
    place.write("overdue", OVERDUE)
    with selling(place):
        worker = place.worker()
        for number in range(2):
            place.start(celery("beat", "-s", "schedule", app="overdue"), f"beat{number}")
        placed = worker.wait("order_placed", 2)
        assert len({line["order"] for line in placed}) == 1
        worker.wait("run_ended", order=placed[0]["order"])
        for _ in range(2):
            place.send("ree.train", placed[0]["order"], task_id="told-twice")
        assert [line["reused"] for line in worker.wait("run_ended", 3)] == [False, True, True]
    assert place.only_run().asked_by == "celery:schedule"
    assert place.only_run().run_id == place.only_order().run_id


def test_two_workers_fetch_months_at_once_and_make_what_the_command_line_makes(
    place: Place,
) -> None:
    together = Barrier(2)

    def meet(start: date) -> None:
        if start.month <= 2:
            together.wait(30)

    market = Market(turnovers_per_month=100, on_month=meet)
    with selling(place, market):
        workers = place.worker(), place.worker()
        place.send("ree.retrain_rolling", "2026-01-15", 12, True, "fast")
        first(workers, "run_ended")
        assert not together.broken
        by_workers = _made(place)
        market.on_month = lambda start: None
        place.settings["REE_STORAGE_PATH"] = str(place.folder / "other")
        subprocess.run(
            [sys.executable, "-m", "ree.entrypoints.cli", *YEAR],
            env=environment(place.folder, place.settings),
            check=True,
            capture_output=True,
        )
    assert by_workers == _made(place)


def _made(place: Place) -> tuple[str, bytes, str]:
    """The dataset's digest, its bytes, the digest of model.npz."""
    container, run = place.container(), place.only_run()
    dataset = container.snapshot_objects().get(f"{run.manifest.name}/dataset.parquet")
    (version,) = container.registry().versions()
    return run.manifest.digest, dataset.body, version.model_digest


def test_work_goes_on_when_the_broker_comes_back(place: Place) -> None:
    asked, go = Event(), Event()

    def wait(start: date) -> None:
        asked.set()
        go.wait(60)

    with selling(place, Market(turnovers_per_month=FEW, on_month=wait)):
        worker = place.worker()
        place.send("ree.retrain_range", "2025-11-01", "2025-12-31", True, "fast")
        assert asked.wait(30)
        place.broker.stop()
        place.broker.start()
        go.set()
        worker.wait("run_ended")
    (run,) = place.container().runs().runs()
    assert run.run_id == place.only_order().run_id


def test_a_market_that_is_down_is_asked_again(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    place.settings["REE_API_BASE_URL"] = f"http://127.0.0.1:{port}"
    worker = place.worker()
    place.send("ree.retrain_range", "2025-11-01", "2025-12-31", True, "fast")
    (retried, *_) = worker.wait("task_retried")
    assert "cannot be reached" in retried["reason"]
    with running(Market(turnovers_per_month=FEW), port=port):
        (ended,) = worker.wait("run_ended")
    assert ended["request_id"] == retried["request_id"]
    assert len(place.container().runs().runs()) == 1


def test_what_will_not_pass_is_told_once_and_can_be_asked_for_again(place: Place) -> None:
    with selling(place, require_key="another"):
        worker = place.worker()
        place.send("ree.retrain_range", "2025-12-01", "2025-12-31")
        (failed,) = worker.wait("task_failed", task="ree.fetch_month")
        place.send("ree.retrain_range", "2025-12-01", "2025-12-31")
        worker.wait("task_failed", 2, task="ree.fetch_month")
        place.send("ree.retrain_range", "2025-13-01", "2025-12-31")
        place.send("ree.retrain_range", "2025-12-01", "2025-12-31", "yes")
        place.send("ree.retrain_rolling", None, None, True, "fast", "more")
        place.send("ree.retrain_previous_month", kwargs={"months": 3})
        place.send("ree.train", "../latest")
        worker.wait("task_refused", 2)
        worker.wait("task_failed", 5)
    assert "401" in failed["reason"]
    assert not worker.seen("task_retried")
    orders = place.container().orders()
    first, second = [line["order"] for line in worker.seen("order_placed")]
    assert second == f"{first}-2"
    assert "401" in str(orders.failure(first))
    assert "401" in str(orders.failure(second))
    assert not [line for line in worker.written if "Traceback" in line]
    assert place.waiting() == 0


def test_a_task_over_which_every_worker_dies_is_given_up(place: Place) -> None:
    deaths = []

    def kill() -> None:
        deaths.append(1)
        for pid in set(worker.processes()) - {worker.pid}:
            os.kill(pid, signal.SIGKILL)

    with selling(place, Market(turnovers_per_month=A_MONTH, on_units=kill)):
        worker = place.worker()
        place.send("ree.retrain_range", "2025-12-01", "2025-12-31")
        (failed,) = worker.wait("task_failed")
    assert len(deaths) == MOST_DELIVERIES
    assert "died" in failed["reason"]
    assert place.container().orders().failure(place.only_order().order_id) == failed["reason"]


def test_a_worker_outlives_whatever_is_put_into_its_queue(place: Place) -> None:
    odd = list(odd_messages())
    app = create_worker(place.read_settings())
    with selling(place), app.connection_for_write() as connection:
        worker = place.worker()
        producer = connection.Producer()
        for message in odd:
            producer.publish(
                message.body.encode() if isinstance(message.body, str) else message.body,
                exchange=QUEUE,
                routing_key=QUEUE,
                headers=message.headers,
                content_type=message.content_type,
                content_encoding=message.content_encoding,
            )
        place.send("ree.check_drift", "2025-01-01", "2025-01-31")
        worker.wait("drift_not_checked")
    assert len(odd) > 500
    lines = [line for line in worker.lines if line["event"] != "worker_ready"]
    assert {line["event"] for line in lines} == {
        "message_discarded", "task_failed", "drift_not_checked"
    }  # fmt: skip
    assert len(lines) == len(odd) + 1
    assert place.waiting() == len(worker.seen("message_discarded"))


def test_a_task_that_takes_too_long_ends_and_its_order_has_failed(place: Place) -> None:
    place.write("slow", SLOW)
    with selling(place):
        worker = place.worker("slow")
        place.send("ree.retrain_rolling", None, None, True, "fast")
        (failed,) = worker.wait("task_failed")
        place.send(
            "ree.check_drift", "2025-01-01", "2025-01-31", headers={"ree_request_id": "it.7"}
        )
        (killed,) = worker.wait("task_killed")
    assert failed["task"] == "ree.train"
    assert failed["reason"] == "It took longer than 1350 seconds."
    assert worker.seen("run_interrupted", run_id=failed["run_id"])
    assert place.container().orders().failure(place.only_order().order_id) == failed["reason"]
    assert (killed["task"], killed["request_id"]) == ("ree.check_drift", "it.7")
    assert not [line for line in worker.lines if line["logger"].startswith("celery")]
    assert place.waiting() == 0
