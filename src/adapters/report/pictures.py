"""The pictures of the report, each of figures of metrics.json."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from ...domain.appraisal import COVERAGE
from ...domain.coverage import OK_WITHIN
from ...domain.ratio_study import BANDS
from ...domain.segments import GOOD_MDAPE, MIN_ROWS, OK_MDAPE
from . import names, numbers
from .drawing import COLOURS, drawn
from .figure import Figure
from .names import Name
from .rows import NICE, Row, bars, intervals, mark
from .summary import MARKS, Segment, standing_of_coverage, standing_of_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RATIO_WORDS = {"cod": numbers.cod}


def funnel(stages: Sequence[Figure]) -> Markup:
    """What every stage took in, and what of it went on."""
    first = stages[0]["incoming"].raw
    rows = [Row("sales that were fetched", numbers.count(first), first, whole=first)]
    for stage in stages:
        left = stage["outgoing"].raw
        name = names.stage(stage["name"].raw).plain
        rows.append(Row(name, numbers.count(left), left, whole=stage["incoming"].raw))
    return bars("funnel", rows, numbers.count)


def errors(name: str, segments: Sequence[Segment]) -> Markup:
    """The median error of each segment."""
    rows = [
        Row(
            segment.name.plain,
            MARKS[segment.standing]
            + " "
            + _noted(segment.figure["mdape"], numbers.percent, segment.figure["n"]),
            segment.figure["mdape"].raw,
            segment.standing,
        )
        for segment in segments
    ]
    return bars(name, rows, numbers.whole_percent, (GOOD_MDAPE, OK_MDAPE))


def drivers(found: Sequence[tuple[str, Figure]]) -> Markup:
    """What each group of facts moves an estimate by."""
    rows = [
        Row(
            names.driver(key).plain,
            numbers.shown(figure["mean"], numbers.kroner),
            figure["mean"].raw,
        )
        for key, figure in found
    ]
    return bars("drivers", rows, _short_million)


def calibration(told: Sequence[Figure]) -> Markup:
    """Of each coverage that was wanted, what was held."""
    rows = [
        Row(
            f"made to hold {numbers.whole_percent(figure['wanted'].raw)}",
            numbers.shown(figure["covered"], numbers.percent),
            figure["covered"].raw,
            standing_of_coverage(figure),
            figure["lower"].raw,
            figure["upper"].raw,
            figure["wanted"].raw,
        )
        for figure in told
    ]
    return intervals("calibration", rows, numbers.whole_percent)


def coverage(segments: Sequence[tuple[Segment, Figure]]) -> Markup:
    """What the intervals of each segment held."""
    rows = [
        Row(
            segment.name.plain,
            _noted(figure["covered"], numbers.percent, figure["n"]),
            figure["covered"].raw,
            standing_of_coverage(figure),
            figure["lower"].raw,
            figure["upper"].raw,
        )
        for segment, figure in segments
        if segment.family != "by_municipality" or standing_of_coverage(figure) != "few"
    ]
    band = (COVERAGE - OK_WITHIN, COVERAGE + OK_WITHIN)
    return intervals("coverage", rows, numbers.whole_percent, band=band, lines=(COVERAGE,))


def ratio(name: str, studies: Iterable[tuple[Name, Figure]]) -> Markup:
    """A figure of the ratio study beside the band of the standard."""
    told = _RATIO_WORDS.get(name, numbers.ratio)
    rows = [
        Row(
            label.plain,
            numbers.shown(study[name]["value"], told),
            study[name]["value"].raw,
            standing_of_ratio(study, name),
            study[name]["lower"].raw,
            study[name]["upper"].raw,
        )
        for label, study in studies
    ]
    return intervals(f"ratio-{name}", rows, numbers.tick, band=BANDS[name])


def degradations(checks: Sequence[Figure]) -> Markup:
    """How much larger the errors became, beside what is allowed."""
    rows = []
    for check in checks:
        figures = check["figures"]
        bounds = figures["degradation_interval"]
        rows.append(
            Row(
                names.rule(check["rule"].raw).plain,
                numbers.change(figures["degradation"].raw),
                figures["degradation"].raw,
                "good" if check["outcome"].raw == "passed" else "risk",
                bounds[0].raw,
                bounds[1].raw,
                figures["limit"].raw,
            )
        )
    return intervals("degradations", rows, numbers.whole_percent, lines=(0.0,))


def weeks(told: Sequence[Figure]) -> Markup:
    """Residuals by week."""
    labels = [numbers.short_day(date.fromisoformat(week["start"].raw)) for week in told]
    return _spreads("weeks", [week["spread"] for week in told], labels, "week that begins on")


def price_bands(told: Sequence[Figure]) -> Markup:
    """Residuals by price."""
    labels = [numbers.shown(band["median_price"], lambda nok: f"{nok / 1e6:.3g}") for band in told]
    words = "median price of the band, mill. kr"
    return _spreads("prices", [band["spread"] for band in told], labels, words)


Counted = tuple[float, float, int]
"""A price, an estimate and how many sales: lower bounds in NOK."""


def cells(residuals: Figure) -> Markup:
    """How often which estimate was made at which price."""
    step = residuals["step"].raw
    found = [(c["price"].raw, c["estimate"].raw, c["n"].raw) for c in residuals["cells"]]
    low = min(min(price, estimate) for price, estimate, _ in found)
    high = max(max(price, estimate) for price, estimate, _ in found) * step

    def paint(axes: "Axes") -> None:
        _logarithmic(axes, low, high)
        _filled(axes, found, step)
        axes.plot([low, high], [low, high], color=COLOURS["ink"], linewidth=1.2)
        for off in (0.8, 1.2):
            ends = [max(low, low / off), min(high, high / off)]
            beside = [off * end for end in ends]
            axes.plot(ends, beside, color=COLOURS["muted"], linewidth=1, dashes=(3, 3))

    return drawn("cells", 400, paint, margins=(58, 10, 8, 50))


_LEVELS = 5


def _filled(axes: "Axes", found: Sequence[Counted], step: float) -> None:
    """The cells, one path for all that are as full."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    most = max(n for _, _, n in found)
    for level in range(_LEVELS):
        squares = [
            Path([(p, e), (p * step, e), (p * step, e * step), (p, e * step), (p, e)], closed=True)
            for p, e, n in found
            if _level(n, most) == level
        ]
        if squares:
            path, alpha = Path.make_compound_path(*squares), (level + 1) / _LEVELS
            axes.add_patch(PathPatch(path, facecolor=COLOURS["accent"], alpha=alpha, linewidth=0))


