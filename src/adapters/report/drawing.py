"""Drawings as SVG that lives inside a page: its colours, its font, no identifiers of its own."""

import io
import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 420.0
"""Of a drawing, in pixels where it is as large as it is made to be."""
TEXT = 12.5
"""The size of its text: 10 px and more where the drawing is scaled down to 340 px."""
_NAMES = (
    "ink", "muted", "line", "faint", "paper", "accent", "soft", "softer", "band",
    "good", "ok", "risk", "few",
)  # fmt: skip
COLOURS: Mapping[str, str] = {name: f"#fe01{place:02x}" for place, name in enumerate(_NAMES)}
"""Drawn with, then replaced by the page's custom property of that name, light or dark."""
_SETTINGS: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ree",
    "font.size": TEXT,
    "axes.linewidth": 0,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.labelpad": 6,
    "axes.axisbelow": True,
    "text.parse_math": False,  # a dollar sign is one
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 1,
}
_UNKNOWN = ("Date", "Creator", "Format", "Type")
_AWAY = (
    r"<defs>\s*<style.*?</style>\s*</defs>",
    r"<clipPath.*?</clipPath>",
    r"<defs>\s*</defs>",
    r' clip-path="[^"]*"',
    r' transform="rotate\(-0 [^"]*\)"',
    r" font-family: [^;\"]*;",
    r"; stroke-linejoin: \w+",
    r"; stroke-linecap: \w+",
)
_ALONE = Lock()
"""matplotlib's settings are those of the whole process: two drawings at once would mix theirs."""
_LONG = re.compile(r"\d+\.\d{2,}")


def drawn(
    name: str,
    height: float,
    paint: Callable[["Axes"], None],
    *,
    margins: tuple[float, float, float, float] = (16, 18, 6, 30),
) -> Markup:
    """What *paint* draws on axes that leave *margins* free: left, right, top, bottom, in pixels.

    *name* is of the drawing and unique in its page.
    """
    import matplotlib
    from matplotlib.figure import Figure

    left, right, top, bottom = margins
    written = io.StringIO()
    with _ALONE, matplotlib.rc_context():
        matplotlib.rcdefaults()  # not what is set on this machine
        matplotlib.rcParams.update(_SETTINGS)
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        axes = figure.add_axes(
            (
                left / WIDTH,
                bottom / height,
                (WIDTH - left - right) / WIDTH,
                (height - top - bottom) / height,
            )
        )
        axes.set_facecolor("none")
        paint(axes)
        metadata = dict.fromkeys(_UNKNOWN)
        figure.savefig(written, format="svg", transparent=True, metadata=metadata)
    return Markup(_inline(written.getvalue(), name))  # noqa: S704 - texts in it are escaped


def _inline(svg: str, name: str) -> str:
    view = re.search(r'viewBox="([^"]*)"', svg)
    assert view is not None  # noqa: S101 - matplotlib always writes one
    body = svg[svg.index(">", view.end()) + 1 :]
    for pattern in _AWAY:
        body = re.sub(pattern, "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="matplotlib\.axis_\d+">', '<g class="axis">', body)
    body = re.sub(r'<g id="[^"]*"/>', "", body)
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    body = re.sub(r'(<path id="|xlink:href="#)', rf"\g<1>{name}-", body)
    body = re.sub(r"<g>\s*((?:<use [^>]*/>\s*)+)</g>", _style_once, body.replace("xlink:", ""))
    body = re.sub(r"<[^>]*>", lambda tag: _LONG.sub(_rounded, tag[0]), body)
    body = re.sub(r"[ \n]+", " ", body).replace("> <", "><").replace(' "', '"').replace("; ", ";")
    for colour, value in COLOURS.items():
        body = body.replace(value, f"var(--{colour})")
    while "<g></g>" in body:
        body = body.replace("<g></g>", "")
    return f'<svg class="drawing" viewBox="{view[1]}" aria-hidden="true">{body}'


def _style_once(group: "re.Match[str]") -> str:
    """Marks that look alike have their style from the group."""
    styles = set(re.findall(r' style="([^"]*)"', group[1]))
    if len(styles) != 1:
        return group[0]
    (style,) = styles
    marks = group[1].replace(f' style="{style}"', "")
    return f'<g style="{style}">{marks}</g>'


def _rounded(number: "re.Match[str]") -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")
