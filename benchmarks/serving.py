"""What it costs to serve an estimate: ree beside bare Flask, FastAPI and mlflow, with every bar.

    make serving-peers
    python benchmarks/serving.py --storage DIR

One run measures every line of the table of bars and says of each what was measured, what must be
and what is aimed at. The servers run one at a time, each with two workers, in rounds that begin
with another one each; each is loaded by wrk from a process of its own with bodies of 1, 100 and
1,000 different homes. Every answer is compared with the plain NumPy and scikit-learn model before
and after each load; a wrong one ends the run. All figures are medians over the rounds, all ratios
the median of the ratios within rounds. The peers leave out much of what ree does, in their favour
(benchmarks/serving_peers). What is missing on the machine is said and skipped.
"""

import argparse
import http.client
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from attrs import asdict, define, field, frozen

import serving_decode
from serving_bars import Bar, Measured, bars_table, cells_table, medians, ratio, short, table
from serving_lineup import (
    HELLO,
    HELLO_READING,
    HELLO_REE,
    HERE,
    Contender,
    Peers,
    WrongAnswer,
    hellos,
    ree_server,
)
from serving_load import Cell, load
from serving_market import RECIPES, Asked, Served, artifact, asked, encoded, environment, served
from serving_servers import NotStarted, Running, running
from serving_timing import Layers, compile_seconds, server_timing

BATCHES = (1, 100, 1_000)
PEER_BARS: Mapping[tuple[str, str], Mapping[int, tuple[float | None, float | None]]] = {
    ("b", "FastAPI"): {1: (15, 30), 100: (15, 18), 1_000: (10, 12)},
    ("b", "FastAPI lean"): dict.fromkeys(BATCHES, (None, None)),
    ("c", "mlflow"): {1: (15, 30), 100: (15, 18), 1_000: (8, 10)},
}
"""By row and peer: what must be and what is aimed at, by batch."""
TIMED = 300
"""Requests whose Server-Timing is averaged."""
STARTS = 15
SWAPPED_WITHIN = 60.0


@frozen
class Options:
    """How the run is made."""

    rounds: int
    seconds: float
    batches: Sequence[int]
    requests: int
    only: str


@define
class Findings:
    """All that was measured, as it comes."""

    rounds: list[list[Cell]] = field(factory=list)
    starts: dict[str, list[float]] = field(factory=dict)
    compiling: dict[str, list[float]] = field(factory=dict)
    memory: dict[str, list[list[float]]] = field(factory=dict)
    """PSS and unshared MiB of the first process and of each worker, after the last round."""
    timing: dict[str, dict[str, float]] = field(factory=dict)
    layers: dict[str, dict[str, float]] = field(factory=dict)
    swapped: dict[str, list[float]] = field(factory=dict)
    decode: dict[int, dict[str, float]] = field(factory=dict)
    kernel: dict[str, Any] = field(factory=dict)
    help: dict[str, float] = field(factory=dict)
    skipped: list[str] = field(factory=list)


@frozen(eq=False)
class Bench:
    """What there is to measure with."""

    served: Served
    asked: Mapping[int, Asked]
    folder: Path
    options: Options
    found: Findings

    def wants(self, row: str) -> bool:
        """Whether a row of the report was asked for."""
        return row in self.options.only

    def bodies(self, contender: Contender, batch: int) -> Path:
        """The file that wrk posts from."""
        path = self.folder / f"{contender.encode.__name__}-{batch}.jsonl"
        if not path.exists():
            lines = [contender.encode(body) for body in self.asked[batch].bodies]
            path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    def ree(self, recipe: str, **settings: str) -> Contender:
        """`ree serve` on a copy of the storage in which the version of this recipe is active."""
        storage = self.folder / f"storage-{recipe}"
        if not storage.exists():
            shutil.copytree(self.served.storage, storage)
        around = environment(storage, **settings)
        activate(around, self.served.versions[recipe])
        return ree_server(recipe, around, self.served.query)


