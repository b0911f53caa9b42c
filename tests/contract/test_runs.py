"""What every log of runs promises (ree.domain.ports.RunLog)."""

from datetime import UTC, date, datetime, timedelta
from math import inf, isnan, nan
from typing import Any

import pytest
from attrs import evolve, field, frozen

from ree.adapters.codec import plain
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectStore, Stored
from ree.adapters.runs import ObjectRuns
from ree.domain.dataset import DatasetManifest, MonthSnapshot
from ree.domain.errors import StorageError, UnknownRun
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.funnel import Funnel, Stage
from ree.domain.gating import Check, Outcome, Verdict
from ree.domain.ports import RunLog
from ree.domain.run import Ending, Run
from ree.domain.turnover import Period
from ree.domain.verification import Soundness

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
FUNNEL = Funnel((Stage("normalise", 3, 2, {"multi_unit": 1}),))
MONTH = MonthSnapshot("snapshots/a", JANUARY, MOMENT, "d1", FUNNEL, 2, 2)
METRICS = Metrics(3, 3e5, 4e5, 0.1, 0.08, 1 / 3, nan, 0.6, 0.9)
RUN = Run(
    run_id="20260203-040506-00000001",
    key="key",
    asked_by="me",
    started_at=MOMENT,
    finished_at=MOMENT,
    steps={"fetch": 1.25, "train": 0.1},
    manifest=DatasetManifest("datasets/a", JANUARY, "d2", FUNNEL, 2, 2, (MONTH,)),
    ending=Ending.ACTIVATED,
    evaluation=Evaluation(METRICS, {"enebolig": METRICS}, {"0301": METRICS}),
    baseline=Evaluation(METRICS),
    verdict=Verdict(
        (
            Check("enough_rows", Outcome.PASSED, {"rows": 600, "holdout_rows": 50}),
            Check("overall_mae", Outcome.FAILED, {"candidate": nan, "degradation": inf}),
            Check("enebolig_p90", Outcome.INCONCLUSIVE, {"n": 3}, blocks_if_inconclusive=False),
        ),
        accept_inconclusive=True,
    ),
    model_version="20260203-040506-deadbeef",
    unreadable_replaced="a disk died",
)


@pytest.fixture
def runs(objects: ObjectStore) -> RunLog:
    return ObjectRuns(objects)


def test_there_are_no_runs(runs: RunLog) -> None:
    assert list(runs.runs()) == []
    assert runs.with_key("key") is None


def test_a_run_is_read_back_as_it_was(runs: RunLog) -> None:
    runs.record(RUN)
    found = runs.run(RUN.run_id)
    assert plain(found) == plain(RUN)
    assert found.ending is Ending.ACTIVATED
    assert found.manifest == RUN.manifest
    assert found.started_at == MOMENT
    assert found.evaluation is not None
    assert isnan(found.evaluation.overall.p90)
    assert found.evaluation.overall.wape == 1 / 3
    assert found.verdict is not None
    assert not found.verdict.passed
    assert [check.outcome for check in found.verdict.checks] == list(Outcome)[:3]
    assert found.verdict.checks[1].figures == {"candidate": None, "degradation": None}


def test_a_run_that_trained_nothing_is_read_back_too(runs: RunLog) -> None:
    bare = Run("a", "key", "me", MOMENT, MOMENT, {}, RUN.manifest, Ending.SNAPSHOTS_ONLY)
    runs.record(bare)
    assert runs.run("a") == bare


def test_the_newest_run_is_first(runs: RunLog) -> None:
    for run_id in ("20260203-1", "20260205-1", "20260204-1"):
        runs.record(evolve(RUN, run_id=run_id))
    assert [run.run_id for run in runs.runs()] == ["20260205-1", "20260204-1", "20260203-1"]


@pytest.mark.parametrize("run_id", ["20260101-000000-00000000", "", "..", "../latest", "a b", "/"])
def test_an_unknown_run(runs: RunLog, run_id: str) -> None:
    runs.record(RUN)
    with pytest.raises(UnknownRun):
        runs.run(run_id)


def test_a_report_is_never_changed(runs: RunLog) -> None:
    runs.record(RUN)
    runs.record(evolve(RUN, asked_by="somebody else"))
    assert [run.asked_by for run in runs.runs()] == ["me"]


@pytest.mark.parametrize(
    ("ending", "version", "settles"),
    [
        (Ending.ACTIVATED, "v", True),
        (Ending.REFUSED, "v", True),
        (Ending.REFUSED, None, False),
        (Ending.NOT_PUBLISHED, None, False),
        (Ending.NOT_PUBLISHED, "v", False),
        (Ending.SNAPSHOTS_ONLY, None, False),
    ],
)
def test_only_a_published_or_rejected_version_settles_a_key(
    runs: RunLog, ending: Ending, version: str | None, settles: bool
) -> None:
    runs.record(evolve(RUN, ending=ending, model_version=version))
    found = runs.with_key("key")
    assert (found is not None) is settles
    assert runs.with_key("another key") is None


def test_a_later_dry_run_does_not_hide_what_settled_its_key(runs: RunLog) -> None:
    runs.record(RUN)
    runs.record(evolve(RUN, run_id="20260204-1", ending=Ending.SNAPSHOTS_ONLY))
    found = runs.with_key("key")
    assert found is not None
    assert found.run_id == RUN.run_id


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"run_id": 3}'])
def test_a_corrupted_report_is_a_storage_error(
    objects: ObjectStore, runs: RunLog, body: bytes
) -> None:
    objects.create("runs/a.json", body)
    with pytest.raises(StorageError, match=r"runs/a\.json"):
        runs.run("a")


@frozen(eq=False)
class Read:
    """A store that tells what is read of it."""

    inner: ObjectStore
    gets: list[str] = field(factory=list)

    def get(self, key: str) -> Stored:
        self.gets.append(key)
        return self.inner.get(key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_a_listing_reads_what_is_new_and_a_verification_all() -> None:
    objects = Read(MemoryObjects())
    runs = ObjectRuns(objects)
    runs.record(evolve(RUN, run_id="a"))
    assert [run.run_id for run in runs.runs()] == ["a"]
    runs.record(evolve(RUN, run_id="b", started_at=MOMENT + timedelta(days=1)))
    objects.gets.clear()
    for _ in range(2):
        assert [run.run_id for run in runs.runs()] == ["b", "a"]
    assert objects.gets == ["runs/b.json"]
    objects.inner._objects["runs/a.json"] = b"{"  # type: ignore[attr-defined]
    assert [finding.soundness for finding in runs.verify()] == [Soundness.BROKEN, Soundness.SOUND]


def test_a_damaged_report_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    objects = MemoryObjects()
    objects.create("runs/a.json", b"{")
    runs = ObjectRuns(objects)
    for _ in range(2):
        assert list(runs.runs()) == []
    assert len(caplog.records) == 1
