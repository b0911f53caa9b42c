"""`honcho start` on the Procfile: everything starts, everything stops."""

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from dependency_injector import providers

from ree.adapters.sandbox.running import running
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.settings import load_settings
from ree.container import Container
from ree.entrypoints.schedule import Scheduler, beat_settings
from ree.entrypoints.worker import create_worker

from ..servers.rabbitmq import RabbitMQ
from .celery_process import PROGRAMS, Group, celery
from .service import Publisher, asked, until

PROCFILE = Path(__file__).parents[2] / "Procfile"


@pytest.mark.parametrize("with_broker", [False, True], ids=["memory", "rabbitmq"])
def test_api_worker_and_beat_start_together_and_leave_nothing(
    with_broker: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    broker = request.getfixturevalue("rabbitmq").url if with_broker else ""
    Publisher.of(storage_path=tmp_path / "store").container.bootstrap()(by="test")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / ".env").write_text(
        f"REE_PORT={port}\nREE_STORAGE_PATH={tmp_path / 'store'}\nREE_CELERY_BROKER_URL={broker}\n"
    )
    with Group(
        [str(PROGRAMS / "honcho"), "start", "-f", str(PROCFILE), "-d", str(folder)], folder, {}
    ) as group:
        (worker,) = group.wait("worker_ready")
        (beat,) = group.wait("beat_ready" if with_broker else "beat_idle")

        def ready() -> bool:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                return asked(connection, "/ready")[0] == 200
            except OSError:
                return False
            finally:
                connection.close()

        until(ready, "ready")
        assert len(group.processes()) > 4
    told = "amqp://guest:**@127" if with_broker else "none; one worker does everything"
    assert worker["broker"].startswith(told)
    assert beat["broker"].startswith(told)
    assert not re.search("guest:guest|Traceback|Killed", "".join(group.written))
    assert not group.processes()


def test_a_setting_that_cannot_be_used_stops_a_worker_in_one_line(tmp_path: Path) -> None:
    with Group(celery("worker"), tmp_path / "here", {"REE_PORT": "abc"}) as group:
        until(lambda: not group.processes(), "ended")
    assert group.written == [
        "Error: REE_PORT is 'abc'; expected a port, 0 to 65535. Correct it and start again.\n"
    ]


def test_without_a_broker_a_worker_that_missed_its_hour_retrains_by_itself(tmp_path: Path) -> None:
    settings = {
        "REE_STORAGE_PATH": str(tmp_path / "store"),
        "REE_TRAIN_WINDOW_MONTHS": "2",
    }
    read = load_settings(settings, dotenv=os.devnull)
    beat = beat_settings(read)
    app = create_worker(read)
    app.conf.beat_schedule = beat["beat_schedule"]
    file = Scheduler(app, schedule_filename=beat["beat_schedule_filename"])
    file.schedule["monthly"].last_run_at = datetime.now(UTC) - timedelta(40)
    file.close()
    with running(SimulatedMarket(turnovers_per_month=20)) as sandbox:
        settings["REE_API_BASE_URL"] = sandbox.base_url
        with Group(celery("worker"), tmp_path / "here", settings) as worker:
            (ended,) = worker.wait("run_ended")
    container = Container()
    container.settings.override(providers.Object(read))
    (run,) = container.runs().runs()
    assert (run.run_id, run.asked_by) == (ended["run_id"], "celery:schedule")
    assert len(list(run.manifest.period.months())) == 2


@pytest.mark.parametrize("role", ["worker", "beat"])
@pytest.mark.parametrize("wrong", [("guest:guest", "guest:canary"), ("//", "/canary")])
def test_a_broker_that_refuses_us_ends_worker_and_beat_in_one_line(
    role: str, wrong: tuple[str, str], rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    before, sep, after = rabbitmq.url.rpartition(wrong[0])
    settings = {"REE_CELERY_BROKER_URL": before + wrong[1] + after}
    assert sep
    with Group(celery(role), tmp_path / "here", settings) as group:
        (told,) = group.wait("broker_refused")
        assert group.ended() == 1
    assert "REE_CELERY_BROKER_URL" in told["reason"]
    assert [line["event"] for line in group.lines] == ["broker_refused"]
    assert not re.search("canary|Traceback", "".join(group.written).replace("/canary", ""))


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_a_schedule_that_cannot_be_kept_ends_its_process_in_one_line(
    role: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "file").touch()
    settings = {"REE_STORAGE_PATH": str(tmp_path / "file" / "store")}
    if role == "beat":
        settings["REE_CELERY_BROKER_URL"] = request.getfixturevalue("rabbitmq").url
    with Group(celery(role), tmp_path / "here", settings) as group:
        (told,) = group.wait("schedule_not_kept")
        assert group.ended() == 1
    assert "Not a directory. Correct REE_STORAGE_PATH" in told["reason"]
    assert "Traceback" not in "".join(group.written)


def test_without_a_broker_nothing_can_be_asked_for_by_another_process(tmp_path: Path) -> None:
    with Group(celery("call", "ree.retrain_previous_month"), tmp_path / "here", {}) as group:
        assert group.ended() == 1
    (told,) = group.written
    assert told.startswith("Error: There is no broker")
    assert 'run "ree retrain"' in told