def _logarithmic(axes: "Axes", low: float, high: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    axes.set(xlabel="price, mill. kr", ylabel="estimate, mill. kr")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(_log_ticks(low, high)))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: _short_million(value)))
    axes.grid()


def _level(n: int, most: int) -> int:
    """The share of the fullest cell, cut into levels by its square root."""
    return min(_LEVELS - 1, int(_LEVELS * (n / most) ** 0.5))


def _log_ticks(low: float, high: float) -> list[float]:
    ticks = [float(lead * 10**power) for power in range(16) for lead in (1, 2, 5)]
    shown = [tick for tick in ticks if low <= tick <= high]
    return shown if len(shown) <= 8 else [t for t in shown if str(t).startswith("1")]


def _spreads(name: str, spreads: Sequence[Figure], labels: Sequence[str], words: str) -> Markup:
    """The middle half and the middle four fifths of residuals, and their median."""
    quantiles = ("p10", "p25", "median", "p75", "p90")
    told = [spread[quantile].raw for spread in spreads for quantile in quantiles]
    known = [0.0, *(value for value in told if value is not None)]
    room = 0.06 * (max(known) - min(known) or 1)

    def paint(axes: "Axes") -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        axes.set(ylim=(min(known) - room, max(known) + room), xlim=(-0.6, len(spreads) - 0.4))
        axes.axhline(0, color=COLOURS["ink"], linewidth=1.2)
        for place, spread in enumerate(spreads):
            _spread(axes, place, spread, max(2.5, min(16.0, 220 / len(spreads))))
        every = -(-len(labels) // 5)
        axes.set_xticks(list(range(len(labels)))[::every], list(labels)[::every])
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=NICE))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: numbers.whole_percent(round(value, 9)))
        )
        axes.grid(axis="y")
        axes.set_xlabel(words)

    return drawn(name, 270, paint, margins=(52, 6, 8, 50))


def _spread(axes: "Axes", place: int, spread: Figure, wide: float) -> None:
    for low, high, thick in (("p10", "p90", 2.0), ("p25", "p75", wide)):
        ends = [spread[low].raw, spread[high].raw]
        if None not in ends:
            axes.plot([place] * 2, ends, color=COLOURS["soft"], linewidth=thick)
    if spread["median"].raw is not None:
        few = (spread["n"].raw or 0) < MIN_ROWS
        mark(axes, [place], [spread["median"].raw], "few" if few else "good", 7)


def _noted(figure: Figure, told: Callable[..., str], n: Figure) -> str:
    return f"{numbers.shown(figure, told)}, n {numbers.count(n.raw or 0)}"


def _short_million(value: float) -> str:
    return f"{value / 1e6:g}"