def activate(around: Mapping[str, str], version: str) -> None:
    """`ree models activate`, unless it is active."""
    cli = (sys.executable, "-m", "ree.entrypoints.cli", "models")
    quiet: dict[str, Any] = {"env": around, "capture_output": True, "check": True}
    listed = json.loads(subprocess.run([*cli, "list", "--json"], **quiet).stdout)
    if listed["active"] != version:
        subprocess.run([*cli, "activate", version, "--why", "benchmark"], **quiet)


def main() -> None:
    """Prints the report; exits with 1 if an answer was wrong or a request failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--storage", type=Path, help="where the models are, or are kept once made")
    parser.add_argument("--data", type=Path, help="a CSV of sales to train on, as a replay's")
    parser.add_argument("--cut", type=date.fromisoformat, help="train on what came before")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of each load; default 5")
    parser.add_argument("--batches", default="1,100,1000")
    parser.add_argument("--requests", type=int, default=10_000, help="before memory is looked at")
    parser.add_argument("--peers", type=Path, default=HERE.parent / ".serving-peers")
    parser.add_argument("--only", default="abcdefgh", help="rows of the report, as abc")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    given = parser.parse_args()
    batches = [int(batch) for batch in given.batches.split(",")]
    options = Options(given.rounds, given.seconds, batches, given.requests, given.only)
    logging.getLogger("ree").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="ree-serving-") as scratch:
        folder = Path(scratch)
        storage = (given.storage or folder / "trained").absolute()
        models = served(storage, given.data, given.cut)
        bench = Bench(models, asked(models, batches), folder, options, Findings())
        print_header(bench, given.peers)
        try:
            measure(bench, given.peers / "bin" / "python")
        except (WrongAnswer, NotStarted, ValueError) as error:
            sys.exit(f"{type(error).__name__}: {error}")
        bars = report(bench)
    if given.json:
        given.json.write_text(json.dumps(document(bench, bars), indent=1))
    if any(cell.failed for cells in bench.found.rounds for cell in cells):
        sys.exit("Requests failed; the figures are of no worth.")


def measure(bench: Bench, peers: Path) -> None:
    """Everything that is asked for; WrongAnswer, NotStarted."""
    steps: Sequence[tuple[str, str, Callable[[], None]]] = (
        ("g", "the start of the command", lambda: command_starts(bench)),
        ("d", "decoding", lambda: decoding(bench)),
        ("e", "the kernel", lambda: kernel(bench)),
        ("a", "layers", lambda: layers(bench)),
    )
    for row, what, step in steps:
        if bench.wants(row):
            progress(what)
            step()
    if absent := [tool for tool in ("wrk",) if shutil.which(tool) is None]:
        bench.found.skipped.append(f"a, b, c, f, h: {absent[0]} is not on this machine")
        return
    if any(map(bench.wants, "abch")):
        rounds(bench, lineup(bench, peers))
    if bench.wants("f"):
        for recipe in RECIPES:
            progress(f"memory, {recipe}")
            bench.found.swapped[recipe] = after_swaps(bench, recipe)


def lineup(bench: Bench, python: Path) -> list[Contender]:
    """Every server that can be had."""
    around = environment(bench.folder)
    answered, sent = 260, len(encoded(bench.asked[min(bench.asked)].bodies[0]))
    found = hellos(around, bench.served.query, answered / sent * min(bench.asked))
    found += [bench.ree(recipe) for recipe in RECIPES]
    if not any(map(bench.wants, "bc")):
        return found
    if not python.exists():
        bench.found.skipped.append(f"b, c: no {python}; run make serving-peers")
        return found
    peers = Peers(python, bench.folder)
    for recipe in RECIPES:
        model = artifact(bench.served.fitted(recipe))
        made = peers.contenders(recipe, model, around, str(bench.served.day), bench.served.query)
        found += [each for each in made if bench.wants("bc"["FastAPI" not in each.name])]
    return found


def rounds(bench: Bench, contenders: Sequence[Contender]) -> None:
    """The loads; a round begins with another server each."""
    for number in range(bench.options.rounds):
        shift = number * len(contenders) // bench.options.rounds
        cells: list[Cell] = []
        bench.found.rounds.append(cells)
        for contender in [*contenders[shift:], *contenders[:shift]]:
            progress(f"round {number + 1}: {contender.name}")
            with running(contender.launch, bench.folder) as server:
                bench.found.starts.setdefault(contender.name, []).append(server.seconds)
                try:
                    cells += loads(bench, contender, server)
                except WrongAnswer:
                    print(server.log_tail(), file=sys.stderr)
                    raise
                memory = server.memory()
            bench.found.memory[contender.name] = [[own.pss, own.unshared] for own in memory]
            log = server.log.read_text(errors="replace")
            if (spent := compile_seconds(log)) is not None:
                bench.found.compiling.setdefault(contender.name, []).append(spent)


def loads(bench: Bench, contender: Contender, server: Running) -> Iterator[Cell]:
    """Of each batch, with answers that are right before and after."""
    for batch in bench.options.batches:
        homes = bench.asked[batch]
        contender.check(server, homes)
        bodies = bench.bodies(contender, batch)
        yield load(server, batch, contender.path, bodies, bench.options.seconds)
        contender.check(server, homes)
        if batch == 1 and contender.name.startswith("ree "):
            if told := timed(bench, contender, server):
                bench.found.timing[contender.name] = told


def timed(bench: Bench, contender: Contender, server: Running) -> dict[str, float]:
    """The mean of what Server-Timing tells, ms by name."""
    bodies = [contender.encode(body) for body in bench.asked[1].bodies]
    told: dict[str, list[float]] = {}
    for number in range(TIMED):
        _, _, headers = server.answer(contender.path, bodies[number % len(bodies)])
        for name, ms in server_timing(headers.get("Server-Timing", "")).items():
            told.setdefault(name, []).append(ms)
    return {name: sum(values) / len(values) for name, values in told.items()}


def layers(bench: Bench) -> None:
    """The profile of one request in the application, in a process of its own."""
    for recipe in RECIPES:
        contender = bench.ree(recipe)
        bodies = bench.bodies(contender, min(bench.options.batches))
        program = str(HERE / "serving_layers.py")
        seconds = str(2 * bench.options.seconds)
        with (bench.folder / f"layers-{recipe}.log").open("wb") as log:
            done = subprocess.run(
                [sys.executable, program, str(bodies), contender.path, seconds],
                env=contender.launch.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                check=True,
            )
        bench.found.layers[recipe] = json.loads(done.stdout)


def after_swaps(bench: Bench, recipe: str) -> list[float]:
    """Unshared MiB of each worker after the requests, with two swaps in between."""
    contender = bench.ree(recipe, REE_MODEL_REFRESH_SECONDS="1")
    other = next(name for name in RECIPES if name != recipe)
    bodies = bench.bodies(contender, 1)
    third = -(-bench.options.requests // 3)
    with running(contender.launch, bench.folder) as server:
        for version in (bench.served.versions[other], bench.served.versions[recipe], None):
            requests = 0
            while requests < third:
                cell = load(server, 1, contender.path, bodies, bench.options.seconds)
                if cell.failed:
                    raise WrongAnswer(f"{cell.failed} requests failed between the swaps")
                requests += cell.requests
            if version is not None:
                activate(contender.launch.environment, version)
                _await(server, version)
        contender.check(server, bench.asked[1])
        return [own.unshared for own in server.memory()[1:]]


def _await(server: Running, version: str) -> None:
    """Until every worker is likely to have told the version."""
    in_a_row, until = 0, perf_counter() + SWAPPED_WITHIN
    while in_a_row < 30:
        if perf_counter() > until:
            raise WrongAnswer(f"{version} was not served within {SWAPPED_WITHIN} s")
        status, body = server.get("/ready")
        told = status == http.client.OK and json.loads(body)["model_version"] == version
        in_a_row = in_a_row + 1 if told else 0
        sleep(0.05)


def decoding(bench: Bench) -> None:
    """ree's against marshmallow's."""
    bodies = {
        batch: [encoded(body) for body in bench.asked[batch].bodies]
        for batch in bench.options.batches
    }
    bench.found.decode = serving_decode.measure(bodies)


def kernel(bench: Bench) -> None:
    """What benchmarks/kernel.py measures, where it is there.

    ADAPT HERE: the one call of it; its figures by recipe are {"one": ratio, "many": ratio}, and
    "table" is printed as it is.
    """
    try:
        from kernel import measure as measure_kernel
    except ImportError:
        bench.found.skipped.append("e: there is no benchmarks/kernel.py yet")
        return
    for recipe in RECIPES:
        bench.found.kernel[recipe] = measure_kernel(bench.served.fitted(recipe))


def command_starts(bench: Bench) -> None:
    """CPU of `ree --help` and of `python -c pass`, medians of interleaved runs, s."""
    script = Path(sys.executable).with_name("ree")
    ree = [str(script)] if script.exists() else [sys.executable, "-m", "ree.entrypoints.cli"]
    commands = {"python": [sys.executable, "-c", "pass"], "ree": [*ree, "--help"]}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, command in commands.items():
            spent[name].append(_cpu(command))
    bench.found.help = {name: median(values) for name, values in spent.items()}


def _cpu(command: Sequence[str]) -> float:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used.ru_utime + used.ru_stime


def bars(bench: Bench) -> list[Measured]:
    """Every line of the table of bars with what was measured."""
    found, rounds_ = bench.found, bench.found.rounds
    told: list[Measured] = []
    for recipe, must, aim in (("fast", 0.60, 0.80), ("accurate", 0.40, 0.50)):
        for hello in (HELLO, HELLO_REE):
            for what, cpu in (("requests/s", False), ("CPU", True)):
                bar = Bar("a", f"one property, {recipe} against {hello}: {what}", must, aim)
                told.append((bar, ratio(rounds_, f"ree {recipe}", hello, 1, cpu=cpu)))
    for (row, peer), by_batch in PEER_BARS.items():
        for recipe in RECIPES:
            for batch, (must, aim) in by_batch.items():
                for what, cpu in (("requests/s", False), ("CPU", True)):
                    bar = Bar(row, f"batch {batch}, {recipe} against {peer}: {what}", must, aim)
                    ours, theirs = f"ree {recipe}", f"{peer} {recipe}"
                    told.append((bar, ratio(rounds_, ours, theirs, batch, cpu=cpu)))
    for batch in BATCHES:
        bar = Bar("d", f"strict decoding against marshmallow, {batch}: CPU", 30, 50)
        told.append((bar, found.decode.get(batch, {}).get("ratio")))
    for recipe in RECIPES:
        own = found.kernel.get(recipe, {})
        for key, what, must, aim in (("one", "one row", 100, 300), ("many", "1,000 rows", 9, 13)):
            bar = Bar("e", f"kernel against scikit-learn, {recipe}, {what}: CPU", must, aim)
            told.append((bar, own.get(key)))
    for recipe in RECIPES:
        what = f"unshared memory of a worker, {recipe}, {bench.options.requests:,} requests, 2 swaps"
        bar = Bar("f", what, 80, 60, "MiB", lower=True)
        told.append((bar, max(found.swapped.get(recipe, []), default=None)))
    bar = Bar("g", "ree --help against python -c pass: CPU", 6, 4, lower=True)
    told.append((bar, found.help["ree"] / found.help["python"] if found.help else None))
    for recipe in RECIPES:
        for what, seconds in (("ready", found.starts), ("compiling", found.compiling)):
            own_seconds = seconds.get(f"ree {recipe}")
            bar = Bar("h", f"start of ree serve, {recipe}: {what}", None, None, "s", lower=True)
            told.append((bar, median(own_seconds) if own_seconds else None))
    return [(bar, value) for bar, value in told if bench.wants(bar.row)]


def progress(what: str) -> None:
    """Where the run is, beside the report."""
    print(what, file=sys.stderr, flush=True)


def print_header(bench: Bench, peers: Path) -> None:
    """What was measured, and on what."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    names = ("ree-norway", "scikit-learn", "numpy", "scipy", "numba", "flask", "gunicorn")
    print(f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}")
    print(", ".join(f"{name} {version(name)}" for name in names))
    if (python := peers / "bin" / "python").exists():
        told = Peers(python, bench.folder).versions()
        print("peers: " + ", ".join(f"{name} {number}" for name, number in told.items()))
    print(f"models of {bench.served.sales:,} sales, valued on {bench.served.day}")
    print(f"{bench.options.rounds} rounds, loads of {bench.options.seconds:g} s, 2 workers each\n")


