"""How a run ended."""

from datetime import UTC, date, datetime

import pytest
from attrs import astuple

from ree.domain.dataset import DatasetManifest
from ree.domain.funnel import Funnel
from ree.domain.run import Ending, Run
from ree.domain.turnover import Period

MOMENT = datetime(2026, 1, 17, tzinfo=UTC)
MANIFEST = DatasetManifest(
    "d", Period(date(2026, 1, 1), date(2026, 1, 1)), "digest", Funnel(()), 0, 0, ()
)


@pytest.mark.parametrize("ending", Ending)
def test_only_a_run_that_moved_the_pointer_is_activated(ending: Ending) -> None:
    run = Run("r", "k", "me", MOMENT, MOMENT, {}, MANIFEST, ending)
    assert run.activated is (ending is Ending.ACTIVATED)
    assert astuple(run, recurse=False)[8:] == (None,) * 5 + (False, {})


def test_endings_are_stored_by_these_words() -> None:
    assert [ending.value for ending in Ending] == [
        "snapshots_only",
        "not_published",
        "activated",
        "refused",
    ]
