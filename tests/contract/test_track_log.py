"""What every track record promises (ree.domain.ports.TrackLog)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import isnan, nan

import pytest
from attrs import evolve

from ree.adapters.codec import plain
from ree.adapters.objects import ObjectStore, Stored
from ree.adapters.seal import Seal, generate_keys
from ree.adapters.track_log import ObjectTrackLog
from ree.domain.coverage import Coverage
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.ports import TrackLog
from ree.domain.ratio_study import Ratio, RatioStudy
from ree.domain.track_record import TrackedMonth
from ree.domain.turnover import Period
from ree.domain.verification import Soundness

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
MOMENT = datetime(2026, 2, 1, 3, 5, 6, 789, tzinfo=UTC)
FIRST, SECOND = "20260101-030500-00000001", "20260201-030500-00000002"
STUDY = RatioStudy(3, *(Ratio(value, nan, 1 / 3) for value in (1.01, 12.5, 1.02, -0.01)))
METRICS = Metrics(
    3, 3e5, 4e5, 0.1, 0.08, 1 / 3, nan, 0.6, 0.9, STUDY, (Coverage(3, 0.9, 1.0, 0.3, 1.0, 0.5),)
)
MONTH = TrackedMonth(
    version=FIRST,
    trained_until=date(2025, 12, 31),
    month=JANUARY,
    snapshot_digest="0123456789abcdef",
    scored_at=MOMENT,
    evaluation=Evaluation(METRICS, {"hytte": METRICS}, by_reach={"usual": METRICS}),
    excluded={"missing:built_year": 4},
    holdout=evolve(METRICS, n=9),
)
KEY = f"track_record/{FIRST}/2026-01-01234567.json"


@pytest.fixture
def log(objects: ObjectStore) -> TrackLog:
    return ObjectTrackLog(objects)


def test_there_are_no_months(log: TrackLog) -> None:
    assert list(log.months()) == []
    assert list(log.verify()) == []


def test_a_month_is_read_back_as_it_was(objects: ObjectStore, log: TrackLog) -> None:
    log.record(MONTH)
    assert objects.keys("") == [KEY]
    (found,) = log.months()
    assert plain(found) == plain(MONTH)
    assert found.month == JANUARY
    assert found.scored_at == MOMENT
    assert found.key == MONTH.key
    assert isnan(found.evaluation.overall.p90)
    assert found.evaluation.overall.wape == 1 / 3
    assert [finding.soundness for finding in log.verify()] == [Soundness.SOUND]


def test_one_that_is_there_is_left_as_it_is(log: TrackLog) -> None:
    log.record(MONTH)
    log.record(evolve(MONTH, scored_at=MOMENT + timedelta(days=1), excluded={}))
    assert [month.scored_at for month in log.months()] == [MOMENT]


def test_the_newest_month_is_first(log: TrackLog) -> None:
    for year in (2024, 2026, 2025):
        month = Period(date(year, 1, 1), date(year, 1, 31))
        log.record(evolve(MONTH, month=month, scored_at=MOMENT - timedelta(days=year)))
    assert [month.month.start.year for month in log.months()] == [2026, 2025, 2024]


def test_of_two_fetches_of_a_month_the_last_scored_counts(log: TrackLog) -> None:
    later = evolve(MONTH, snapshot_digest="f" * 16, scored_at=MOMENT + timedelta(days=3))
    between = evolve(MONTH, snapshot_digest="0" * 16, scored_at=MOMENT + timedelta(days=1))
    for month in (later, MONTH, between):
        log.record(month)
    assert [month.snapshot_digest for month in log.months()] == ["f" * 16]


def test_versions_have_months_of_their_own(log: TrackLog) -> None:
    log.record(evolve(MONTH, version=SECOND, scored_at=MOMENT + timedelta(days=1)))
    log.record(MONTH)
    log.record(evolve(MONTH, month=FEBRUARY, snapshot_digest="2" * 16))
    assert [(month.version, month.month) for month in log.months()] == [
        (FIRST, FEBRUARY),
        (SECOND, JANUARY),
        (FIRST, JANUARY),
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"version": 3}'])
def test_a_damaged_one_is_left_out_and_told(
    objects: ObjectStore,
    log: TrackLog,
    overwrite: Callable[[str, bytes], None],
    body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.record(MONTH)
    log.record(evolve(MONTH, month=FEBRUARY))
    overwrite(KEY, body)
    assert [month.month for month in log.months()] == [FEBRUARY]
    assert KEY in caplog.text
    assert [
        (f.subject, f.soundness) for f in log.verify() if f.soundness is not Soundness.SOUND
    ] == [(KEY, Soundness.BROKEN)]


def test_one_that_was_put_elsewhere_is_told(objects: ObjectStore, log: TrackLog) -> None:
    log.record(MONTH)
    elsewhere = KEY.replace(FIRST, SECOND)
    objects.create(elsewhere, objects.get(KEY).body)
    assert [month.version for month in log.months()] == [FIRST]
    assert [finding.subject for finding in log.verify() if finding.detail] == [elsewhere]


def test_what_no_trusted_key_signed_counts_for_nothing(objects: ObjectStore) -> None:
    private, public = generate_keys()
    ObjectTrackLog(objects).record(MONTH)
    trusting = ObjectTrackLog(objects, Seal.of(private, [public]))
    trusting.record(evolve(MONTH, month=FEBRUARY))
    assert [month.month for month in trusting.months()] == [FEBRUARY]


def test_to_look_again_is_a_listing_and_to_verify_reads(
    objects: ObjectStore, overwrite: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    get = type(objects).get

    def counted(store: ObjectStore, key: str) -> Stored:
        read.append(key)
        return get(store, key)

    monkeypatch.setattr(type(objects), "get", counted)
    log = ObjectTrackLog(objects)
    log.record(MONTH)
    assert list(log.months()) == list(log.months())
    assert read == [KEY]
    log.record(evolve(MONTH, month=FEBRUARY))
    assert len(log.months()) == 2
    assert len(read) == 2
    overwrite(KEY, b"{}")
    assert KEY in [finding.subject for finding in log.verify() if finding.detail]
