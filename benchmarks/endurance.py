"""What becomes of the service under load while models are swapped and a worker is killed.

    python benchmarks/endurance.py swaps --seconds 60 [--connections 200] [--workers 2]
    python benchmarks/endurance.py memory --requests 200000

`swaps`: so many clients ask without pause over connections that stay open. The active version is
changed after a quarter of the time and after three quarters; in between a worker is killed with
SIGKILL. Every answer must be, to the byte, what one version says of the homes asked about; on one
connection no older version may follow a newer one, and long after a swap no connection may tell
the old one. No request may stay without an answer but those that were on their way to the killed
worker, which must be replaced. `memory` looks at the workers' memory in the course of many requests
and two swaps. Both end with 1 if anything is wrong.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from threading import Event
from time import monotonic

from attrs import frozen

from crowd import Crowd, Question, Told, ports_of, questions
from ree.entrypoints.logs import configure_logs
from siege import DEADLINE, Memory, Pulse, Served, until
from small_models import Shelf

REFRESH = 0.5
"""Seconds between two looks for a newer version."""
SLACK = 5.0
"""Seconds after which, beyond REFRESH, no worker of a busy machine may know the old one alone."""
VERSIONS = 3
MOST_UNSHARED = 80.0
"""MiB that one worker may have for itself."""
MOST_GROWN = 8.0
"""MiB by which that may grow in the second half of the requests, a swap included."""


@frozen
class Scene:
    """A service with its versions; the first one is active."""

    shelf: Shelf
    versions: list[str]
    questions: list[Question]
    served: Served


@contextmanager
def scene(workers: int) -> Iterator[Scene]:
    """Until the end of `with`."""
    with tempfile.TemporaryDirectory() as name:
        shelf = Shelf.of(Path(name))
        versions = [shelf.publish(seed) for seed in range(1, VERSIONS + 1)]
        asked = questions(shelf, versions)
        settings = {"REE_MODEL_REFRESH_SECONDS": str(REFRESH)}
        with Served(Path(name), workers, settings) as served:
            yield Scene(shelf, versions, asked, served)


@frozen
class Killed:
    """A worker, and the clients whose connections it had."""

    pid: int
    ports: set[int]
    replaced: bool


def kill_one(served: Served) -> Killed:
    """The first one; it is stopped before, so that it can accept nobody unseen."""
    pid, workers = min(served.pids), len(served.pids)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: _state(pid) == "T", "stopped")
    ports = ports_of(pid, served.port)
    os.kill(pid, signal.SIGKILL)

    def replaced() -> bool:
        return pid not in served.pids and len(served.pids) == workers

    until(replaced, "replaced")
    return Killed(pid, ports, replaced())


def _state(pid: int) -> str:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]


@frozen
class SwapsReport:
    """What a run saw."""

    told: list[Told]
    lost: list[tuple[float, int]]
    wrong: list[str]
    opened: int
    moves: list[float]
    killed: Killed
    pulse: Pulse
    seconds: float

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        found = list(self.wrong)
        deaf = [port for port in self.pulse.failed if port not in self.killed.ports]
        others = [port for _, port in self.lost if port not in self.killed.ports]
        if others:
            found.append(f"{len(others)} answers of other workers were lost")
        if len(self.lost) + len(self.pulse.failed) - len(deaf) > len(self.killed.ports):
            found.append(f"{len(self.lost)} lost of {len(self.killed.ports)} connections")
        for rank, moved in enumerate(self.moves, start=1):
            late = [
                told for told in self.told
                if told.began > moved + REFRESH + SLACK and told.rank < rank
            ]  # fmt: skip
            early = [
                told for told in self.told
                if told.rank >= rank and told.began + told.seconds < moved
            ]  # fmt: skip
            if late or early:
                found.append(f"version {rank}: {len(late)} older long after, {len(early)} before")
        if deaf:
            found.append(f"/health was not answered {len(deaf)} times")
        if {told.rank for told in self.told} != set(range(len(self.moves) + 1)):
            found.append("not every version was told")
        return found

    def __str__(self) -> str:
        took = [told.seconds * 1000 for told in self.told]
        cuts = quantiles(took, n=100)
        by_rank = Counter(told.rank for told in self.told)
        pace = len(took) / self.seconds
        rows = [
            f"{len(took):,} answers in {self.seconds:.1f} s: {pace:,.0f} a second",
            f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, most {max(took):.0f} ms",
            "by version: " + ", ".join(f"{by_rank[rank]:,}" for rank in sorted(by_rank)),
            f"connections opened: {self.opened:,}",
            f"worker {self.killed.pid} killed with {len(self.killed.ports)} connections: "
            f"{len(self.lost)} answers lost",
            f"/health: {self.pulse.asked} times, at most {self.pulse.slowest * 1000:.0f} ms",
        ]
        return "\n".join(rows + [f"FAULT: {fault}" for fault in self.faults])


def swaps(seconds: float, connections: int, workers: int) -> SwapsReport:
    """Ask, swap, kill, swap, and look."""
    with scene(workers) as stage:
        served, pause, began, moves = stage.served, Event(), monotonic(), []
        with Pulse(served) as pulse, Crowd(served.port, connections, stage.questions) as crowd:
            until(lambda: len(crowd.told) >= connections or crowd.wrong, "answered")
            began = monotonic()

            def part(share: float) -> None:
                pause.wait(began + share * seconds - monotonic())

            def swap() -> None:
                before = monotonic()
                stage.shelf.activate(stage.versions[len(moves) + 1])
                moves.append(before)

            part(0.25)
            swap()
            part(0.5)
            killed = kill_one(served)
            part(0.75)
            swap()
            part(1)
        return SwapsReport(
            crowd.told, crowd.lost, crowd.wrong, crowd.opened, moves, killed, pulse,
            monotonic() - began,
        )  # fmt: skip


@frozen
class MemoryReport:
    """Each worker's memory in the course of the requests."""

    rows: list[tuple[int, dict[int, Memory]]]
    """After so many answers."""
    wrong: list[str]
    seconds: float
    most_grown: float

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        found, half, end = list(self.wrong), self.rows[len(self.rows) // 2][1], self.rows[-1][1]
        if set(half) != set(end):
            return [*found, "a worker is gone"]
        for pid, memory in end.items():
            grown = memory.uss - half[pid].uss
            if grown > self.most_grown or memory.uss > MOST_UNSHARED:
                found.append(f"worker {pid} grew by {grown:.1f} to {memory}")
        return found

    def __str__(self) -> str:
        rows = [
            f"after {count:>9,}: worker {pid} {memory}"
            for count, found in self.rows
            for pid, memory in found.items()
        ]
        rows.append(f"{self.rows[-1][0] / self.seconds:,.0f} answers a second")
        return "\n".join(rows + [f"FAULT: {fault}" for fault in self.faults])


def memory(
    requests: int, connections: int, workers: int, most_grown: float = MOST_GROWN
) -> MemoryReport:
    """Ask so often, with a swap after each third, and look at the start, halfway and at the end."""
    with scene(workers) as stage:
        served, began = stage.served, monotonic()
        rows = [(0, served.memory())]
        with Crowd(served.port, connections, stage.questions) as crowd:

            def wait(count: float) -> None:
                def enough() -> bool:
                    return len(crowd.told) >= count or bool(crowd.wrong)

                until(enough, f"{count:,.0f} answers", DEADLINE + count / 50)

            def look() -> None:
                rows.append((len(crowd.told), served.memory()))

            def swap() -> None:
                stage.shelf.activate(stage.versions[len(moves) + 1])
                moves.append(len(crowd.told))
                newest = len(moves)
                until(lambda: crowd.told[-1].rank == newest or bool(crowd.wrong), "swapped")

            moves: list[int] = []
            steps: list[tuple[float, Callable[[], None]]] = [
                (0.05, look), (0.33, swap), (0.5, look), (0.67, swap), (1, look),
            ]  # fmt: skip
            for share, step in steps:
                wait(requests * share)
                step()
        lost = [f"{len(crowd.lost)} answers were lost"] * bool(crowd.lost)
        return MemoryReport(rows, crowd.wrong + lost, monotonic() - began, most_grown)


def main() -> int:
    """Its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    trials = parser.add_subparsers(required=True)
    first = trials.add_parser("swaps", help="200 connections, two swaps, one worker killed")
    first.add_argument("--seconds", type=float, default=60)
    first.add_argument("--connections", type=int, default=200)
    first.set_defaults(trial=swaps)
    second = trials.add_parser("memory", help="of the workers over many requests and two swaps")
    second.add_argument("--requests", type=int, default=200_000)
    second.add_argument("--connections", type=int, default=16)
    second.set_defaults(trial=memory)
    configure_logs("ERROR")
    given = vars(parser.parse_args())
    report: SwapsReport | MemoryReport = given.pop("trial")(**given)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
