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
from .rendering import STATUS_STYLES, heading, show, table, version_name
from .words import NOTHING, number, percent, thin

Cell = str | Text


def show_track(months: Sequence[TrackedMonth]) -> None:
    """A line a month, the newest first, beside what the gate was told; the newest by type."""
    if not months:
        show(
            "No month to show. A retrain scores the version in use on the months it "
            "fetches that came after it."
        )
        return
    made = table("month", "sales>", "MdAPE>", "at the\ngate>", *_shares(), "version")
    for month in months:
        n, mdape, _, *rest = _cells(month.evaluation.overall)
        promised = percent(month.holdout.mdape) if month.holdout else NOTHING
        made.add_row(month_name(month), n, mdape, promised, *rest, version_name(month.version))
    made.columns[0].no_wrap = made.columns[-1].no_wrap = True
    newest = months[0]
    left = ", ".join(f"{number(count)} {code}" for code, count in sorted(newest.excluded.items()))
    words = "only sales newer than all that the version was trained on; the gate saw older ones"
    show(
        Group(heading("Estimates against later sales", words), made),
        Group(heading(f"{month_name(newest)} by type", newest.version), _types(newest)),
        f"Left out of {month_name(newest)}: {left or 'no sale'}.",
    )


def _types(month: TrackedMonth) -> Table:
    made = table("type", "sales>", "MdAPE>", "WAPE>", *_shares())
    known = month.evaluation.by_realestate_type
    for kind in RealEstateType:
        if kind.value in known:
            made.add_row(kind.value, *_cells(known[kind.value]))
    return made


def _shares() -> Sequence[str]:
    within = (f"within\n{share}{thin()}%>" for share in (10, 20))
    return *within, f"inside\n{100 * COVERAGE:g}{thin()}%>", "COD>", "PRD>"


def _cells(metrics: Metrics) -> list[Cell]:
    """Dim where there are so few sales that the figures are chance."""
    shares = (metrics.mdape, metrics.wape, metrics.within_10, metrics.within_20)
    cells: list[Cell] = [number(metrics.n), *(percent(share) for share in shares)]
    held, ratios = metrics.covered(COVERAGE), metrics.ratios
    cells.append(Text(percent(held.covered), STATUS_STYLES[held.status]) if held else NOTHING)
    if ratios is None:
        cells += [NOTHING, NOTHING]
    else:
        statuses = ratios.statuses()
        cells.append(Text(percent(ratios.cod.value / 100), STATUS_STYLES[statuses["cod"]]))
        cells.append(Text(f"{ratios.prd.value:.3f}", STATUS_STYLES[statuses["prd"]]))
    return cells if metrics.n >= MIN_ROWS else [Text(str(cell), "dim") for cell in cells]
