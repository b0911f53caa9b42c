"""How far a retrain is, on standard error: a bar for who sits before a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ...domain import ports
from ..logs import lines_on
from .rendering import console

if TYPE_CHECKING:
    from ...adapters.settings import Settings

_AFTER_FETCH = ("validate", "track", "evaluate", "gate", "train", "publish")
_WORDS = {
    "fetch": "Fetching",
    "validate": "Merging and validating",
    "track": "Scoring later sales",
    "evaluate": "Evaluating",
    "gate": "Asking the gate",
    "train": "Training on the whole period",
    "publish": "Publishing",
}


@contextmanager
def shown_progress(settings: "Settings") -> Iterator[ports.Progress]:
    """To be told of each step: a bar, or a line of text each where there is none."""
    with shown_bar(settings) as bar:
        yield bar or _line


@contextmanager
def shown_bar(settings: "Settings") -> Iterator[ports.Progress | None]:
    """A bar in a terminal, unless what is asked for there is a log of JSON or of every detail."""
    err = console(stderr=True)
    if not err.is_terminal or settings.log_format == "json" or settings.log_level == "DEBUG":
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(30), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bars, lines_on(sys.stderr):
        bar = bars.add_task("Starting", total=None)
        months = 1

        def tell(step: str, done: int, total: int) -> None:
            nonlocal months
            name, _, _ = step.partition(" ")
            if name == "fetch":
                months = total
            after = _AFTER_FETCH.index(name) if name in _AFTER_FETCH else 0
            completed = done if name == "fetch" else months + after
            whole = months + len(_AFTER_FETCH)
            bars.update(
                bar, description=f"{_described(step):<28}", completed=completed, total=whole
            )

        yield tell


def _line(step: str, done: int, total: int) -> None:
    part = f" ({done + 1} of {total})" if total > 1 else ""
    click.echo(f"{_described(step)}{part}", err=True)


def _described(step: str) -> str:
    name, _, of = step.partition(" ")
    return f"{_WORDS.get(name, name.capitalize())} {of}".strip()
