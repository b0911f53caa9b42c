"""What every log of drift promises (ree.domain.ports.DriftLog)."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from ree.adapters import codec
from ree.adapters.drift_log import ObjectDriftLog
from ree.adapters.objects import ObjectStore
from ree.adapters.seal import Seal, generate_keys
from ree.domain.drift import DriftVerdict
from ree.domain.errors import StorageError
from ree.domain.ports import DriftLog
from ree.domain.turnover import Period
from ree.domain.verification import Soundness

from ..drift_report import JANUARY, VERSION, drift_report

REPORT = drift_report()
KEY = f"drift/{VERSION}/2026-01-01_2026-01-31-01234567.json"
DECEMBER = Period(date(2025, 12, 1), date(2025, 12, 31))
Overwrite = Callable[[str, bytes], None]


@pytest.fixture
def log(objects: ObjectStore) -> DriftLog:
    return ObjectDriftLog(objects)


def test_nobody_has_looked(log: DriftLog) -> None:
    assert log.newest(VERSION) is None
    assert list(log.verify()) == []


def test_a_report_is_read_back_as_it_was(objects: ObjectStore, log: DriftLog) -> None:
    assert log.record(REPORT) == REPORT
    assert objects.keys("") == [KEY]
    found = ObjectDriftLog(objects).newest(VERSION)
    assert found is not None
    assert codec.plain(found) == codec.plain(REPORT)
    assert found.features[0].most_changed == REPORT.features[0].most_changed
    assert found.verdict is DriftVerdict.WATCH
    assert json.loads(objects.get(KEY).body)["features"][1]["psi"] is None


def test_a_report_is_never_changed(log: DriftLog) -> None:
    log.record(REPORT)
    later = drift_report(checked_at=REPORT.checked_at + timedelta(days=1))
    assert log.record(later).checked_at == REPORT.checked_at
    newest = log.newest(VERSION)
    assert newest is not None
    assert newest.checked_at == REPORT.checked_at


def test_the_newest_is_of_the_last_period_and_of_that_the_last_made(log: DriftLog) -> None:
    later = REPORT.checked_at + timedelta(days=3)
    other = drift_report(digest="f" * 64, checked_at=later - timedelta(days=1))
    for report in (
        other,
        REPORT,
        drift_report(period=DECEMBER, checked_at=later),
        drift_report(version="20260203-040506-00000000", period=Period(JANUARY.start, date.max)),
    ):
        log.record(report)
    newest = log.newest(VERSION)
    assert newest is not None
    assert (newest.period, newest.digest) == (JANUARY, other.digest)


def test_what_was_read_is_not_read_again_but_by_who_verifies(
    objects: ObjectStore, log: DriftLog, overwrite: Overwrite
) -> None:
    log.record(REPORT)
    assert log.newest(VERSION)
    overwrite(KEY, b"{}")
    assert log.newest(VERSION)
    assert ObjectDriftLog(objects).newest(VERSION) is None
    assert [finding.soundness for finding in log.verify()] == [Soundness.BROKEN]
    with pytest.raises(StorageError, match=KEY):
        log.record(REPORT)


def test_a_damaged_report_is_passed_over_and_found(
    log: DriftLog, overwrite: Overwrite, caplog: pytest.LogCaptureFixture
) -> None:
    log.record(REPORT)
    log.record(drift_report(period=DECEMBER))
    overwrite(KEY, b"[]")
    newest = log.newest(VERSION)
    assert newest is not None
    assert newest.period == DECEMBER
    assert KEY in caplog.text
    assert {finding.subject: finding.soundness for finding in log.verify()} == {
        KEY: Soundness.BROKEN,
        KEY.replace(str(JANUARY), str(DECEMBER)): Soundness.SOUND,
    }


def test_a_report_at_another_ones_place_is_not_believed(objects: ObjectStore) -> None:
    private, public = generate_keys()
    log = ObjectDriftLog(objects, Seal.of(private, [public]))
    log.record(REPORT)
    other = KEY.replace(VERSION, "20260203-040506-00000000")
    objects.create(other, objects.get(KEY).body)
    assert log.newest("20260203-040506-00000000") is None
    assert [finding.subject for finding in log.verify() if finding.detail] == [other]


def test_a_report_that_nobody_trusted_signed_is_not_believed(objects: ObjectStore) -> None:
    ObjectDriftLog(objects).record(REPORT)
    _, public = generate_keys()
    log = ObjectDriftLog(objects, Seal.of(None, [public]))
    assert log.newest(VERSION) is None
    assert [finding.soundness for finding in log.verify()] == [Soundness.BROKEN]
