"""The cases: what is broken at which point of which retrain, and whether it survived that."""

from collections.abc import Iterator
from typing import Any

from attrs import evolve, field, frozen

from . import invariants
from .bench import Bench, Contents, S3Bench
from .invariants import Store
from .nursery import Ended
from .proxy import Fault, Kind, Run
from .victim import WRITES, Job

KILLED = -9
IMPATIENT = 0.7
"""Seconds that a client waits where waiting for it is the case."""


@frozen
class Scenario:
    """A retrain and what there was before it."""

    name: str
    job: Job
    before: tuple[Job, ...] = ()


FIRST = Scenario("first", Job(whole=False))
CHAMPION = Scenario("champion", Job(), (Job(whole=False, hour=5),))
REFUSED = Scenario("refused", Job(trees=1), (Job(whole=False, hour=5),))
ACCEPTING = Scenario("accepting", Job(accept_inconclusive=True), (Job(whole=False, hour=5),))
SCENARIOS = (FIRST, CHAMPION, REFUSED)
RIVAL = Job(trees=41, accept_inconclusive=True)

_KILLS = (Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.KILL_LATE)
_LOSSES = (Kind.RESET, Kind.LOST, Kind.DELAYED)
_ANSWERED = (Kind.STATUS_500, Kind.STATUS_503, Kind.STATUS_403)
_OVERTAKEN = (Kind.OVERTAKEN_SAME, Kind.OVERTAKEN_OTHER, Kind.LOST_SAME, Kind.LOST_OTHER)
_RIVALLED = (Kind.OVERTAKEN_OTHER, Kind.LOST_OTHER)
_DOWN = (Kind.DOWN_BEFORE, Kind.DOWN_AFTER)
_SERVER = (Kind.BOUNCED_BEFORE, Kind.DOWN_BEFORE, Kind.DOWN_AFTER, Kind.BOUNCED_AFTER)
_DOUBLING = (Kind.KILL_LATE, *_OVERTAKEN)
"""Of these two runs are on their way at once, so that a month may be fetched twice."""


@frozen
class Case:
    """One thing that goes wrong in one retrain."""

    scenario: Scenario
    fault: Fault | None = None
    changes: dict[str, Any] = field(factory=dict)
    """What the job does to itself: die at a step, die at or be refused a file operation."""
    point: str = ""

    @property
    def group(self) -> str:
        """What a sample has some of each of."""
        if self.fault is None:
            return next(iter(self.changes))
        return f"{self.fault.kind.name}{' forever' * self.fault.forever}"

    def __str__(self) -> str:
        what = self.group if self.fault is None else self.fault.kind.value
        forever = ", from then on" if self.fault and self.fault.forever else ""
        return f"{self.scenario.name}: {self.point}: {what}{forever}"


@frozen
class Reference:
    """A scenario when nothing goes wrong."""

    start: Contents
    told: dict[str, Any]
    seen: tuple[str, ...]
    datasets: dict[str, bytes]

    @classmethod
    def of(cls, bench: Bench, scenario: Scenario) -> "Reference":
        """Run it; the bench holds what comes of it."""
        bench.put_back({})
        for job in scenario.before:
            _well(bench.retrain(job))
        start = dict(bench.contents())
        if isinstance(bench, S3Bench):
            run = Run()
            told = _well(bench.victim(scenario.job, run))
            seen = tuple(str(seen.request) for seen in run.seen)
        else:
            told = _well(bench.retrain(scenario.job))
            seen = tuple(told["files"])
        return cls(start, told, seen, Store(bench.contents()).datasets())


def _well(ended: Ended) -> dict[str, Any]:
    if ended.code or "ending" not in ended.told:
        raise RuntimeError(f"a retrain without a fault failed: {ended}")
    return ended.told


# The cases


def storage_cases(scenario: Scenario, reference: Reference) -> Iterator[Case]:
    """Every request broken in every way; beside CHAMPION, and in probes, in fewer."""
    for number, request in enumerate(reference.seen, start=1):
        write, probe = request.startswith("PUT"), "/probes/" in request
        if scenario is CHAMPION and not probe:
            faults = _write_faults(number) if write else _read_faults(number)
        elif scenario is CHAMPION or not probe:
            faults = _few_write_faults(number) if write else _few_read_faults(number)
        else:
            continue
        for fault in faults:
            case = Case(scenario, fault, {}, f"request {number}, {request}")
            yield case
            if fault.kind in _RIVALLED and scenario is CHAMPION:
                yield evolve(case, scenario=ACCEPTING)


def _write_faults(number: int) -> Iterator[Fault]:
    for kind in (*_KILLS, *_LOSSES, Kind.LATE, *_ANSWERED, *_OVERTAKEN):
        yield Fault(kind, number)
    for kind in (*_LOSSES, *_ANSWERED):
        yield Fault(kind, number, forever=True)


