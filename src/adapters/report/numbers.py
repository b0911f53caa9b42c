"""Numbers as people read them, each with the figure it is."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from markupsafe import Markup

from .figure import Figure

NOTHING = "–"
THIN = "\u202f"
MINUS = "\u2212"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def count(value: float) -> str:
    """A whole number, as 1 050 000."""
    return f"{value:,.0f}".replace(",", THIN).replace("-", MINUS)


def kroner(value: float) -> str:
    """An amount, as 1 050 000 kr."""
    return f"{count(value)}{THIN}kr"


def million(value: float) -> str:
    """A large amount, as 2.51 mill. kr."""
    return f"{_rounded(value / 1e6, 2)}{THIN}mill.{THIN}kr"


def percent(value: float, digits: int = 1) -> str:
    """A fraction, as 4.7 %."""
    return f"{_rounded(100 * value, digits)}{THIN}%"


def whole_percent(value: float) -> str:
    """A setting, as 5 % or 7.5 %."""
    return f"{100 * value:g}{THIN}%".replace("-", MINUS)


def change(value: float) -> str:
    """A change, as +4.7 %, with a true minus sign; none as 0.0 %."""
    told = percent(value)
    return f"+{told}" if round(100 * value, 1) > 0 else told


def points(value: float) -> str:
    """A fraction as percentage points, as 3."""
    return f"{100 * value:g}"


def ratio(value: float) -> str:
    """A ratio, as 0.987."""
    return _rounded(value, 3)


def tick(value: float) -> str:
    """A ratio on an axis, as 0.95, with a true minus sign."""
    return f"{value:g}".replace("-", MINUS)


def cod(value: float) -> str:
    """In percent already, as 12.3 %."""
    return f"{_rounded(value, 1)}{THIN}%"


def multiple(value: float) -> str:
    """A factor, as 1.12."""
    return _rounded(value, 2)


def day(value: date) -> str:
    """As 3 March 2019."""
    return f"{value.day}{THIN}{_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date) -> str:
    """As 3 Mar."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]}"


def shown(figure: Figure, told: Callable[..., str]) -> str:
    """A figure as text; a dash for one that is not known."""
    return NOTHING if figure.raw is None else told(figure.raw)


def data(figure: Figure, told: Callable[..., str]) -> Markup:
    """A figure with where it stands in metrics.json; a dash for one that is not known."""
    if not isinstance(figure.raw, int | float) or isinstance(figure.raw, bool):
        return Markup('<span title="not known">–</span>')
    return Markup('<data value="{}" data-figure="{}">{}</data>').format(
        json.dumps(figure.raw), figure.pointer, told(figure.raw)
    )


def fixed(text: str) -> Markup:
    """A number that is part of the text: a limit that the domain sets, a share that is wanted."""
    return Markup('<span class="fixed">{}</span>').format(text.replace(" %", f"{THIN}%"))


def _day(value: Any) -> Markup:
    given = value.raw if isinstance(value, Figure) else value
    if given is None:
        return Markup("–")
    known = given if isinstance(given, date) else date.fromisoformat(given)
    return Markup('<time datetime="{}">{}</time>').format(known.isoformat()[:10], day(known))


def _month(figure: Figure) -> Markup:
    year, number = figure.raw.split("-")
    return Markup('<time datetime="{}">{} {}</time>').format(
        figure.raw, _MONTHS[int(number) - 1], year
    )


def _rounded(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def _filter(told: Callable[..., str]) -> Callable[[Figure], Markup]:
    return lambda figure: data(figure, told)


FILTERS: Mapping[str, Callable[..., Any]] = {
    told.__name__: _filter(told)
    for told in (
        count, kroner, million, percent, whole_percent, change, points, ratio, cod, multiple,
    )
} | {"day": _day, "month": _month}  # fmt: skip
