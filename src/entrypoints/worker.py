"""Workers and the schedule, as Celery runs them: `celery -A ree.entrypoints.worker worker|beat`."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import structlog
from celery import Celery, signals
from celery.beat import EmbeddedService
from click import ClickException

from ..adapters.settings import Settings
from ..container import Container
from ..domain.errors import ReeError
from .broker import IN_PROCESS, QUEUE, DeadLetters, celery_settings, refusal_told
from .correlation import follow_tasks
from .logs import configure_logs
from .schedule import beat_settings, check_writable
from .task_log import quieten
from .task_metrics import watch_tasks
from .tasks import register

_log = structlog.get_logger("ree.worker")


@cache
def container_of_process() -> Container:
    """Connections are not shared over a fork: the child makes its own."""
    return Container()


os.register_at_fork(after_in_child=container_of_process.cache_clear)


class NobodyListens(ReeError, ClickException):
    """A task for a broker in the memory of a process that is no worker; `celery call` tells it."""

    def __init__(self) -> None:
        super().__init__(
            "There is no broker, so that no worker would hear of it. Set REE_CELERY_BROKER_URL, or "
            'run "ree retrain".'
        )


class App(Celery):
    """Sends nothing where nobody would hear of it."""

    is_heard = True

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        """As Celery's; NobodyListens."""
        if not self.is_heard:
            raise NobodyListens
        return super().send_task(*args, **kwargs)


def create_worker(
    settings: Settings, container: Callable[[], Container] = container_of_process
) -> App:
    """An application with every task, whose *container* is asked for as tasks run; WrongSetting."""
    app = App("ree", set_as_current=False)
    app.conf.update(celery_settings(settings) | beat_settings(settings))
    if is_in_process(app):
        # Of a schedule in a process of its own nobody would ever hear.
        app.conf.update(
            worker_pool="solo", beat_schedule={}, beat_scheduler="celery.beat:Scheduler"
        )
    else:
        app.steps["consumer"].add(DeadLetters)
    register(app, container)
    return app


def is_in_process(app: Celery) -> bool:
    """Whether there is no broker."""
    return bool(app.conf.broker_url == IN_PROCESS)


def __getattr__(name: str) -> Any:
    """The application that Celery looks for here; the settings are read only then."""
    if name != "app":
        raise AttributeError(name)
    try:
        return _application()
    except ReeError as error:
        sys.exit(f"Error: {error}")


@cache
def _application() -> App:
    settings = container_of_process().settings()
    app = create_worker(settings)
    follow_tasks()
    watch_tasks(app, settings, container_of_process)
    _attend(app, settings)
    return app


def _attend(app: App, settings: Settings) -> None:
    """Tell what the processes of *app* do, and keep the schedule where nobody else can."""
    told = {"broker": app.connection_for_read().as_uri(), "queue": QUEUE}
    if is_in_process(app):
        told = {"broker": "none; one worker does everything in its own memory, the schedule too"}

    app.is_heard = not is_in_process(app)

    def worker_begins(**_: Any) -> None:
        app.is_heard = True

    def logs_are_wanted(**_: Any) -> None:
        configure_logs(settings.log_level, settings.log_format, secrets=settings.secrets)

    def worker_is_ready(**_: Any) -> None:
        _log.info("worker_ready", **told)
        if is_in_process(app):
            signals.beat_init.disconnect(beat_begins)
            own = beat_settings(settings)
            check_writable(own["beat_schedule_filename"])  # its thread would end unheard
            app.conf.beat_schedule = own["beat_schedule"]
            beat: Any = EmbeddedService(
                app,
                thread=True,
                scheduler_cls=own["beat_scheduler"],
                schedule_filename=own["beat_schedule_filename"],
            )
            beat.start()

    def beat_begins(**_: Any) -> None:
        if is_in_process(app):
            _log.info("beat_idle", **told)
        else:
            knock(app)
            _log.info("beat_ready", **told)

    quieten()
    signals.setup_logging.connect(logs_are_wanted, weak=False)
    signals.worker_init.connect(worker_begins, weak=False)
    signals.worker_ready.connect(worker_is_ready, weak=False)
    signals.beat_init.connect(beat_begins, weak=False)


def knock(app: Celery) -> None:
    """Beat would hear only on the 1st that it is not let in; a broker that is away it waits for."""
    connection = app.connection_for_write()
    with connection, suppress(*connection.connection_errors), refusal_told():
        connection.connect()
