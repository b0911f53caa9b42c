"""A seeded sample of the fault matrix; `make faults` runs all of it."""

import os

import pytest

from . import matrix, trials
from .bench import FileBench, S3Bench
from .conftest import Judge
from .matrix import ACCEPTING, CHAMPION, FIRST, REFUSED, SCENARIOS, Case, Reference, Scenario
from .proxy import Fault, Kind
from .victim import COMPARE_AND_SET, CREATE_ONLY

WITHOUT = os.environ.get("FAULTS_WITHOUT")
"""Sabotage: `create-only` or `compare-and-set` is taken out of the store, and tests fail."""
SIZES = {FIRST: 5, CHAMPION: 10, REFUSED: 4}
FILES = 5

pytestmark = pytest.mark.timeout(300)
scenarios = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@scenarios
def test_a_retrain_survives_what_happens_to_its_requests(
    s3: S3Bench, judge: Judge, scenario: Scenario
) -> None:
    judge.sample(trials.on_storage(s3, scenario, WITHOUT), SIZES[scenario])


def test_a_retrain_survives_that_the_server_is_killed(s3: S3Bench, judge: Judge) -> None:
    judge.sample(trials.on_servers(s3, WITHOUT), 2)


def test_of_eight_at_once_one_wins_each_move_of_the_pointer(s3: S3Bench, judge: Judge) -> None:
    judge.all(trials.in_crowds(s3, WITHOUT, rounds=1))


@scenarios
def test_a_retrain_on_files_survives_kills_and_a_full_disk(
    files: FileBench, judge: Judge, scenario: Scenario
) -> None:
    judge.sample(trials.on_files(files, scenario), FILES)


@pytest.mark.parametrize(
    ("without", "scenario", "kind", "request_"),
    [
        (CREATE_ONLY, CHAMPION, Kind.OVERTAKEN_SAME, "/model.npz If-None-Match"),
        (COMPARE_AND_SET, ACCEPTING, Kind.OVERTAKEN_OTHER, "/latest.json If-Match"),
        (COMPARE_AND_SET, CHAMPION, Kind.KILL_LATE, "/latest.json If-Match"),
    ],
)
def test_without_a_promise_of_the_store_the_matrix_fails(
    s3: S3Bench, without: str, scenario: Scenario, kind: Kind, request_: str
) -> None:
    reference = Reference.of(s3, scenario)
    (at,) = [
        number
        for number, request in enumerate(reference.seen, start=1)
        if request.endswith(request_) and "PUT" in request and "/probes/" not in request
    ]
    case = Case(scenario, Fault(kind, at), point=f"request {at}")
    assert matrix.problems(s3, case, reference, None) == []
    assert matrix.problems(s3, case, reference, without) != []
