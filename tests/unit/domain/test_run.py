"""How a run ended."""

from datetime import UTC, date, datetime

import pytest
from attrs import astuple

from ree.domain.dataset import DatasetManifest
from ree.domain.funnel import Funnel
from ree.domain.run import Ending, Run, refusals_in_a_row
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


@pytest.mark.parametrize(
    ("newest_first", "count"),
    [
        ("", 0),
        ("a", 0),
        ("r", 1),
        ("rra r", 2),
        ("arr", 0),
        ("rsrnr", 3),
        ("Rr", 1),
        ("sna", 0),
    ],
)
def test_refusals_count_up_to_a_model_that_passed(newest_first: str, count: int) -> None:
    """r and a made a version; R was refused without one, s took snapshots, n was not published."""
    told = {
        "r": (Ending.REFUSED, "v"),
        "R": (Ending.REFUSED, None),
        "a": (Ending.ACTIVATED, "v"),
        "s": (Ending.SNAPSHOTS_ONLY, None),
        "n": (Ending.NOT_PUBLISHED, None),
    }
    runs = [
        Run("r", "k", "me", MOMENT, MOMENT, {}, MANIFEST, ending, model_version=version)
        for ending, version in (told[letter] for letter in newest_first.replace(" ", ""))
    ]
    assert refusals_in_a_row(runs) == count