def report(bench: Bench) -> list[Measured]:
    """Prints every table; gives the bars."""
    found = bench.found
    cells = medians(cell for cells in found.rounds for cell in cells)
    cells.sort(key=lambda cell: cell.batch)
    if cells:
        print("Loads, medians of the rounds\n\n" + cells_table(cells) + "\n")
    print_memory(found)
    one = {cell.server: 1_000 * cell.cpu_ms for cell in cells if cell.batch == 1}
    for recipe, spent in found.layers.items():
        own = Layers(spent, one.get(f"ree {recipe}"))
        print(f"One request in the application, {recipe}: CPU us by layer (sampled)\n")
        print(table([("layer", "us", "share"), *own.rows()], left=1) + "\n")
    for name, told in found.timing.items():
        shown = ", ".join(f"{what} {short(ms)}" for what, ms in told.items())
        print(f"Server-Timing of {name}, mean of {TIMED} requests, ms: {shown}\n")
    if found.decode:
        rows = [("batch", "ree us/property", "marshmallow us/property", "ratio")]
        for batch, own_decode in found.decode.items():
            figures = (own_decode[key] for key in ("ree", "marshmallow", "ratio"))
            rows.append((f"{batch:,}", *map(short, figures)))
        print("Strict decoding and validation, CPU\n\n" + table(rows, left=1) + "\n")
    for recipe, own_kernel in found.kernel.items():
        print(f"The kernel, {recipe}\n\n{own_kernel.get('table', '')}\n")
    if found.help:
        told_help = ", ".join(f"{name} {1_000 * spent:.0f} ms" for name, spent in found.help.items())
        print(f"CPU of a start, median of {STARTS}: {told_help}\n")
    measured = bars(bench)
    print("The bars\n\n" + bars_table(measured))
    for line in found.skipped:
        print(f"skipped: {line}")
    return measured


def print_memory(found: Findings) -> None:
    """Of every server after its loads, and of ree's workers after the swaps."""
    rows = [("server", "start s", "first process", "each worker", "unshared of each worker")]
    for name, processes in found.memory.items():
        workers = processes[1:]
        rows.append(
            (
                name,
                short(median(found.starts[name])),
                short(processes[0][0]),
                " ".join(short(pss) for pss, _ in workers),
                " ".join(short(unshared) for _, unshared in workers),
            )
        )
    if len(rows) > 1:
        print("Start, and memory after the loads, PSS in MiB\n\n" + table(rows, left=1) + "\n")
    for recipe, unshared in found.swapped.items():
        shown = ", ".join(map(short, unshared))
        print(f"Unshared memory of the workers after the swaps, {recipe}: {shown} MiB\n")


def document(bench: Bench, measured: Sequence[Measured]) -> dict[str, Any]:
    """All figures, for programs."""
    return {
        "sales": bench.served.sales,
        "bars": [
            asdict(bar) | {"measured": value, "verdict": bar.verdict(value)}
            for bar, value in measured
        ],
        **asdict(bench.found),
    }


if __name__ == "__main__":
    main()
