"""Runs and versions as the JSON documents that `--json` prints."""

from typing import Any

from ...adapters import codec
from ...adapters.figures import evaluation_figures, verdict_figures
from ...application.reproduce import Reproduction
from ...domain.dataset import DatasetManifest, counts
from ...domain.model import ModelVersion
from ...domain.run import Ending, Run


def run_document(run: Run) -> dict[str, Any]:
    """One retrain; what it did not get to is null."""
    return {
        "run_id": run.run_id,
        "reused": run.reused,
        "period": codec.plain(run.manifest.period),
        "ending": run.ending.value,
        "asked_by": run.asked_by,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat(),
        "steps": codec.plain(run.steps),
        "manifest": manifest_document(run.manifest)
        | {"dry_run": run.ending is Ending.SNAPSHOTS_ONLY},
        "metrics": run.evaluation and evaluation_figures(run.evaluation),
        "baseline": run.baseline and evaluation_figures(run.baseline),
        "verdict": verdict_figures(run.verdict),
        "model_version": run.model_version,
        "activated": run.activated,
        "unreadable_replaced": run.unreadable_replaced,
        "warnings": dict(run.warnings),
    }


def version_document(version: ModelVersion, active: str | None) -> dict[str, Any]:
    """Everything that is known of a version."""
    record = version.record
    return {
        "model_version": version.version,
        "status": status(version, active),
        "type": record.kind.value,
        "created_at": version.created_at.isoformat(),
        "trained_until": codec.plain(record.trained_until),
        "recipe": codec.plain(record.recipe),
        "run_id": record.run_id,
        "manifest": manifest_document(record.dataset) if record.dataset else None,
        "metrics": record.evaluation and evaluation_figures(record.evaluation),
        "baseline": record.baseline and evaluation_figures(record.baseline),
        "verdict": verdict_figures(record.verdict),
        "champion": record.champion,
        "champion_trained_until": codec.plain(record.champion_trained_until),
        "model_digest": version.model_digest,
        "evaluation_digest": record.evaluation_digest,
        "environment": dict(record.environment),
        "objects": dict(version.objects),
    }


def reproduction_document(made: Reproduction) -> dict[str, Any]:
    """What came out when a version was trained again."""
    return {
        "model_version": made.version,
        "same": made.same,
        "objects": {
            name: {"stored": stored, "made": again, "same": stored == again}
            for name, (stored, again) in made.objects.items()
        },
        "changed_inputs": {
            name: {"then": then, "now": now} for name, (then, now) in made.changed.items()
        },
    }


def status(version: ModelVersion, active: str | None) -> str:
    """Active, published or rejected."""
    return "active" if version.version == active else version.status.value


def manifest_document(manifest: DatasetManifest) -> dict[str, Any]:
    """How a dataset came about."""
    plain: dict[str, Any] = codec.plain(manifest)
    return {
        "period": plain.pop("period"),
        "counts": counts(manifest),
        "dropped_reasons": manifest.funnel.dropped,
    } | plain
