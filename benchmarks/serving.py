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
import json
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import serving_decode
from serving_findings import Bench, Findings, KernelFigures, Options
from serving_lineup import HERE, Contender, Peers, WrongAnswer, hellos
from serving_load import Cell, load
from serving_market import RECIPES, artifact, asked, encoded, environment, served
from serving_report import TIMED, document, print_header, report
from serving_servers import NotStarted, Running, running
from serving_starts import command_starts, compile_seconds
from serving_swaps import after_swaps
from serving_timing import server_timing

KERNEL_ROWS = (1, 100, 1_000)


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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that servers are, too
    with tempfile.TemporaryDirectory(prefix="ree-serving-") as scratch:
        folder = Path(scratch)
        storage = (given.storage or folder / "trained").absolute()
        models = served(storage, given.data, given.cut)
        homes = asked(models, sorted({1, *batches}))
        bench = Bench(models, homes, folder, options, Findings())
        peers = given.peers.absolute()
        print_header(bench, peers)
        try:
            measure(bench, peers / "bin" / "python")
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
        ("g", "the start of the command", lambda: starts(bench)),
        ("d", "decoding", lambda: decoding(bench)),
        ("e", "the kernel", lambda: kernel(bench)),
        ("h", "compiling", lambda: compiling(bench)),
        ("a", "layers", lambda: layers(bench)),
    )
    for row, what, step in steps:
        if bench.wants(row):
            progress(what)
            step()
    if shutil.which("wrk") is None:
        bench.found.skipped.append("a, b, c, f, h: wrk is not on this machine")
        return
    if any(map(bench.wants, "abch")):
        rounds(bench, lineup(bench, peers))
    if bench.wants("f"):
        for recipe in RECIPES:
            progress(f"memory, {recipe}")
            bench.found.swapped[recipe] = after_swaps(bench, recipe)


def lineup(bench: Bench, python: Path) -> list[Contender]:
    """Every server that is asked for and can be had."""
    around, query = environment(bench.folder), bench.served.query
    found = [bench.ree(recipe) for recipe in RECIPES]
    if bench.wants("a"):
        found += hellos(around, query)
    wanted = [peer for row, peer in (("b", "FastAPI"), ("c", "mlflow")) if bench.wants(row)]
    if wanted and not python.exists():
        bench.found.skipped.append(f"b, c: there is no {python}; run make serving-peers")
        return found
    for recipe in RECIPES if wanted else ():
        model = artifact(bench.served.fitted(recipe))
        peers = Peers(python, bench.folder)
        made = peers.contenders(recipe, model, around, str(bench.served.day), query)
        found += [each for each in made if each.name.startswith(tuple(wanted))]
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


def loads(bench: Bench, contender: Contender, server: Running) -> Iterator[Cell]:
    """Of each batch, with answers that are right before and after."""
    for batch in bench.options.batches:
        if batch > contender.largest:
            continue
        homes = bench.asked[batch]
        contender.check(server, homes)
        bodies = bench.bodies(contender, batch)
        yield load(server, batch, contender.path, bodies, bench.options.seconds)
        contender.check(server, homes)
        if batch == 1 and contender.name.startswith("ree "):
            bench.found.timing[contender.name] = timed(bench, contender, server)


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
                check=False,
            )
        if done.returncode:
            raise NotStarted(Path(log.name).read_text(errors="replace")[-2_000:])
        bench.found.layers[recipe] = json.loads(done.stdout)


def starts(bench: Bench) -> None:
    """Of the command."""
    bench.found.help = command_starts()


def compiling(bench: Bench) -> None:
    """What a start of the service has to compile."""
    bench.found.compiling = compile_seconds()


def decoding(bench: Bench) -> None:
    """ree's against marshmallow's."""
    bodies = {
        batch: [encoded(body) for body in bench.asked[batch].bodies]
        for batch in bench.options.batches
    }
    bench.found.decode = serving_decode.measure(bodies)


def kernel(bench: Bench) -> None:
    """ree's evaluation of the trees against the members' own, as benchmarks/kernel.py has it."""
    from kernel import measure as measure_kernel

    for recipe in RECIPES:
        model = bench.served.fitted(recipe)
        members = [*model.estimator["members"].values()]
        x = bench.asked[max(bench.asked)].features[recipe]
        bench.found.kernel[recipe] = [
            KernelFigures(one.rows, one.fitted[1], one.kernel[1], one.ratio)
            for one in measure_kernel(model.trees, members, x, sizes=KERNEL_ROWS)
        ]


def progress(what: str) -> None:
    """Where the run is, beside the report."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
