"""The track record for people."""

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...adapters.figures import month_name
from ...domain.appraisal import COVERAGE
from ...domain.evaluation import Metrics
from ...domain.property import RealEstateType
from ...domain.segments import MIN_ROWS
from ...domain.track_record import TrackedMonth
from .rendering import STATUS_STYLES, heading, show, table
from .words import NOTHING, number, percent, thin


def show_track(months: Sequence[TrackedMonth]) -> None:
    """A line a month, the newest first, and its types; what to compare them with."""
    if not months:
        show(
            "No month has been scored yet. The retrain after the first published version scores "
            "that version on the sales of the months it fetches."
        )
        return
    made = _table("month", "version", "sales>", "MdAPE>", "at the gate>")
    for month in months:
        promised = percent(month.holdout.mdape) if month.holdout else NOTHING
        made.add_row(month_name(month), month.version, *_cells(month.evaluation.overall, promised))
    made.columns[1].no_wrap = True
    rest = "sales after all that the version was trained on; at the gate: on its own holdout"
    newest = months[0]
    show(
        Group(heading("Estimates against later sales", rest), made),
        Group(heading(f"{month_name(newest)} by type", newest.version), _types(newest)),
        _excluded(newest),
    )


def _types(month: TrackedMonth) -> Table:
    made = _table("type", "sales>", "MdAPE>")
    known = month.evaluation.by_realestate_type
    for kind in RealEstateType:
        if kind.value in known:
            made.add_row(kind.value, *_cells(known[kind.value]))
    return made


def _table(*first: str) -> Table:
    within = (f"within {share}{thin()}%>" for share in (10, 20))
    held = f"in {COVERAGE:.0%} interval>".replace("%", f"{thin()}%")
    return table(*first, "WAPE>", *within, held, "COD>", "PRD>")


def _cells(metrics: Metrics, promised: str | None = None) -> list[str | Text]:
    """Dim where there are so few sales that figures are chance."""
    held, ratios = metrics.covered(COVERAGE), metrics.ratios
    cells: list[str | Text] = [number(metrics.n), percent(metrics.mdape)]
    cells += [] if promised is None else [promised]
    cells += [percent(share) for share in (metrics.wape, metrics.within_10, metrics.within_20)]
    cells.append(Text(percent(held.covered), STATUS_STYLES[held.status]) if held else NOTHING)
    if ratios is None:
        cells += [NOTHING, NOTHING]
    else:
        statuses = ratios.statuses()
        cells.append(Text(percent(ratios.cod.value / 100), STATUS_STYLES[statuses["cod"]]))
        cells.append(Text(f"{ratios.prd.value:.3f}", STATUS_STYLES[statuses["prd"]]))
    return cells if metrics.n >= MIN_ROWS else [Text(str(cell), "dim") for cell in cells]


def _excluded(month: TrackedMonth) -> str:
    left = ", ".join(f"{number(count)} {code}" for code, count in sorted(month.excluded.items()))
    return f"Left out of {month_name(month)}: {left or 'no sale'}."
