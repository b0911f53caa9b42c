"""Funnels, metrics and verdicts for people: calm tables, plain where there is no terminal."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ...domain.appraisal import COVERAGE
from ...domain.evaluation import Evaluation, Metrics
from ...domain.funnel import Funnel
from ...domain.gating import Outcome, Verdict
from ...domain.property import RealEstateType
from ...domain.ratio_study import RatioStudy
from .commands import one_line
from .words import NOTHING, explained, headline, kroner, number, percent, rule_name, thin

if TYPE_CHECKING:
    from ...adapters.settings import Settings

Part = Table | Group | Text | str

WIDTH_OF_A_FILE = 200
WIDTH_OF_NAMES = 104
"""From which on a table of figures has room for a version's name."""
STATUS_STYLES = {"good": "green", "ok": "yellow", "risk": "red"}
_MARKS = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.INCONCLUSIVE: ("?", "yellow"),
    Outcome.NOT_APPLICABLE: (NOTHING, "dim"),
}


def console(*, stderr: bool = False) -> Console:
    """Texts are printed as they are: no markup, no emoji, no guessed colours."""
    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal:
        made.width = WIDTH_OF_A_FILE
    return made


def show(*parts: Part) -> None:
    """On standard output, an empty line between them.

    In a terminal lines of text end between words; one with a word that is longer than a line is
    left to the terminal, so that the word can be copied.
    """
    out = console()
    for order, part in enumerate(parts):
        words = str(part).split() if isinstance(part, Text | str) else []
        left = bool(words) and (not out.is_terminal or max(map(len, words)) > out.width)
        with out.capture() as captured:
            out.print(part, soft_wrap=left)
        lines = (line.rstrip() for line in captured.get().splitlines())
        click.echo("\n" * bool(order) + "\n".join(lines), color=True)


def version_name(name: str) -> str:
    """Whole, or, where there is no room for it beside figures, what tells it from others."""
    return name if console().width >= WIDTH_OF_NAMES else f"…{name.rpartition('-')[2]}"


def heading(text: str, rest: str = "") -> Text:
    """A line above a table."""
    return Text.assemble((one_line(text), "bold"), f"  {one_line(rest)}" if rest else "")


