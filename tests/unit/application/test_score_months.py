"""Scoring months when storage does not answer."""

import logging
from typing import Any

import pytest

from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.registry import ObjectRegistry
from ree.adapters.table import NumpyTable
from ree.adapters.track_log import ObjectTrackLog
from ree.application.merge_sales import MergeSales
from ree.application.score_months import ScoreMonths
from ree.domain.errors import StorageUnavailable

from ...acceptance.town import Assessor, Clock


class Unreachable:
    def __getattr__(self, name: str) -> Any:
        raise StorageUnavailable("The storage does not answer; try again.")


@pytest.mark.parametrize("failing", ["registry", "track_log"])
def test_nobody_fails_for_it(failing: str, caplog: pytest.LogCaptureFixture) -> None:
    objects = MemoryObjects()
    parts: dict[str, Any] = {
        "registry": ObjectRegistry(objects, Clock()),
        "track_log": ObjectTrackLog(objects),
    }
    score = ScoreMonths(
        merge_sales=MergeSales(Unreachable(), NumpyTable()),
        evaluator=Assessor(),
        clock=Clock(),
        **(parts | {failing: Unreachable()}),
    )
    assert score([]) == ()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    (record,) = caplog.records
    assert record.message == "months_not_scored"
    assert "does not answer" in vars(record)["reason"]


def test_words_that_are_not_ours_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def months(self) -> Any:
            raise ValueError("canary")

    nothing: Any = None
    assert ScoreMonths(nothing, nothing, nothing, Broken(), nothing)([]) == ()  # type: ignore[arg-type]
    (record,) = caplog.records
    assert "canary" not in record.getMessage()
    assert "reason" not in vars(record)
    assert record.exc_info is not None
