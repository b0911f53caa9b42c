"""When the schedule asks, against a computation of its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from celery.beat import ScheduleEntry

from ree.adapters.settings import Settings, WrongSetting
from ree.entrypoints.schedule import OnTheFirst, Scheduler
from ree.entrypoints.worker import create_worker, knock

START, END = datetime(2025, 11, 15, tzinfo=UTC), datetime(2027, 1, 15, tzinfo=UTC)


def fired(zone: str, start: datetime, until: datetime) -> list[datetime]:
    """By a beat that looks when it was told to look again, as the real one does."""
    app = create_worker(Settings(celery_timezone=zone))
    now = start
    entry = ScheduleEntry("monthly", "task", schedule=OnTheFirst(zone, lambda: now), app=app)
    found = []
    while now < until:
        due, seconds = entry.is_due()
        if due:
            found.append(now)
            entry = next(entry)
        now += timedelta(seconds=max(seconds, 0.01))
    return found


def expected(zone: str) -> list[datetime]:
    firsts = [(2025, 12), *((2026, month) for month in range(1, 13)), (2027, 1)]
    local = [datetime(year, month, 1, 3, 5, tzinfo=ZoneInfo(zone)) for year, month in firsts]
    return [moment.astimezone(UTC) for moment in local]


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Oslo",  # changes on 29 March and on 25 October 2026
        "America/New_York",  # on 8 March, and on 1 November, an hour before
        "America/St_Johns",
        "Atlantic/Azores",
        "Africa/Casablanca",
        "Europe/Istanbul",
        "Pacific/Pago_Pago",
        "UTC",
        "Asia/Dubai",  # where it is 03:05, it is past midnight in Oslo
    ],
)
def test_it_asks_once_in_each_month_in_the_right_minute_by_local_clocks(zone: str) -> None:
    minutes = [moment.replace(second=0, microsecond=0) for moment in fired(zone, START, END)]
    assert minutes == expected(zone)


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
)
def test_a_beat_that_is_started_within_a_change_of_the_clocks_asks_on_the_next_first(
    start: datetime,
) -> None:
    (moment,) = fired("Europe/Oslo", start, start + timedelta(days=20))
    assert moment.astimezone(ZoneInfo("Europe/Oslo")).strftime("%d %H:%M") == "01 03:05"


@pytest.mark.parametrize(
    ("down_since", "due"),
    [
        (datetime(2026, 2, 28, 12, tzinfo=UTC), True),
        (datetime(2026, 3, 1, 2, 6, tzinfo=UTC), False),  # it had asked
    ],
)
def test_a_beat_that_was_down_at_that_minute_catches_up_once(
    tmp_path: Path, down_since: datetime, due: bool
) -> None:
    """It knows from its file when it asked last."""
    app = create_worker(
        Settings(celery_broker_url="amqp://127.0.0.1:1//", storage_path=tmp_path / "new")
    )
    file = app.conf.beat_schedule_filename
    before = Scheduler(app, schedule_filename=file)
    before.schedule["monthly"].last_run_at = down_since
    before.close()
    after = Scheduler(app, schedule_filename=file)
    entry = after.schedule["monthly"]
    entry.schedule.nowfun = lambda: datetime(2026, 3, 10, tzinfo=UTC)
    assert entry.is_due().is_due is due
    assert not next(entry).is_due().is_due
    entry.schedule.nowfun = None
    after.close()


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Kiritimati", "Asia/Karachi"])
def test_a_zone_in_which_the_month_is_not_over_in_oslo_is_refused(zone: str) -> None:
    with pytest.raises(WrongSetting, match="REE_CELERY_TIMEZONE"):
        create_worker(Settings(celery_timezone=zone))


def test_a_broker_that_is_away_at_that_minute_is_waited_for() -> None:
    app = create_worker(Settings(celery_broker_url="amqp://127.0.0.1:1//"))
    knock(app)
    (entry,) = app.conf.beat_schedule.values()
    assert entry["options"]["retry_policy"]["max_retries"] is None
