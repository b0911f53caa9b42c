"""When a retrain is asked for without anyone."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from celery.beat import PersistentScheduler
from celery.schedules import crontab

from ..adapters.settings import Settings, WrongSetting
from ..domain.turnover import day_in_oslo

MONTHLY = "ree.retrain_rolling"
HOUR, MINUTE = 3, 5
_log = structlog.get_logger("ree.worker")
_PATIENT = {"max_retries": None, "interval_start": 1, "interval_step": 5, "interval_max": 60}


class Scheduler(PersistentScheduler):
    """Knows when it asked last from a file, so that it catches up on what it was down for."""

    schedule_filename: str

    def setup_schedule(self) -> None:
        """Read the file, whose folder need not be there yet."""
        check_writable(self.schedule_filename)
        super().setup_schedule()


def check_writable(filename: str) -> None:
    """Ends the process with 1 where beat could not remember when it asked last."""
    folder = Path(filename).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = f"{folder}: {error.strerror}. Correct REE_STORAGE_PATH, or whose folder it is."
        _log.error("schedule_not_kept", reason=reason)
        raise SystemExit(1) from None


class OnTheFirst(crontab):
    """The 1st of each month at 03:05, by the clocks of a zone.

    Read back from beat's file it knows its zone, where Celery's own takes that of whichever
    application is the current one.
    """

    def __init__(self, zone: str, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(minute=MINUTE, hour=HOUR, day_of_month=1, nowfun=now)
        self.zone = zone
        self.tz = ZoneInfo(zone)  # type: ignore[misc, assignment]  # a cached property

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.zone,)


def beat_settings(settings: Settings) -> dict[str, Any]:
    """For an application's `conf`; WrongSetting.

    A broker that is away is waited for, or a month would go by.
    """
    _check_zone(settings.celery_timezone)
    monthly = {
        "task": MONTHLY,
        "schedule": OnTheFirst(settings.celery_timezone),
        "options": {"retry": True, "retry_policy": _PATIENT},
    }
    return {
        "beat_schedule": {"monthly": monthly},
        "beat_scheduler": f"{__name__}:{Scheduler.__name__}",
        "beat_schedule_filename": str(settings.storage_path / "celerybeat-schedule"),
        "beat_sync_every": 1,
    }


def _check_zone(zone: str) -> None:
    """Sales are complete when the month is over in Oslo, too."""
    for month in range(1, 13):
        local = datetime(datetime.now(UTC).year, month, 1, HOUR, MINUTE, tzinfo=ZoneInfo(zone))
        if day_in_oslo(local).day != 1:
            raise WrongSetting(
                "REE_CELERY_TIMEZONE",
                repr(zone),
                f"a zone in which it is the 1st at 0{HOUR}:0{MINUTE} when it is in Oslo, too",
            )
