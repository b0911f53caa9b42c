"""The map of the municipalities that had sales."""

from collections.abc import Sequence
from math import cos, radians, sqrt
from typing import TYPE_CHECKING

from markupsafe import Markup

from .drawing import COLOURS, TEXT, WIDTH, drawn
from .names import centres
from .rows import mark
from .summary import Segment, Standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NORWAY = (57.0, 72.0, 3.0, 32.0)
"""Latitudes and longitudes, degrees, that hold the mainland."""
_TALLEST = 560.0
_NAMED = 7
_LETTER = 7.5
"""How wide one is, in pixels."""


def places(segments: Sequence[Segment]) -> Markup:
    """Where the sales were: larger with more of them, the shape and colour by how good it is.

    Equirectangular, true to scale at the middle latitude. The smallest are on top; what is nowhere
    is not drawn.
    """
    segments = _somewhere(segments)
    points = [(s.figure["lat"].raw, s.figure["lon"].raw) for s in segments]
    behind = centres() if in_norway(segments) else ()
    lats, lons = zip(*points, *behind, strict=True)
    squeeze = cos(radians((min(lats) + max(lats)) / 2))
    width, height = (max(lons) - min(lons)) * squeeze or 0.1, max(lats) - min(lats) or 0.1
    scale = min((WIDTH - 40) / width, (_TALLEST - 40) / height)
    tall = height * scale + 40

    def paint(axes: "Axes") -> None:
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, tall)

        def pixels(lat: float, lon: float) -> tuple[float, float]:
            east = ((lon - min(lons)) * squeeze - width / 2) * scale + WIDTH / 2
            return east, (lat - min(lats)) * scale + 20

        if behind:
            x, y = zip(*(pixels(*centre) for centre in behind), strict=True)
            axes.plot(x, y, "o", markersize=2, color=COLOURS["faint"], markeredgewidth=0)
        for standing, size, found in _layers(segments, points):
            x, y = zip(*(pixels(*point) for point in found), strict=True)
            mark(axes, x, y, standing, size)
        taken: list[tuple[float, float, float]] = []
        for segment, point in zip(segments, points, strict=True):
            x_, y_ = pixels(*point)
            left = x_ + 4 + _size(segment) / 2
            right = left + _LETTER * len(segment.name.text)
            near = any(
                abs(y_ - y) < TEXT and left < end and begin < right for y, begin, end in taken
            )
            if segment.name.text and not near and right < WIDTH and len(taken) < _NAMED:
                taken.append((y_, left, right))
                axes.text(left, y_, segment.name.text, va="center", fontsize=TEXT)

    return drawn("places", tall, paint, margins=(0, 0, 0, 0))


def _size(segment: Segment) -> float:
    """Its diameter in pixels, one of few, so that marks can share a shape."""
    if segment.standing == "few":
        return 5.0
    return min(24.0, 2.0 * round((5 + 0.5 * sqrt(segment.figure["n"].raw)) / 2))


def _layers(
    segments: Sequence[Segment], points: Sequence[tuple[float, float]]
) -> list[tuple[Standing, float, list[tuple[float, float]]]]:
    """Marks that look alike with where they are: those that tell little first, then large ones."""
    found: dict[tuple[Standing, float], list[tuple[float, float]]] = {}
    for segment, point in zip(segments, points, strict=True):
        found.setdefault((segment.standing, _size(segment)), []).append(point)
    ordered = sorted(found, key=lambda look: (look[0] != "few", -look[1], look[0]))
    return [(standing, size, found[standing, size]) for standing, size in ordered]


def in_norway(segments: Sequence[Segment]) -> bool:
    """Whether all sales were there."""
    south, north, west, east = _NORWAY
    return all(
        south <= s.figure["lat"].raw <= north and west <= s.figure["lon"].raw <= east
        for s in _somewhere(segments)
    )


def _somewhere(segments: Sequence[Segment]) -> list[Segment]:
    return [s for s in segments if None not in (s.figure["lat"].raw, s.figure["lon"].raw)]
