"""The pages there are, and what is to be seen of each."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .chromium import SCHEMES, SIZES

SUMMARIES = (
    "What are these homes worth?",
    "The model in use",
    "The report of the model in use, as HTML",
    "Where the sales are that the model in use compares homes with",
    "Is the process alive?",
    "Can homes be priced?",
)


def documented(page: Page) -> None:
    for summary in SUMMARIES:
        expect(page.get_by_text(summary).filter(visible=True).first).to_be_visible()


PAGES: dict[str, Callable[[Page], None]] = {
    "/": lambda page: expect(page.locator("#submit")).to_be_enabled(),
    "/model/report": lambda page: expect(page.get_by_role("heading", level=1)).to_be_visible(),
    "/docs": documented,
    "/redoc": documented,
}
"""Each with what waits until it is drawn."""

WAYS = [(size, scheme) for size in SIZES for scheme in SCHEMES]
everywhere = pytest.mark.parametrize(("size", "scheme"), WAYS)
in_both_ways = pytest.mark.parametrize(("size", "scheme"), [WAYS[0], WAYS[-1]])
"""For what axe takes seconds to look at: each size and each colour once."""


def background(page: Page) -> str:
    """Light or dark, as the picture has it."""
    return str(
        page.evaluate(
            """() => {
              const colours = [document.body, document.documentElement].map(
                (each) => getComputedStyle(each).backgroundColor.match(/[\\d.]+/g).map(Number));
              const [red, green, blue] = colours.find(([, , , alpha]) => alpha !== 0)
                ?? (getComputedStyle(document.documentElement).colorScheme === "dark"
                    ? [0, 0, 0] : [255, 255, 255]);
              return red + green + blue > 3 * 128 ? "light" : "dark";
            }"""
        )
    )


def sideways(page: Page) -> int:
    """By how many pixels it scrolls to the right."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
