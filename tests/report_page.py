"""A version's report, read as a reader's program would: its numbers, and what is beside them."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "br"}
"""Elements that never close."""
IDENTIFIERS = {"data", "time", "code", "fixed"}
"""What may have digits in it: figures, dates, identifiers, and limits that are part of the text."""


class Page(HTMLParser):
    """The elements of a page with their texts; `svg` and `style` are kept apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.figures: list[tuple[str, str, str]] = []
        """The value, the place in metrics.json and the text of every number."""
        self.fixed: set[str] = set()
        self.stray: list[str] = []
        """Texts with digits that nothing says the origin of."""
        self.drawn: dict[str, list[str]] = {}
        """Texts of each drawing but for those of its axes, by the picture's id."""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self.feed(html)
        assert not self._open, f"left open: {self._open}"
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag not in VOID:
            self._open.append((tag, found))
        if tag == "data":
            self.figures.append((str(found["value"]), str(found["data-figure"]), ""))
        if tag in ("li", "p", "tr", "br", "td", "th", "h1", "h2", "h3", "text"):
            self._texts.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        classes = {str(attrs.get("class")) for _, attrs in self._open}
        if {"style", "head"} & set(tags):
            return
        if "svg" in tags:
            if "axis" not in classes and data.strip():
                picture = next(str(attrs["id"]) for tag, attrs in self._open if tag == "figure")
                self.drawn.setdefault(picture, []).append(data.strip())
            return
        self._texts.append(data)
        if tags[-1:] == ["data"]:
            value, place, text = self.figures.pop()
            self.figures.append((value, place, text + data))
        if "fixed" in classes:
            self.fixed.add(data)
        if re.search("[0-9]", data) and not IDENTIFIERS & (set(tags) | classes):
            self.stray.append(data.strip())


def wrong_numbers(page: Page, document: Any) -> Iterator[str]:
    """The numbers that are not what metrics.json says, or not shown as what they are."""
    known = leaves(document)
    for value, place, text in page.figures:
        if place not in known:
            yield f"{place}: not in metrics.json"
        elif value != json.dumps(known[place]):
            yield f"{place}: {value}, not {known[place]}"
        elif not is_rounding(text, known[place]):
            yield f"{place}: shown as {text}, is {known[place]}"


def is_rounding(text: str, value: float) -> bool:
    """Whether a text shows a value to its last digit; an amount, a share, or a plain number."""
    match = re.fullmatch(r"([+−]?)([0-9\u202f]+)(\.[0-9]+)?(\u202f(?:%|kr|mill\.\u202fkr))?", text)  # noqa: RUF001
    if match is None:
        return False
    sign, whole, decimals, unit = (part or "" for part in match.groups())
    shown = Decimal(("-" if sign == "−" else "") + whole.replace("\u202f", "") + decimals)  # noqa: RUF001
    by_unit: dict[str, tuple[Decimal | int, ...]] = {
        "": (1, 100),  # a number, or a share in points
        "\u202f%": (100, 1),  # a share, or percent already
        "\u202fkr": (1,),
        "\u202fmill.\u202fkr": (Decimal("1e-6"),),
    }
    half = Decimal(1).scaleb(-max(0, len(decimals) - 1)) / 2
    exact = Decimal(value)
    slack = Decimal("1e-9") + abs(exact) * Decimal("1e-13")
    return any(abs(shown - exact * scale) <= half + slack for scale in by_unit[unit])


def leaves(document: Any, *path: str) -> dict[str, float]:
    """The numbers of a document by their place."""
    if isinstance(document, dict):
        parts = document.items()
    elif isinstance(document, list):
        parts = dict(enumerate(document)).items()
    else:
        number = isinstance(document, int | float) and not isinstance(document, bool)
        return {".".join(path): document} if number else {}
    return {
        place: number
        for name, part in parts
        for place, number in leaves(part, *path, str(name)).items()
    }
