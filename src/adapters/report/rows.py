"""Drawings with a row for each segment: bars, and points with their intervals beside a band."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from markupsafe import Markup

from .drawing import COLOURS, TEXT, drawn
from .summary import Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 38.0
NICE = [1, 2, 2.5, 5, 10]
"""Steps of ticks."""
MARKERS = {"good": "o", "ok": "D", "risk": "^", "few": "o"}
_BAND_WIDTHS_IN_VIEW = 4


@frozen
class Row:
    """A segment: its name, what stands at the right, its value and the interval of that.

    *whole* is what the value is a part of, *limit* what it should not exceed.
    """

    name: str
    note: str
    value: float | None
    standing: Standing | None = None
    lower: float | None = None
    upper: float | None = None
    limit: float | None = None
    whole: float | None = None


def bars(
    name: str, rows: Sequence[Row], told: Callable[[float], str], lines: Sequence[float] = ()
) -> Markup:
    """A bar from 0 for each row, and lines at values to compare with."""
    values = [value for row in rows for value in (row.value, row.whole) if value is not None]

    def paint(axes: "Axes") -> None:
        axes.set_xlim(0, 1.04 * max([*values, *lines, 1e-9]))
        _lines(axes, lines, len(rows))
        for place, row in enumerate(rows):
            y = place * ROW + 26
            if row.whole is not None:
                axes.barh(y, row.whole, 11, color=COLOURS["softer"], linewidth=0)
            if row.value is None:
                continue
            if row.standing == "few":
                axes.barh(y, row.value, 10, color="none", edgecolor=COLOURS["few"], linewidth=1)
            else:
                axes.barh(y, row.value, 11, color=COLOURS[row.standing or "accent"], linewidth=0)
        _labels(axes, rows, told)

    return drawn(name, len(rows) * ROW + 34, paint)


def intervals(
    name: str,
    rows: Sequence[Row],
    told: Callable[[float], str],
    *,
    band: tuple[float, float] | None = None,
    lines: Sequence[float] = (),
) -> Markup:
    """A point with its interval for each row, over a band where it should be; empty without rows.

    What is far outside of the band stands at the edge, pointing out.
    """
    if not rows:
        return Markup()
    low, high = _view(rows, band, lines)

    def paint(axes: "Axes") -> None:
        axes.set_xlim(low, high)
        if band is not None:
            axes.axvspan(*band, facecolor=COLOURS["band"], edgecolor="none")
        _lines(axes, lines, len(rows))
        for place, row in enumerate(rows):
            _point(axes, row, place * ROW + 26, low, high)
        _labels(axes, rows, told)

    return drawn(name, len(rows) * ROW + 34, paint, margins=(16, 18, 6, 30))


def mark(axes: "Axes", x: Any, y: Any, standing: Standing, size: float = 8) -> None:
    """The mark of a standing: a shape and a colour of its own."""
    colour = COLOURS[standing]
    axes.plot(
        x,
        y,
        MARKERS[standing],
        markersize=size,
        markerfacecolor=COLOURS["paper"] if standing == "few" else colour,
        markeredgecolor=colour if standing == "few" else COLOURS["paper"],
        markeredgewidth=1.2 if standing == "few" else 0.8,
    )


def _point(axes: "Axes", row: Row, y: float, low: float, high: float) -> None:
    colour = COLOURS[row.standing or "accent"]
    if row.limit is not None:
        axes.plot([row.limit] * 2, [y - 8, y + 8], color=COLOURS["ink"], linewidth=2)
    if row.value is None:
        return
    if row.lower is not None and row.upper is not None:
        ends = [min(max(end, low), high) for end in (row.lower, row.upper)]
        axes.plot(ends, [y, y], color=colour, linewidth=2.2)
    if low <= row.value <= high:
        mark(axes, [row.value], [y], row.standing or "good")
    else:
        beyond = row.value > high
        axes.plot(
            [high if beyond else low], [y], ">" if beyond else "<", color=colour, markersize=8
        )


def _view(
    rows: Sequence[Row], band: tuple[float, float] | None, lines: Sequence[float]
) -> tuple[float, float]:
    ends = [e for row in rows for e in (row.value, row.lower, row.upper, row.limit)]
    known = [end for end in ends if end is not None] + [*lines, *(band or ())]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if band is not None:
        reach = _BAND_WIDTHS_IN_VIEW * (band[1] - band[0])
        low, high = max(low, band[0] - reach), min(high, band[1] + reach)
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _lines(axes: "Axes", lines: Sequence[float], rows: int) -> None:
    """Across every bar, but not through the text above it."""
    bars = [place * ROW + 26 for place in range(rows)]
    for line in lines:
        axes.vlines(
            [line] * rows,
            [y - 11 for y in bars],
            [y + 11 for y in bars],
            color=COLOURS["muted"],
            linewidth=1,
            linestyles=(0, (3, 3)),
        )


def _labels(axes: "Axes", rows: Sequence[Row], told: Callable[[float], str]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_ylim(max(1, len(rows)) * ROW, 0)
    axes.set_yticks([])
    across = axes.get_yaxis_transform()
    for place, row in enumerate(rows):
        y = place * ROW + 15
        axes.text(0, y, row.name, transform=across, fontsize=TEXT)
        axes.text(
            1, y, row.note, transform=across, ha="right", fontsize=TEXT, color=COLOURS["muted"]
        )
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=NICE))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: told(round(value, 9) + 0.0))
    )  # no -0
    axes.grid(axis="x")
