"""The track record drawn: month beside month, the oldest first."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from ...domain.appraisal import COVERAGE
from ...domain.coverage import OK_WITHIN
from . import numbers
from .drawing import COLOURS, drawn
from .figure import Figure
from .rows import NICE, mark
from .summary import standing, standing_of_coverage

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def errors(months: Sequence[Figure]) -> Markup:
    """The median error of each month, and a stroke where it was at the gate."""

    def paint(axes: "Axes") -> None:
        for place, month in enumerate(months):
            promised = month["holdout_mdape"].raw
            if promised is not None:
                ends = [place - 0.3, place + 0.3]
                axes.plot(ends, [promised] * 2, color=COLOURS["ink"], linewidth=2)
            if month["mdape"].raw is not None:
                mark(axes, [place], [month["mdape"].raw], standing(month))
        axes.set_ylim(bottom=0)

    return _by_month("track-errors", months, paint)


def held(months: Sequence[Figure]) -> Markup:
    """The share of each month's prices that the usual intervals held, and how sure that is."""

    def paint(axes: "Axes") -> None:
        band = (COVERAGE - OK_WITHIN, COVERAGE + OK_WITHIN)
        axes.axhspan(*band, facecolor=COLOURS["band"], edgecolor="none")
        axes.axhline(COVERAGE, color=COLOURS["muted"], linewidth=1, linestyle=(0, (3, 3)))
        for place, month in enumerate(months):
            told = month["coverage"]
            word = standing_of_coverage(told)
            ends = [told["lower"].raw, told["upper"].raw]
            if None not in ends:
                axes.plot([place] * 2, ends, color=COLOURS[word], linewidth=2.2)
            if told["covered"].raw is not None:
                mark(axes, [place], [told["covered"].raw], word)

    return _by_month("track-held", months, paint)


def _by_month(name: str, months: Sequence[Figure], fill: Callable[["Axes"], None]) -> Markup:
    labels = [f"{date.fromisoformat(month['month'].raw + '-01'):%m/%y}" for month in months]
    every = -(-len(labels) // 8)

    def paint(axes: "Axes") -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        fill(axes)
        axes.set_xlim(-0.6, len(labels) - 0.4)
        axes.set_xticks(list(range(len(labels)))[::every], labels[::every])
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=NICE))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: numbers.whole_percent(round(value, 9)))
        )
        axes.grid(axis="y")

    return drawn(name, 230, paint, margins=(52, 6, 8, 30))
