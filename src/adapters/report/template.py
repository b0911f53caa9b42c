"""The templates of the report, and what they may use."""

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ...domain import coverage, segments
from ...domain.ratio_study import BANDS
from . import months, names, numbers, pictures, places
from .figure import Figure
from .numbers import MINUS, points, whole_percent
from .summary import (
    FAMILIES,
    MARKS,
    WORDS,
    best_first,
    is_of_a_type,
    standing_of_coverage,
    standing_of_ratio,
)

LIMITS = {
    "good": whole_percent(segments.GOOD_MDAPE),
    "ok": whole_percent(segments.OK_MDAPE),
    "rows": str(segments.MIN_ROWS),
    "cover_good": points(coverage.GOOD_WITHIN),
    "cover_ok": points(coverage.OK_WITHIN),
    **{
        name: f"{low:.{digits}f} to {high:.{digits}f}{unit}".replace("-", MINUS)
        for (name, (low, high)), (digits, unit) in zip(
            BANDS.items(), [(2, ""), (0, f"{numbers.THIN}%"), (2, ""), (2, "")], strict=True
        )
    },
}
"""Where good ends, and what the standard accepts, as the domain has it."""


@cache
def template() -> Template:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    environment.filters.update(numbers.FILTERS)
    environment.globals.update(
        best_first=best_first,
        by_price=_by_price,
        draw_places=places.places,
        families=FAMILIES,
        fixed=numbers.fixed,
        in_norway=places.in_norway,
        is_of_a_type=is_of_a_type,
        limits=LIMITS,
        marks=MARKS,
        months=months,
        names=names,
        pictures=pictures,
        split=_split,
        standing_of_coverage=standing_of_coverage,
        standing_of_ratio=standing_of_ratio,
        words=WORDS,
    )
    return environment.get_template("page.html.j2")


def _by_price(cells: Iterable[Figure]) -> list[tuple[Figure, list[Figure]]]:
    """Cells that begin at the same price."""
    grouped = groupby(cells, key=lambda cell: cell["price"].raw)
    return [(row[0]["price"], row) for row in (list(found) for _, found in grouped)]


def _split(rule: str) -> tuple[str, str]:
    """The segment and the metric of a rule."""
    segment, _, metric = rule.rpartition("_")
    return segment, metric
