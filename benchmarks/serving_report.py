"""What a run found, as people read it: the tables, and every bar with its verdict."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from attrs import asdict

from serving_bars import Bar, Measured, bars_table, cells_table, medians, ratio, short, table
from serving_findings import Bench, Findings
from serving_lineup import HELLO, HELLO_REE, Peers
from serving_market import RECIPES
from serving_starts import STARTS
from serving_timing import Layers

BATCHES = (1, 100, 1_000)
TIMED = 300
"""Requests whose Server-Timing is averaged."""
PEER_BARS: Mapping[tuple[str, str], Mapping[int, tuple[float | None, float | None]]] = {
    ("b", "FastAPI"): {1: (15, 30), 100: (15, 18), 1_000: (10, 12)},
    ("b", "FastAPI lean"): dict.fromkeys(BATCHES, (None, None)),
    ("c", "mlflow"): {1: (15, 30), 100: (15, 18), 1_000: (8, 10)},
}
"""By row and peer: what must be and what is aimed at, by batch."""


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
        by_rows = {one.rows: one.ratio for one in found.kernel.get(recipe, [])}
        for rows, must, aim in ((1, 100, 300), (1_000, 9, 13)):
            bar = Bar("e", f"kernel against scikit-learn, {recipe}, {rows:,} rows: CPU", must, aim)
            told.append((bar, by_rows.get(rows)))
    for recipe in RECIPES:
        after = f"{bench.options.requests:,} requests, 2 swaps"
        what = f"unshared memory of a worker, {recipe}, {after}"
        bar = Bar("f", what, 80, 60, "MiB", lower=True)
        told.append((bar, max(found.swapped.get(recipe, []), default=None)))
    bar = Bar("g", "ree --help against python -c pass: CPU", 6, 4, lower=True)
    told.append((bar, found.help["ree"] / found.help["python"] if found.help else None))
    for recipe in RECIPES:
        seconds = found.starts.get(f"ree {recipe}")
        bar = Bar("h", f"from ree serve to /ready, {recipe}", None, None, "s")
        told.append((bar, median(seconds) if seconds else None))
    told.append((Bar("h", "of it compiling: CPU", None, None, "s"), found.compiling))
    return [(bar, value) for bar, value in told if bench.wants(bar.row)]


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
        profile = Layers(spent, one.get(f"ree {recipe}"))
        print(f"One request in the application, {recipe}: CPU us by layer (sampled)\n")
        print(table([("layer", "us", "share"), *profile.rows()], left=1) + "\n")
    for name, told in found.timing.items():
        shown = ", ".join(f"{what} {short(ms)}" for what, ms in told.items()) or "there is none"
        print(f"Server-Timing of {name}, mean of {TIMED} requests, ms: {shown}\n")
    print_decoding(found)
    print_kernel(found)
    if found.help:
        shown = ", ".join(f"{name} {1_000 * spent:.0f} ms" for name, spent in found.help.items())
        print(f"CPU of a start, median of {STARTS}: {shown}\n")
    told_bars = bars(bench)
    print("The bars\n\n" + bars_table(told_bars))
    for line in found.skipped:
        print(f"skipped: {line}")
    return told_bars


def print_decoding(found: Findings) -> None:
    """ree beside marshmallow."""
    rows: list[Sequence[str]] = [("batch", "ree us/property", "marshmallow us/property", "ratio")]
    for batch, own in found.decode.items():
        figures = (own[key] for key in ("ree", "marshmallow", "ratio"))
        rows.append((f"{batch:,}", *map(short, figures)))
    if found.decode:
        print("Strict decoding and validation, CPU\n\n" + table(rows, left=1) + "\n")


def print_kernel(found: Findings) -> None:
    """A table a recipe."""
    for recipe, measured in found.kernel.items():
        rows: list[Sequence[str]] = [("rows", "scikit-learn us/row", "kernel us/row", "ratio")]
        for one in measured:
            figures = (one.fitted, one.kernel, one.ratio)
            rows.append((f"{one.rows:,}", *map(short, figures)))
        print(f"The trees of {recipe}, CPU, same bits\n\n" + table(rows, left=1) + "\n")


def print_memory(found: Findings) -> None:
    """Of every server after its loads, and of ree's workers after the swaps."""
    rows: list[Sequence[str]] = [
        ("server", "start s", "first process", "the others", "unshared of the others")
    ]
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