def table(*columns: str) -> Table:
    """Columns whose name ends in > are figures, to the right."""
    made = Table(
        box=None,
        header_style="dim",
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for name in columns:
        right = name.endswith(">")
        made.add_column(name.removesuffix(">"), justify="right" if right else "left", no_wrap=right)
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values; what is not known is left out."""
    made = table("", "")
    made.show_header = False
    made.columns[0].style = "dim"
    made.columns[0].no_wrap = True
    made.columns[1].overflow = "fold"
    for name, value in pairs:
        if value is not None:
            made.add_row(name, one_line(value))
    return made


def funnel_table(funnel: Funnel) -> Group:
    """Where the turnovers went, stage by stage."""
    made = table("stage", "in>", "out>", "dropped>", "reason")
    for stage in funnel.stages:
        first = (stage.name.replace("_", " "), number(stage.incoming), number(stage.outgoing))
        for reason, count in sorted(stage.dropped.items()) or (("", 0),):
            made.add_row(*first, number(count) if count else "", one_line(reason))
            first = ("", "", "")
    return Group(heading("Where the turnovers went"), made)


def metrics_table(evaluation: Evaluation, baseline: Evaluation | None) -> Group:
    """The errors on the holdout by type, overall, and those of the naive baseline."""
    within = (f"within {share}{thin()}%>" for share in (10, 20))
    made = table("type", "sales>", "MAE>", "MdAPE>", "WAPE>", *within)
    known = evaluation.by_realestate_type
    for kind in RealEstateType:
        if kind.value in known:
            made.add_row(kind.value, *_cells(known[kind.value]))
    made.add_row("overall", *_cells(evaluation.overall), style="bold")
    if baseline is not None:
        made.add_row("naive baseline", *_cells(baseline.overall), style="dim")
    return Group(heading("Errors on the holdout"), made)


def ratio_table(evaluation: Evaluation) -> Group:
    """The IAAO ratio study by type; what is outside its band is marked."""
    names = ("median ratio>", "COD>", "PRD>", "PRB>")
    made = table("estimate / price", "sales>", *names)
    shown = {**evaluation.by_realestate_type, "overall": evaluation.overall}
    for name, metrics in shown.items():
        if metrics.ratios is not None:
            bold = "bold" if name == "overall" else ""
            made.add_row(name, number(metrics.n), *_ratios(metrics.ratios), style=bold)
    bands = "0.90 to 1.10, 5 to 15 %, 0.98 to 1.03, -0.05 to 0.05"
    return Group(heading("Ratio study (IAAO)", f"bands: {bands}"), made)


def coverage_table(evaluation: Evaluation) -> Group:
    """What the 90 % intervals held and how wide they were, by segment; risks are marked."""
    made = table("90 % intervals", "sales>", "MdAPE>", "inside>", "95 % sure>", "mean width>")
    for name, metrics in _covered_segments(evaluation):
        found = metrics.covered(COVERAGE)
        if found is None:
            continue
        sure = f"{100 * found.lower:.1f} to {percent(found.upper)}"
        made.add_row(
            name,
            number(found.n),
            percent(metrics.mdape),
            Text(percent(found.covered), STATUS_STYLES[found.status]),
            sure,
            percent(found.width),
            style="bold" if name == "overall" else "",
        )
    return Group(heading("Intervals", "of the estimates on the holdout"), made)


def _covered_segments(evaluation: Evaluation) -> Iterable[tuple[str, Metrics]]:
    yield from evaluation.by_realestate_type.items()
    for number_, metrics in evaluation.by_price_fifth.items():
        yield f"price fifth {number_}", metrics
    for name, metrics in evaluation.by_municipality.items():
        yield f"municipality {name}", metrics
    for name, metrics in evaluation.by_reach.items():
        yield name.replace("_", " "), metrics
    yield "overall", evaluation.overall


def _ratios(study: RatioStudy) -> Iterable[Text]:
    statuses = study.statuses()
    for name, figure in (
        ("median_ratio", f"{study.median_ratio.value:.3f}"),
        ("cod", percent(study.cod.value / 100)),
        ("prd", f"{study.prd.value:.3f}"),
        ("prb", f"{study.prb.value:+.3f}"),
    ):
        yield Text(figure, STATUS_STYLES[statuses[name]])


def _cells(metrics: Metrics) -> tuple[str, ...]:
    shares = (metrics.mdape, metrics.wape, metrics.within_10, metrics.within_20)
    return number(metrics.n), kroner(metrics.mae), *(percent(share) for share in shares)


def verdict_table(verdict: Verdict) -> Group:
    """Rule by rule, what kept the model out first."""
    made = table("", "rule", "")
    made.show_header = False
    made.columns[1].no_wrap = True
    for check in sorted(verdict.checks, key=lambda check: check not in verdict.blocking):
        mark, style = _MARKS[check.outcome]
        words = explained(check)
        if check.outcome is Outcome.INCONCLUSIVE and check not in verdict.blocking:
            words += ", accepted" if check.blocks_if_inconclusive else ", does not block"
        dim = "dim" if check.outcome is Outcome.NOT_APPLICABLE else ""
        made.add_row(Text(mark, style), Text(rule_name(check.rule), dim), Text(words, dim))
    colour = "green" if verdict.passed else "red"
    return Group(Text.assemble(("Gate ", "bold"), (headline(verdict), colour)), made)


def in_models(settings: "Settings", name: str) -> str:
    """Where an object of the models is: a path that can be opened, or its address."""
    return _place(settings, "ree-models", settings.s3_bucket_models, name)


def in_snapshots(settings: "Settings", name: str) -> str:
    """Where a snapshot or a dataset is."""
    return _place(settings, "ree-snapshots", settings.s3_bucket_snapshots, name)


def _place(settings: "Settings", folder: str, bucket: str, name: str) -> str:
    if settings.storage == "s3":
        return f"s3://{bucket}/{name}"
    return str(Path(settings.storage_path).absolute() / folder / name)
