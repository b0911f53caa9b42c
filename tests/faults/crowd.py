"""Eight retrains at once: each move of the pointer has one winner, and all end with a verdict."""

from collections.abc import Iterator
from typing import Any

from attrs import evolve, frozen

from . import invariants
from .bench import S3Bench
from .invariants import POINTER, Store
from .matrix import Scenario
from .nursery import Ended
from .proxy import Run
from .victim import Job

SIZE = 8


@frozen
class Crowd:
    """Eight of a scenario's retrain, all equal or each with a recipe of its own."""

    scenario: Scenario
    equal: bool
    round: int = 1

    @property
    def group(self) -> str:
        """What a sample has some of each of."""
        return "CROWD OF EQUALS" if self.equal else "CROWD"

    def __str__(self) -> str:
        kind = "equal" if self.equal else "different"
        return f"{self.scenario.name}: {SIZE} {kind} retrains at once, round {self.round}"

    def jobs(self, without: str | None) -> list[Job]:
        """What the eight do."""
        job = evolve(self.scenario.job, without=without)
        if self.equal:
            return [job] * SIZE
        return [
            evolve(job, trees=job.trees + n, accept_inconclusive=n % 4 > 0) for n in range(SIZE)
        ]


def problems(bench: S3Bench, crowd: Crowd, without: str | None) -> list[str]:
    """What went wrong."""
    return [f"{crowd}: {line}" for line in _problems(bench, crowd, without)]


def _problems(bench: S3Bench, crowd: Crowd, without: str | None) -> Iterator[str]:
    bench.put_back({})
    for job in crowd.scenario.before:
        bench.retrain(job)
    start = bench.contents()
    jobs, run = crowd.jobs(without), Run()
    ended = bench.crowd(jobs, run)
    after = bench.contents()
    yield from invariants.sound(after)
    yield from invariants.kept(start, after)
    yield from _verdicts(ended)
    store = Store(after)
    moves = store.activated()[len(Store(start).activated()) :]
    yield from _moves(moves, run)
    if len(set(moves)) != len(moves):
        yield f"a version was activated twice: {moves}"
    told = [one.told for one in ended if "ending" in one.told]
    activated = {one["version"] for one in told if one["ending"] == "activated"}
    if set(moves) != activated:
        yield f"the pointer moved to {sorted(moves)}, the eight tell of {sorted(activated)}"
    if crowd.equal:
        yield from _one_for_all(store, told)
    if not moves:
        yield "nobody moved the pointer"
    for job, one in zip(jobs, ended, strict=True):
        again = bench.retrain(evolve(job, hour=job.hour + 1))
        if not again.told.get("reused") or again.told["ending"] != one.told.get("ending"):
            yield f"a rerun ended otherwise: {again} after {one}"
    if bench.contents() != after:
        yield "a rerun changed the store"


def _one_for_all(store: Store, told: list[dict[str, Any]]) -> Iterator[str]:
    """Equal retrains make one version between them, and one report."""
    if len({(one["ending"], one["key"], one["version"], one["run_id"]) for one in told}) != 1:
        yield f"equal retrains ended differently: {told}"
        return
    for kind, found in (
        ("versions", store.versions_of(told[0]["key"])),
        ("reports", store.reports_of(told[0]["key"])),
    ):
        if len(found) != 1:
            yield f"eight equal retrains made {len(found)} {kind}"


def _verdicts(ended: list[Ended]) -> Iterator[str]:
    for one in ended:
        if one.code or one.told.get("ending") not in ("activated", "refused"):
            yield f"one ended without a verdict: {one}"


def _moves(moves: list[str], run: Run) -> Iterator[str]:
    """On the wire, too, each move is one write that was let through."""
    writes = [
        seen.status
        for seen in run.seen
        if seen.request.method == "PUT" and seen.request.target == f"/{POINTER}"
    ]
    if writes.count(200) != len(moves):
        yield f"{writes.count(200)} writes of the pointer were let through for {len(moves)} moves"
    if set(writes) - {200, 412}:
        yield f"the pointer was written with the answers {sorted(set(writes), key=str)}"
