"""An evaluation as a document: its figures, and what each is worth."""

from typing import Any

from ..domain.evaluation import Evaluation, Metrics
from ..domain.segments import status
from . import codec

SEGMENTS = ("by_realestate_type", "by_municipality", "by_price_fifth", "by_reach")


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
