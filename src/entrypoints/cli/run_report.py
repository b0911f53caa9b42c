"""A retrain for people."""

from typing import TYPE_CHECKING

from rich.text import Text

from ...domain.run import Ending, Run
from .rendering import (
    Part,
    facts,
    funnel_table,
    heading,
    in_models,
    in_snapshots,
    metrics_table,
    show,
    verdict_table,
)
from .words import moment, number

if TYPE_CHECKING:
    from ...adapters.settings import Settings

_ENDINGS = {
    Ending.SNAPSHOTS_ONLY: "Dry run: snapshots and dataset are stored, nothing was trained.",
    Ending.NOT_PUBLISHED: "The model passed and was not published, as asked.",
    Ending.ACTIVATED: "Version {version} was published and made active.",
    Ending.REFUSED: "The gate refused the model. The active version stays as it was.",
}


def show_run(run: Run, settings: "Settings", active: str | None = None) -> None:
    """The funnel, the errors, the verdict, and what came of it; *active* is the version of now."""
    parts: list[Part] = [_title(run), funnel_table(run.manifest.funnel)]
    parts += [
        Text(f"  warning {code}: {number(count)} sales") for code, count in run.warnings.items()
    ]
    if run.evaluation is not None:
        parts.append(metrics_table(run.evaluation, run.baseline))
    if run.verdict is not None:
        parts.append(verdict_table(run.verdict))
    parts += [Text(_came_of_it(run, active)), _written(run, settings)]
    show(*parts)


def _came_of_it(run: Run, active: str | None) -> str:
    if run.reused and run.activated and active != run.model_version:
        return (
            f"Version {run.model_version} was made active then; {active or 'none'} is active now. "
            f'"ree models activate {run.model_version} --why TEXT" brings it back.'
        )
    return _ENDINGS[run.ending].format(version=run.model_version)


def _title(run: Run) -> Text:
    period = f"{run.manifest.period.start} to {run.manifest.period.end}"
    if run.reused:
        rest = f"nothing has changed since {moment(run.started_at)}: reused, not trained again"
    else:
        rest = f"{(run.finished_at - run.started_at).total_seconds():.0f} s"
    return heading(period, f"run {run.run_id}, {rest}")


def _written(run: Run, settings: "Settings") -> Part:
    folder = "rejected" if run.ending is Ending.REFUSED else "models"
    version = run.model_version
    dataset = in_snapshots(settings, run.manifest.name)
    report = in_models(settings, f"runs/{run.run_id}.json")
    kept = version and in_models(settings, f"{folder}/{version}")
    asked = f"{run.asked_by}, {moment(run.started_at)}"
    return facts((("asked by", asked), ("dataset", dataset), ("version", kept), ("report", report)))
