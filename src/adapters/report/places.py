"""The map of the municipalities that had sales."""

from collections.abc import Sequence
from math import cos, radians, sqrt
from typing import TYPE_CHECKING

from attrs import frozen
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
_EDGE = 20.0
"""Pixels."""
_NAMED = 7
_LETTER = 7.5
"""How wide one is, in pixels."""


Point = tuple[float, float]
"""Latitude and longitude in degrees, or pixels from the left and from below."""


def places(segments: Sequence[Segment]) -> Markup:
    """Where the sales were: larger with more of them, the shape and colour by how good it is.

    The smallest are on top; what is nowhere is not drawn.
    """
    shown = _somewhere(segments)
    behind = centres() if in_norway(shown) else ()
    frame = _Frame.around([*map(_point, shown), *behind])

    def paint(axes: "Axes") -> None:
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(0, frame.tall)
        if behind:
            x, y = zip(*map(frame.pixels, behind), strict=True)
            axes.plot(x, y, "o", markersize=2, color=COLOURS["faint"], markeredgewidth=0)
        for standing, size, points in _layers(shown):
            x, y = zip(*map(frame.pixels, points), strict=True)
            mark(axes, x, y, standing, size)
        for name, (x_, y_) in _named(shown, frame):
            axes.text(x_, y_, name, va="center", fontsize=TEXT)

    return drawn("places", frame.tall, paint, margins=(0, 0, 0, 0))


@frozen
class _Frame:
    """An equirectangular map, true to scale at its middle latitude; *scale* is pixels a degree."""

    south: float
    west: float
    squeeze: float
    scale: float
    left: float
    tall: float

    @classmethod
    def around(cls, points: Sequence[Point]) -> "_Frame":
        """As large as there is room for them."""
        lats, lons = zip(*points, strict=True)
        squeeze = cos(radians((min(lats) + max(lats)) / 2))
        wide, high = (max(lons) - min(lons)) * squeeze or 0.1, max(lats) - min(lats) or 0.1
        scale = min((WIDTH - 2 * _EDGE) / wide, (_TALLEST - 2 * _EDGE) / high)
        left = (WIDTH - wide * scale) / 2
        return cls(min(lats), min(lons), squeeze, scale, left, high * scale + 2 * _EDGE)

    def pixels(self, point: Point) -> Point:
        """Where a point is drawn."""
        lat, lon = point
        east = (lon - self.west) * self.squeeze * self.scale
        return self.left + east, _EDGE + (lat - self.south) * self.scale


def _named(segments: Sequence[Segment], frame: _Frame) -> list[tuple[str, Point]]:
    """The names of the first ones for which there is room, and where they begin."""
    found: list[tuple[str, Point]] = []
    for segment in segments:
        name, (x, y) = segment.name.text, frame.pixels(_point(segment))
        left = x + 4 + _size(segment) / 2
        near = any(
            abs(y - y_) < TEXT and left < x_ + _wide(other) and x_ < left + _wide(name)
            for other, (x_, y_) in found
        )
        if name and not near and left + _wide(name) < WIDTH and len(found) < _NAMED:
            found.append((name, (left, y)))
    return found


def _wide(name: str) -> float:
    return _LETTER * len(name)


def _point(segment: Segment) -> Point:
    return segment.figure["lat"].raw, segment.figure["lon"].raw


def _size(segment: Segment) -> float:
    """Its diameter in pixels, one of few, so that marks can share a shape."""
    if segment.standing == "few":
        return 5.0
    return min(24.0, 2.0 * round((5 + 0.5 * sqrt(segment.figure["n"].raw)) / 2))


def _layers(segments: Sequence[Segment]) -> list[tuple[Standing, float, list[Point]]]:
    """Marks that look alike with where they are: those that tell little first, then large ones."""
    found: dict[tuple[Standing, float], list[Point]] = {}
    for segment in segments:
        found.setdefault((segment.standing, _size(segment)), []).append(_point(segment))
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
