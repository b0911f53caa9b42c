"""Evaluations and versions as documents: their figures, and what each is worth."""

from math import isfinite
from typing import Any

from ..domain.appraisal import COVERAGE
from ..domain.drift import DriftReport
from ..domain.evaluation import Evaluation, Metrics
from ..domain.gating import Verdict
from ..domain.model import TrainingRecord
from ..domain.residuals import strongest_first
from ..domain.segments import status
from ..domain.track_record import TrackedMonth
from . import codec

SEGMENTS = ("by_realestate_type", "by_municipality", "by_price_fifth", "by_reach")
TRACKED_SEGMENTS = ("by_realestate_type", "by_reach")


def evaluation_figures(evaluation: Evaluation | None) -> dict[str, Any]:
    """Overall and by segment; what is not known is None."""
    if evaluation is None:
        return {"overall": None} | {name: {} for name in SEGMENTS}
    return {"overall": metrics_figures(evaluation.overall)} | {
        name: {
            segment: {"status": status(metrics)} | metrics_figures(metrics)
            for segment, metrics in getattr(evaluation, name).items()
        }
        for name in SEGMENTS
    }


def metrics_figures(metrics: Metrics) -> dict[str, Any]:
    """With the status good, ok or risk of every coverage and every ratio."""
    figures: dict[str, Any] = codec.plain(metrics)
    for told, coverage in zip(figures["coverage"], metrics.coverage, strict=True):
        told["status"] = coverage.status
    if metrics.ratios is not None:
        for name, known in metrics.ratios.statuses().items():
            figures["ratios"][name]["status"] = known
    return figures


def verdict_figures(verdict: Verdict | None) -> dict[str, Any] | None:
    """What the gate decided, and which rules kept the model out."""
    if verdict is None:
        return None
    return {
        "passed": verdict.passed,
        "accept_inconclusive": verdict.accept_inconclusive,
        "blocking": [check.rule for check in verdict.blocking],
        "checks": [
            {
                "rule": check.rule,
                "outcome": check.outcome.value,
                "figures": codec.plain(check.figures),
            }
            for check in verdict.checks
        ],
    }


def version_figures(record: TrainingRecord) -> dict[str, Any]:
    """All that a version was found to be worth: metrics.json, and every figure of its report."""
    evaluation, dataset = record.evaluation, record.dataset
    return {
        **evaluation_figures(evaluation),
        "baseline": evaluation_figures(record.baseline),
        "gain_on_baseline": _gain(evaluation, record.baseline),
        "residuals": codec.plain(evaluation.residuals) if evaluation else None,
        "drivers": codec.plain(strongest_first(evaluation.drivers)) if evaluation else {},
        "period": codec.plain(dataset.period) if dataset else None,
        "funnel": codec.plain(dataset.funnel.stages) if dataset else [],
        "trained_until": codec.plain(record.trained_until),
        "verdict": verdict_figures(record.verdict),
        "champion": record.champion,
        "champion_trained_until": codec.plain(record.champion_trained_until),
        "track": [_tracked_line(month) for month in record.track],
    }


def tracked_figures(month: TrackedMonth) -> dict[str, Any]:
    """How a version did on the sales of a month, beside what it did on its own holdout."""
    segments = evaluation_figures(month.evaluation)
    return {
        "model_version": month.version,
        "trained_until": codec.plain(month.trained_until),
        "month": month_name(month),
        "metrics": metrics_figures(month.evaluation.overall),
        "holdout": month.holdout and metrics_figures(month.holdout),
        "segments": {name: segments[name] for name in TRACKED_SEGMENTS},
        "excluded": dict(month.excluded),
        "snapshot_digest": month.snapshot_digest,
        "scored_at": codec.plain(month.scored_at),
    }


def month_name(month: TrackedMonth) -> str:
    """As 2026-01."""
    return f"{month.month.start:%Y-%m}"


def _tracked_line(month: TrackedMonth) -> dict[str, Any]:
    """What a report has room for."""
    overall, held = month.evaluation.overall, month.evaluation.overall.covered(COVERAGE)
    ratios = overall.ratios
    figures: dict[str, Any] = codec.plain(
        {
            "month": month_name(month),
            "model_version": month.version,
            "n": overall.n,
            "mdape": overall.mdape,
            "holdout_mdape": month.holdout.mdape if month.holdout else None,
            "wape": overall.wape,
            "within_10": overall.within_10,
            "within_20": overall.within_20,
            "cod": ratios.cod.value if ratios else None,
            "prd": ratios.prd.value if ratios else None,
            "coverage": held
            and {
                "n": held.n,
                "covered": held.covered,
                "lower": held.lower,
                "upper": held.upper,
                "status": held.status,
            },
        }
    )
    return figures


def drift_figures(report: DriftReport) -> dict[str, Any]:
    """A version's training data beside later sales; what is not known is None."""
    figures: dict[str, Any] = codec.plain(report)
    return {"model_version": figures.pop("version")} | figures


def _gain(evaluation: Evaluation | None, baseline: Evaluation | None) -> float | None:
    """By what share the mean error is smaller than the naive baseline's; None if not known."""
    if evaluation is None or baseline is None or not baseline.overall.mae > 0:
        return None
    gain = 1 - evaluation.overall.mae / baseline.overall.mae
    return gain if isfinite(gain) else None
