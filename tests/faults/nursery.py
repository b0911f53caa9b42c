"""A warm process without threads that forks a child for each job, so that one costs little.

It reads a line of JSON for each round, a list of jobs; it answers with the children's ids when they
are forked and with how they ended when all have. The children of one round start at once.
"""

import gc
import json
import os
import select
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from attrs import asdict, define, frozen
from botocore.retries.standard import ExponentialBackoff

from .proxy import PATIENCE
from .victim import Job, retrain, wired

_SINGLE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Without these, libraries start threads of their own."""
ROOT = Path(__file__).parents[2]


@frozen
class Ended:
    """How a child ended: by an exit code or a negative signal, and what it told."""

    code: int
    told: dict[str, Any]


@define(eq=False)
class Nursery:
    """The process seen from outside."""

    _process: "subprocess.Popen[str]"
    _ready: bool = False

    @classmethod
    def start(cls) -> "Nursery":
        """It takes its time until it forks for the first time."""
        environment = os.environ | _SINGLE
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        return cls(process)

    def fork(self, *jobs: Job) -> list[int]:
        """The ids of the children that do them."""
        assert self._process.stdin is not None
        if not self._ready:
            self._line()
            self._ready = True
        print(json.dumps([asdict(job) for job in jobs]), file=self._process.stdin)
        pids: list[int] = self._line()
        return pids

    def ended(self) -> list[Ended]:
        """When all have."""
        return [Ended(**ended) for ended in self._line()]

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], 3 * PATIENCE)
        line = self._process.stdout.readline() if readable else ""
        if not line:
            raise TimeoutError("a retrain hangs" if not readable else "the nursery died")
        return json.loads(line)


def main(orders: TextIO, answers: TextIO) -> None:
    """Fork as asked until the orders end."""
    # What is asked too often waits for seconds before it asks again; here 0.05.
    ExponentialBackoff._DEFAULT_BACKOFF_CONFIG["throttling_base_scale"] = 0.05
    with TemporaryDirectory() as folder:  # loads and compiles what a retrain needs
        retrain(Job(folder=folder, whole=False))
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        raise RuntimeError(f"{len(threads)} threads: children of such a process may hang")
    gc.collect()
    gc.freeze()  # else each child copies the memory in which objects are counted
    gc.disable()
    print("[]", file=answers, flush=True)
    for line in orders:
        jobs = [Job(**job) for job in json.loads(line)]
        gate, opener = os.pipe()
        waiting, waits = os.pipe()
        for job in jobs:
            wired(job)
        children = [_forked(job, gate, opener, waits) for job in jobs]
        print(json.dumps([pid for pid, _ in children]), file=answers, flush=True)
        os.close(gate)
        os.close(waits)
        arrived = 0
        while arrived < len(jobs) and (said := os.read(waiting, len(jobs))):
            arrived += len(said)
        os.close(opener)
        os.close(waiting)
        ended = [asdict(_reaped(pid, result)) for pid, result in children]
        print(json.dumps(ended), file=answers, flush=True)


def _forked(job: Job, gate: int, opener: int, waits: int) -> tuple[int, int]:
    result, told = os.pipe()
    pid = os.fork()
    if pid:
        os.close(told)
        return pid, result
    os.close(opener)
    code = 1

    def ready() -> None:
        os.write(waits, b".")
        os.read(gate, 1)

    try:
        body = json.dumps(retrain(job, ready))
        code = 0
    except BaseException:
        body = json.dumps({"traceback": traceback.format_exc()})
    with suppress(OSError), os.fdopen(told, "w") as pipe:
        pipe.write(body)
    os._exit(code)


def _reaped(pid: int, result: int) -> Ended:
    with os.fdopen(result) as pipe:
        body = pipe.read()
    _, status = os.waitpid(pid, 0)
    return Ended(os.waitstatus_to_exitcode(status), json.loads(body or "{}"))


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w") as own:
        os.dup2(2, 1)  # what is logged is not an answer
        main(sys.stdin, own)