def _read_faults(number: int) -> Iterator[Fault]:
    """It changes nothing, so that it does not matter whether it was done."""
    overtaken = (Kind.OVERTAKEN_SAME, Kind.OVERTAKEN_OTHER)
    for kind in (Kind.KILL_BEFORE, *_LOSSES, Kind.TRUNCATED, *_ANSWERED, *overtaken):
        yield Fault(kind, number)
    for kind in (Kind.LOST, Kind.STATUS_500, Kind.STATUS_403):
        yield Fault(kind, number, forever=True)


def _few_write_faults(number: int) -> Iterator[Fault]:
    overtaken = (Kind.OVERTAKEN_SAME, Kind.OVERTAKEN_OTHER)
    for kind in (*_KILLS, Kind.LOST, Kind.LATE, Kind.STATUS_403, *overtaken):
        yield Fault(kind, number)
    yield Fault(Kind.STATUS_500, number, forever=True)


def _few_read_faults(number: int) -> Iterator[Fault]:
    for kind in (Kind.KILL_BEFORE, Kind.TRUNCATED):
        yield Fault(kind, number)
    yield Fault(Kind.STATUS_500, number, forever=True)


def server_cases(scenario: Scenario, reference: Reference) -> Iterator[Case]:
    """The server killed around every write in four ways, around other requests in one."""
    for number, request in enumerate(reference.seen, start=1):
        write, probe = request.startswith("PUT"), "/probes/" in request
        for kind in _SERVER if write and not probe else [_SERVER[number % len(_SERVER)]]:
            fault = Fault(kind, number, forever=kind in _DOWN)
            yield Case(scenario, fault, {}, f"request {number}, {request}")


def step_cases(scenario: Scenario, reference: Reference) -> Iterator[Case]:
    """Killed before and after every step."""
    for number in range(reference.told["steps"] + 1):
        when = "after" if number % 2 else "before"
        yield Case(scenario, None, {"kill_at_step": number}, f"{when} step {number // 2 + 1}")


def file_cases(scenario: Scenario, reference: Reference) -> Iterator[Case]:
    """Killed before every operation on a file, and the disk full from each write on."""
    for number, operation in enumerate(reference.seen):
        point = f"file operation {number + 1}, {operation}"
        yield Case(scenario, None, {"kill_at_file": number}, point)
        if operation in WRITES:
            yield Case(scenario, None, {"full_at_file": number}, point)


# One case


def problems(bench: Bench, case: Case, reference: Reference, without: str | None) -> list[str]:
    """What did not survive it; also if it did not come about."""
    return [f"{case}: {line}" for line in _problems(bench, case, reference, without)]


def _problems(bench: Bench, case: Case, reference: Reference, without: str | None) -> Iterator[str]:
    bench.put_back(reference.start)
    job = evolve(case.scenario.job, without=without)
    ended, run = _broken(bench, job, case, evolve(RIVAL, without=without))
    yield from _fired(case, ended, run)
    yield from _end(case, ended, run, reference)
    after = _whole(bench, case)
    yield from invariants.sound(after)
    yield from invariants.kept(reference.start, after)

    rerun = bench.retrain(evolve(job, hour=job.hour + 1))
    if isinstance(bench, S3Bench) and bench.proxy.run.held:
        bench.proxy.release()
    settled = _whole(bench, case)
    yield from invariants.sound(settled)
    yield from invariants.kept(after, settled)
    yield from _rerun_end(case, rerun, ended, reference)

    again = bench.retrain(evolve(job, hour=job.hour + 2))
    yield from _again_end(again, rerun)
    if _whole(bench, case) != settled:
        yield "a further rerun changed the store"
    if "ending" in rerun.told:
        yield from _once(case, Store(settled), rerun.told, reference)


def _broken(bench: Bench, job: Job, case: Case, rival: Job) -> tuple[Ended, Run]:
    job = evolve(job, **case.changes)
    run = Run(case.fault)
    if not isinstance(bench, S3Bench):
        return bench.retrain(job), run
    if case.fault is not None:
        kind = case.fault.kind
        if kind in (Kind.DELAYED, Kind.LATE):
            job = evolve(job, read_timeout=IMPATIENT)
        if kind in _OVERTAKEN:
            overtaking = rival if kind in _RIVALLED else job
            overtaking = evolve(overtaking, endpoint=None)
            run.meanwhile = lambda: _overtake(bench, overtaking)
        elif kind in _DOWN:
            run.meanwhile = bench.server.kill
        elif kind in _SERVER:
            run.meanwhile = lambda: _bounce(bench)
    ended = bench.victim(job, run)
    if case.fault is not None and case.fault.kind in _DOWN:
        bench.server.start()
    if case.fault is not None and case.fault.kind is Kind.LATE:
        bench.proxy.release()
    return ended, run


def _overtake(bench: S3Bench, job: Job) -> None:
    told = _well(bench.retrain(job))
    if job.trees == RIVAL.trees and told["ending"] != "activated":
        raise RuntimeError(f"the rival did not move the pointer: {told}")


