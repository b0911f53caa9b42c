"""Damaged and hostile requests over the socket, as many as are asked for.

    python benchmarks/fuzz.py --bodies 1000000 [--seed S] [--workers 2] [--clients 2]

starts `ree serve` with a small trained model. Each client is a process with a few connections that
stay open, over which it sends batches of requests at once: bodies that were good, with bits, bytes,
tokens, pieces, lengths and values that were changed, and at the end of some batches a request that
is no sound HTTP. Every answer must be well-formed, belong to its request, have a status that is
documented and be JSON of the documented shape. No worker may end, and /health must be answered all
the time. The same seed sends the same bytes. Ends with 1 if anything is wrong.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from random import Random
from socket import SHUT_WR, create_connection, socket
from time import perf_counter
from typing import Any

from attrs import define, field, frozen

from fuzz_answers import Answer, Wrong, judge_all, taken
from fuzz_bodies import Request, corpus, requests
from siege import DEADLINE, Memory, Pulse, Served

DEPTH = 16
"""Requests that are sent at once over a connection."""
CONNECTIONS = 4
"""Of each client."""
CORPUS = 1_000
WARM_UP = 4_000
"""Bodies before memory is looked at for the first time."""


@define(eq=False)
class Wire:
    """A connection that is opened again whenever the service has closed it."""

    port: int
    _socket: socket | None = field(default=None, init=False)
    _rest: bytes = field(default=b"", init=False)

    def send(self, batch: Sequence[Request]) -> None:
        """All of it; a service that closes early is found out when its answers are read."""
        if self._socket is None:
            self._socket, self._rest = create_connection(("127.0.0.1", self.port), DEADLINE), b""
        try:
            self._socket.sendall(b"".join(request.raw for request in batch))
            if not batch[-1].framed:
                self._socket.shutdown(SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answers(self, batch: Sequence[Request], seen: Counter[str]) -> list[Answer]:
        """One to each request, the last of which may have none or many if it is no sound HTTP."""
        found: list[Answer] = []
        plain = batch[-1].framed
        while (not plain or len(found) < len(batch)) and (answer := self._answer(seen)):
            if answer.status >= 200:
                found.append(answer)
        if len(found) < len(batch) - (not plain):
            last = batch[max(0, len(found) - 1)].raw[:2_000]
            raise Wrong(f"no answer after {found[-1:]}\nto {last!r}\nof {batch[len(found)]}")
        if not plain or found[-1].ends:
            self.close()
        return found

    def close(self) -> None:
        """The next one opens it again."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _answer(self, seen: Counter[str]) -> Answer | None:
        assert self._socket is not None
        while not (self._rest and (found := taken(self._rest, 0))):
            try:
                data = self._socket.recv(1 << 18)
            except ConnectionResetError:
                seen["(reset)"] += 1
                data = b""
            if not data:
                if self._rest:
                    raise Wrong(f"half an answer: {self._rest[:2_000]!r}")
                return None
            self._rest += data
        answer, end = found
        self._rest = self._rest[end:]
        return answer


def attack(port: int, seed: int, bodies: int) -> Counter[str]:
    """What came of so many; Wrong."""
    random, seen = Random(seed), Counter[str]()
    batches = requests(random, corpus(random, CORPUS), DEPTH)
    wires, sent = [Wire(port) for _ in range(CONNECTIONS)], 0
    try:
        while sent < bodies:
            under_way = [(wire, next(batches)) for wire in wires]
            for wire, batch in under_way:
                wire.send(batch)
            for wire, batch in under_way:
                judge_all(batch, wire.answers(batch, seen), seen)
                sent += len(batch)
                seen["(sent)"] += len(batch)
                seen["(no sound HTTP)"] += not batch[-1].framed
    finally:
        for wire in wires:
            wire.close()
    return seen


def _attack(given: tuple[int, int, int]) -> Counter[str] | str:
    try:
        return attack(*given)
    except (Wrong, OSError) as wrong:
        return f"seed {given[1]}: {type(wrong).__name__}: {wrong}"


@frozen
class Report:
    """What a run saw."""

    seen: Counter[str]
    wrong: list[str]
    seconds: float
    before: dict[int, Memory]
    after: dict[int, Memory]
    noted: list[str]
    pulse: Pulse

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        lost = [f"worker {pid} is gone" for pid in self.before if pid not in self.after]
        failed = len(self.pulse.failed)
        deaf = [f"/health was not answered {failed} times"] * bool(failed)
        return self.wrong + lost + deaf + self.noted

    def __str__(self) -> str:
        sent = self.seen["(sent)"]
        rows = [f"{sent:,} bodies in {self.seconds:.1f} s: {sent / self.seconds:,.0f} a second"]
        rows += [f"{count:>12,}  {name}" for name, count in sorted(self.seen.items())]
        rows += [f"worker {pid} before: {memory}" for pid, memory in self.before.items()]
        rows += [f"worker {pid} after:  {memory}" for pid, memory in self.after.items()]
        rows += [f"/health: {self.pulse.asked} times, at most {self.pulse.slowest * 1000:.0f} ms"]
        rows += [f"FAULT: {fault}" for fault in self.faults]
        return "\n".join(rows)


@contextmanager
def besieged(workers: int) -> Iterator[Served]:
    """With a small trained model."""
    from small_models import Shelf  # the clients' processes need no model

    with tempfile.TemporaryDirectory() as name:
        shelf = Shelf.of(Path(name))
        shelf.activate(shelf.publish(1))
        settings = {"REE_MODEL_REFRESH_SECONDS": "1"}
        with Served(Path(name), workers, settings) as served:
            yield served


def fuzz(bodies: int, seed: int, workers: int, clients: int) -> Report:
    """Send them and look."""
    with besieged(workers) as served, get_context("spawn").Pool(clients) as pool:
        run: Any = pool.map
        warm = run(_attack, [(served.port, -1 - n, WARM_UP // clients) for n in range(clients)])
        before, began = served.memory(), perf_counter()
        noted = len(served.noted)
        with Pulse(served) as pulse:
            found = run(
                _attack,
                [(served.port, seed * 1_000 + n, bodies // clients) for n in range(clients)],
            )
        seconds = perf_counter() - began
        counters = [each for each in found if isinstance(each, Counter)]
        return Report(
            seen=sum(counters, Counter()),
            wrong=[each for each in warm + found if isinstance(each, str)],
            seconds=seconds,
            before=before,
            after=served.memory(),
            noted=served.noted[noted:],
            pulse=pulse,
        )


def main() -> int:
    """Its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clients", type=int, default=2)
    from ree.entrypoints.logs import configure_logs

    configure_logs("ERROR")
    report = fuzz(**vars(parser.parse_args()))
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
