"""The page that tells what a version is worth."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template, select_autoescape

from ..domain.model import ModelVersion


def html_report(version: ModelVersion) -> str:
    """One self-contained HTML file: the data, the errors by segment, the gate's verdict."""
    return _template().render(version=version, record=version.record)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["j2"])
    )
    environment.filters.update(nok=_nok, percent=_percent, figure=_figure)
    return environment.get_template("report.html.j2")


def _nok(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:,.0f}".replace(",", "\u202f")


def _percent(value: Any) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f}\u202f%"


def _figure(value: Any) -> str:
    """A figure of a check: NOK and counts in whole numbers, shares as they are."""
    if isinstance(value, list | tuple):
        return " to ".join(map(_figure, value))
    if isinstance(value, int | float):
        return _nok(value) if abs(value) >= 10 or isinstance(value, int) else f"{value:.4g}"
    return "–" if value is None else str(value)
