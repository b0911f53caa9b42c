"""Versions for people."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from ...application.reproduce import Reproduction
from ...domain.model import Activation, ModelVersion
from ...domain.verification import Finding, Soundness
from .commands import one_line
from .documents import status
from .rendering import (
    Part,
    coverage_table,
    facts,
    funnel_table,
    heading,
    in_models,
    metrics_table,
    ratio_table,
    show,
    table,
    verdict_table,
)
from .words import NOTHING, days, moment, number, percent

if TYPE_CHECKING:
    from ...adapters.settings import Settings

_MARKS = {
    Soundness.SOUND: ("✓", "green"),
    Soundness.WARNING: ("!", "yellow"),
    Soundness.BROKEN: ("✗", "red"),
}
_STYLES = {"active": "green", "rejected": "red"}


def show_versions(versions: Sequence[ModelVersion], active: str | None) -> None:
    """A line a version."""
    if not versions and active is not None:
        show("No version can be read.")
        return
    if not versions:
        show('There is no version yet. Run "ree retrain", "ree demo" or "ree models bootstrap".')
        return
    made = table("version", "status", "type", "trained on", "until", "MAE, kr>", "MdAPE>", "n>")
    made.columns[0].no_wrap = True
    for version in versions:
        record, state = version.record, status(version, active)
        overall = record.evaluation.overall if record.evaluation else None
        made.add_row(
            version.version,
            Text(state, _STYLES.get(state, "")),
            record.kind.value,
            _period(version) or NOTHING,
            str(record.trained_until or NOTHING),
            number(overall.mae) if overall else NOTHING,
            percent(overall.mdape) if overall else NOTHING,
            number(overall.n) if overall else NOTHING,
        )
    show(made)


def show_version(
    version: ModelVersion, active: str | None, moves: Sequence[Activation], settings: "Settings"
) -> None:
    """Where it comes from, how good it is, what the gate said, when it was active."""
    record = version.record
    parts: list[Part] = [heading(version.version, status(version, active))]
    parts.append(facts(_origin(version, settings)))
    if record.dataset is not None:
        parts.append(funnel_table(record.dataset.funnel))
    if record.evaluation is not None:
        parts.append(metrics_table(record.evaluation, record.baseline))
        parts.append(ratio_table(record.evaluation))
        if record.evaluation.overall.coverage:
            parts.append(coverage_table(record.evaluation))
    if record.verdict is not None:
        parts.append(verdict_table(record.verdict))
    if moves:
        made = table("made active", "by", "why")
        for move in moves:
            made.add_row(moment(move.activated_at), Text(move.activated_by), Text(move.why))
        parts.append(Group(heading("Activations"), made))
    show(*parts)


def show_findings(findings: Sequence[Finding]) -> None:
    """What is broken or odd, and how much was looked at."""
    counted = Counter(finding.soundness for finding in findings)
    made = table("", "what", "found")
    for finding in findings:
        if finding.soundness is not Soundness.SOUND:
            mark, style = _MARKS[finding.soundness]
            made.add_row(Text(mark, style), one_line(finding.subject), one_line(finding.detail))
    made.columns[1].overflow = made.columns[2].overflow = "fold"
    broken, odd = counted[Soundness.BROKEN], counted[Soundness.WARNING]
    words = f"{number(len(findings))} checked, {number(broken)} broken, {number(odd)} to look at"
    parts: list[Part] = [made] if made.row_count else []
    show(*parts, f"{'Broken' if broken else 'Sound'}: {words}.")


def show_reproduction(made: Reproduction) -> None:
    """Digest beside digest."""
    shown = table("", "object", "stored", "made again")
    for name, (stored, again) in made.objects.items():
        mark, style = _MARKS[Soundness.SOUND if stored == again else Soundness.BROKEN]
        shown.add_row(Text(mark, style), name, stored[:16] or NOTHING, again[:16])
    parts: list[Part] = [shown]
    if made.changed:
        inputs = table("changed since", "then", "now")
        for name, (then, now) in made.changed.items():
            inputs.add_row(name, one_line(then or NOTHING), one_line(now))
        parts.append(inputs)
    parts.append(
        f"{made.version} comes out the same, digest for digest."
        if made.same
        else f"{made.version} comes out otherwise."
    )
    show(*parts)


def _origin(version: ModelVersion, settings: "Settings") -> list[tuple[str, object]]:
    record = version.record
    folder = "rejected" if version.status.value == "rejected" else "models"
    recipe = ", ".join(f"{name} {value}" for name, value in record.recipe.settings.items())
    return [
        ("type", record.kind.value),
        ("recipe", f"{record.recipe.name} ({recipe})" if recipe else record.recipe.name),
        ("trained on", _period(version)),
        ("trained until", record.trained_until),
        ("made", moment(version.created_at)),
        ("run", record.run_id),
        ("compared with", record.champion),
        ("digest", version.model_digest),
        ("made with", ", ".join(f"{name} {value}" for name, value in record.environment.items())),
        ("objects", ", ".join(sorted(version.objects))),
        ("folder", in_models(settings, f"{folder}/{version.version}")),
    ]


def _period(version: ModelVersion) -> str | None:
    dataset = version.record.dataset
    return days(dataset.period) if dataset else None
