"""The page that tells what a version is worth."""

import re

from ...domain.model import ModelVersion


def html_report(version: ModelVersion) -> str:
    """One self-contained HTML file without scripts; equal versions give equal bytes.

    Every number in it is one of `version_figures`, so of metrics.json, and says which.
    """
    from ..figures import version_figures
    from .figure import Figure
    from .summary import Summary
    from .template import template

    figures = Figure(version_figures(version.record))
    summary = Summary(version.status, version.record.kind, figures)
    page = template().render(
        version=version, record=version.record, figures=figures, summary=summary
    )
    return re.sub(r"\s*\n\s*", "\n", page)
