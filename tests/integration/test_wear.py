"""The benchmarks that wear the service down, in short, and that they would notice."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SOON = 3.0
"""Seconds for /health, whatever else is asked."""

pytestmark = [
    pytest.mark.skipif(not BENCHMARKS.exists(), reason="tests without the benchmarks"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def module() -> Iterator[Callable[[str], ModuleType]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield import_module


def test_twenty_thousand_damaged_requests(module: Callable[[str], ModuleType]) -> None:
    report = module("fuzz").fuzz(bodies=20_000, seed=11, workers=2, clients=2)
    print(report)
    assert report.faults == []
    assert report.seen["(sent)"] >= 20_000
    for kind in ("200", "400 malformed-json", "400 about:blank", "422 invalid-properties"):
        assert report.seen[kind] > 50, kind
    assert report.pulse.asked > 5
    assert report.pulse.slowest < SOON
    grown = [report.after[pid].uss - memory.uss for pid, memory in report.before.items()]
    assert max(grown) < 30, "MiB"


def test_swaps_and_a_killed_worker_under_two_hundred_connections(
    module: Callable[[str], ModuleType],
) -> None:
    report = module("endurance").swaps(seconds=8, connections=200, workers=2)
    print(report)
    assert report.faults == []
    assert len(report.told) > 2_000
    assert report.killed.replaced
    assert 0 < len(report.lost) <= len(report.killed.ports) < 200
    assert report.pulse.slowest < SOON


def test_memory_stays_within_bounds(module: Callable[[str], ModuleType]) -> None:
    report = module("endurance").memory(requests=6_000, connections=16, workers=2, most_grown=15)
    print(report)
    assert report.faults == []


SWAPPED: dict[str, Any] = {
    "told": [(1, 0), (11, 1), (21, 1), (31, 2)],
    "lost": [7],
    "moves": [10, 30],
}


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ({}, None),
        ({"told": [*SWAPPED["told"], (16, 0)]}, "older long after"),
        ({"told": [*SWAPPED["told"], (5, 1)]}, "1 before"),
        ({"told": [(1, 0), (11, 1)]}, "not every version"),
        ({"lost": [7, 9]}, "1 answers of other workers"),
        ({"lost": [7, 8, 8]}, "3 lost of 2 connections"),
        ({"wrong": ["no version says so"]}, "no version says so"),
        ({"failed": 1}, "/health was not answered"),
    ],
)
def test_the_trial_of_swaps_notices(
    module: Callable[[str], ModuleType], seen: dict[str, Any], fault: str | None
) -> None:
    endurance, given = module("endurance"), SWAPPED | seen
    pulse = module("siege").Pulse(None)
    pulse.failed = [0] * given.get("failed", 0)
    report = endurance.SwapsReport(
        told=[module("crowd").Told(began, 0.1, rank) for began, rank in given["told"]],
        lost=[(20.0, port) for port in given["lost"]],
        wrong=given.get("wrong", []),
        opened=1,
        moves=given["moves"],
        killed=endurance.Killed(1, {7, 8}, replaced=True),
        pulse=pulse,
        seconds=40.0,
    )
    assert [found for found in report.faults if fault and fault in found] == report.faults
    assert bool(report.faults) == bool(fault)


GOOD = b'{"1": {"lat": 1}}'
FIELDS = {
    "content-type": "application/json",
    "x-request-id": "f-1",
}


def answered(module: Callable[[str], ModuleType], status: int, body: bytes, **fields: str) -> Any:
    """What is counted; Wrong if it must not be."""
    answers, bodies = module("fuzz_answers"), module("fuzz_bodies")
    given = FIELDS | {name.replace("_", "-"): value for name, value in fields.items()}
    rows = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    raw = f"HTTP/1.1 {status} X\r\n{rows}Content-Length: {len(body)}\r\n\r\n".encode() + body
    answer, end = answers.taken(raw, 0)
    assert end == len(raw)
    request = bodies.Request(b"", GOOD, b"f-1")
    seen: Any = module("collections").Counter()
    answers.judge_all([request], [answer], seen)
    return seen


ESTIMATE = b'{"1":{"estimated_price":1,"model_version":"v"}}'
PROBLEM = (
    b'{"type":"urn:ree:problem:malformed-json","title":"t","status":400,"detail":"d",'
    b'"request_id":"f-1"}'
)
AS_PROBLEM = {"content_type": "application/problem+json"}


def test_the_fuzz_takes_what_is_right(module: Callable[[str], ModuleType]) -> None:
    assert answered(module, 200, ESTIMATE) == {"200": 1}
    assert answered(module, 400, PROBLEM, **AS_PROBLEM) == {"400 malformed-json": 1}


@pytest.mark.parametrize(
    ("status", "body", "fields"),
    [
        (500, PROBLEM.replace(b"400", b"500"), AS_PROBLEM),
        (503, PROBLEM.replace(b"400", b"503"), AS_PROBLEM),  # without Retry-After
        (400, PROBLEM, {}),
        (400, PROBLEM, AS_PROBLEM | {"x_request_id": "f-2"}),
        (400, PROBLEM.replace(b"400", b"422"), AS_PROBLEM),
        (400, PROBLEM.replace(b'"detail":"d",', b""), AS_PROBLEM),
        (400, PROBLEM.replace(b"}", b',"traceback":""}'), AS_PROBLEM),
        (400, b"<html>", AS_PROBLEM),
        (200, b"", {}),
        (200, ESTIMATE.replace(b'"1"', b'"2"'), {}),
        (200, ESTIMATE.replace(b"1,", b"NaN,"), {}),
        (200, b'{"1":{}}', {}),
        (200, b'{"1":{"estimated_price":1,"model_version":"v","error":{}}}', {}),
    ],
)
def test_the_fuzz_notices(
    module: Callable[[str], ModuleType], status: int, body: bytes, fields: dict[str, str]
) -> None:
    with pytest.raises(module("fuzz_answers").Wrong):
        answered(module, status, body, **fields)


def test_the_same_seed_makes_the_same_requests(module: Callable[[str], ModuleType]) -> None:
    bodies = module("fuzz_bodies")

    def made(seed: int) -> list[Any]:
        random = Random(seed)
        batches = bodies.requests(random, bodies.corpus(random, 50), 4)
        return [next(batches) for _ in range(100)]

    assert made(1) == made(1)
    assert made(1) != made(2)
