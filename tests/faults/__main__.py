"""`python -m tests.faults`: the whole matrix, or a part of it, with its closing figures."""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from random import randrange
from tempfile import TemporaryDirectory
from threading import Thread

from ..servers.seaweedfs import NoWeed, weed
from .bench import FileBench, S3Bench
from .nursery import ROOT
from .trials import everything, sample
from .victim import COMPARE_AND_SET, CREATE_ONLY


def main() -> int:
    """1 if anything did not survive."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers are stopped on the way out
    if options.part is not None:
        _work(options)
        return 0
    try:
        weed()
    except NoWeed as missing:
        print(missing, file=sys.stderr)
        return 1
    if options.sample:
        print(f"a sample of {options.sample}, --seed {options.seed}")
    began, cases, fallen = time.monotonic(), 0, 0
    for name, problems in _results(options):
        cases += 1
        fallen += bool(problems)
        for problem in problems:
            print(f"\r\x1b[K{problem}" if sys.stdout.isatty() else problem, flush=True)
        if sys.stderr.isatty():
            print(f"\r\x1b[K{cases}: {name}"[:120], end="", file=sys.stderr, flush=True)
        elif cases % 100 == 0:
            print(f"{cases} cases, {cases - fallen} survived so far", flush=True)
    print(f"{cases} cases, {cases - fallen} survived, {time.monotonic() - began:.0f} s")
    return 1 if fallen or not cases else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many benches work at once")
    parser.add_argument("--sample", type=int, default=0, help="so many cases; 0 is all")
    parser.add_argument("--seed", type=int, default=randrange(10**6), help="of the sample")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--without", choices=[CREATE_ONLY, COMPARE_AND_SET], help="sabotage")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _work(options: argparse.Namespace) -> None:
    """One part of the cases, a line of JSON each."""
    with (
        TemporaryDirectory() as folder,
        S3Bench(Path(folder) / "s3") as s3,
        FileBench(Path(folder) / "files") as files,
    ):
        trials = [
            trial for trial in everything(s3, files, options.without) if options.only in trial.name
        ]
        if options.sample:
            trials = sample(trials, options.sample, options.seed)
        for trial in trials[options.part :: options.jobs]:
            try:
                problems = trial.run()
            except Exception as error:
                problems = [f"{trial.name}: the trial itself failed: {error!r}"]
            print(json.dumps([trial.name, problems]), flush=True)


def _results(options: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    own = ["--jobs", options.jobs, "--sample", options.sample, "--seed", options.seed]
    own += ["--only", options.only] + (["--without", options.without] if options.without else [])
    command = [sys.executable, "-m", "tests.faults", *map(str, own)]
    lines: Queue[str | None] = Queue()
    workers = [
        subprocess.Popen(
            [*command, "--part", str(part)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for part in range(options.jobs)
    ]
    readers = [Thread(target=_read, args=(worker, lines), daemon=True) for worker in workers]
    for reader in readers:
        reader.start()
    try:
        working = len(workers)
        while working:
            line = lines.get()
            if line is None:
                working -= 1
            else:
                name, problems = json.loads(line)
                yield name, problems
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
    for worker in workers:
        if worker.wait():
            yield "a worker", [f"a worker ended with {worker.returncode}"]


def _read(worker: "subprocess.Popen[str]", lines: "Queue[str | None]") -> None:
    assert worker.stdout is not None
    for line in worker.stdout:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    sys.exit(main())