def _bounce(bench: S3Bench) -> None:
    bench.server.kill()
    bench.server.start()


def _whole(bench: Bench, case: Case) -> Contents:
    if isinstance(bench, S3Bench) and case.fault and case.fault.kind in _SERVER:
        return bench.contents(afresh=True)
    return bench.contents()


# How its runs ended


def _fired(case: Case, ended: Ended, run: Run) -> Iterator[str]:
    if run.failure is not None:
        yield f"the fault itself failed: {run.failure!r}"
    if case.fault is not None and not run.fired:
        yield "the fault did not fire"
    if {"kill_at_step", "kill_at_file"} & case.changes.keys() and ended.code != KILLED:
        yield f"the kill did not fire: {ended}"
    full = case.changes.get("full_at_file")
    if full is not None and len(ended.told.get("files", ())) <= full:
        yield "the disk did not get full"


def _end(case: Case, ended: Ended, run: Run, reference: Reference) -> Iterator[str]:
    told = ended.told
    if (case.fault and case.fault.kind in _KILLS) or ended.code == KILLED:
        if ended.code != KILLED:
            yield f"it was not killed: {ended}"
        return
    if ended.code or "traceback" in told:
        yield f"it crashed: {ended.code} {told.get('traceback', '')}"
    elif "error" in told:
        if _must_end_well(case, run):
            yield f"it did not get over it: {told['error']}: {told['message']}"
        if not told["storage"] or "\n" in told["message"]:
            yield f"it ended with {told['error']}: {told['message']!r}"
    else:
        yield from _verdict(case, told, reference)


def _must_end_well(case: Case, run: Run) -> bool:
    """What a client can get over by trying again; half an error is an error that says little."""
    fault = case.fault
    if fault is None or fault.forever or fault.kind is Kind.STATUS_403:
        return False
    refused = fault.kind is Kind.TRUNCATED and (run.seen[fault.at - 1].status or 0) >= 400
    return not refused


def _verdict(case: Case, told: dict[str, Any], reference: Reference) -> Iterator[str]:
    """The one it always gets, unless another model came first."""
    if case.fault is not None and case.fault.kind in _RIVALLED:
        if told["ending"] not in ("activated", "refused"):
            yield f"it ended without a verdict: {told['ending']}"
    elif told["ending"] != reference.told["ending"]:
        yield f"it ended as {told['ending']}, not {reference.told['ending']}"
    if told["months"] != reference.told["months"]:
        yield "it was trained on other months"


def _rerun_end(case: Case, rerun: Ended, first: Ended, reference: Reference) -> Iterator[str]:
    if rerun.code or "ending" not in rerun.told:
        yield f"the rerun did not finish: {rerun}"
        return
    yield from _verdict(case, rerun.told, reference)
    if "ending" in first.told:
        if not rerun.told["reused"]:
            yield "the rerun did what was done already"
        same = ("ending", "run_id", "version")
        if [rerun.told[name] for name in same] != [first.told[name] for name in same]:
            yield f"the rerun tells another end: {rerun.told} after {first.told}"


def _again_end(again: Ended, rerun: Ended) -> Iterator[str]:
    told = dict(again.told)
    for passing in ("reused", "steps", "files"):
        told.pop(passing, None)
    if not again.told.get("reused") or not told.items() <= rerun.told.items():
        yield f"a further rerun ended otherwise: {again}"


def _once(case: Case, store: Store, told: dict[str, Any], reference: Reference) -> Iterator[str]:
    """Nothing is lost and nothing doubled."""
    kind = case.fault.kind if case.fault else None
    versions, reports = store.versions_of(told["key"]), store.reports_of(told["key"])
    moves = [version for version in store.activated() if version in versions]
    if moves != [told["version"]] * (told["ending"] == "activated"):
        yield f"it tells that {told['version']} was {told['ending']}, but activated was {moves}"
    if told["version"] not in versions:
        yield f"{told['version']} is not complete"
    expected = len(Store(reference.start).activated()) + len(moves) + (kind in _RIVALLED)
    if len(store.activated()) != expected:
        yield f"the pointer was moved too often or too rarely: {store.activated()}"
    if len(versions) > 1 + (kind in _RIVALLED):
        yield f"the run has {len(versions)} versions: {versions}"
    if len(reports) != 1:
        yield f"the run has {len(reports)} reports"
    if not {report["model_version"] for report in reports} <= set(versions):
        yield "a report tells of a version that is not there"
    for month, count in store.months().items():
        if count > 1 + (kind in _DOUBLING):
            yield f"{month} was kept {count} times"
    others = store.datasets().keys() - reference.datasets.keys()
    if kind not in _RIVALLED and others:
        yield f"there are other datasets: {others}"
    if not reference.datasets.items() <= store.datasets().items():
        yield "its dataset is lost or another one"
