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
    environment.filters.update(nok=_nok, percent=_percent)
    return environment.get_template("report.html.j2")


def _nok(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:,.0f}".replace(",", "\u202f")


def _percent(value: Any) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f}\u202f%"
