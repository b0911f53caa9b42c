"""The report of the model in use: its first screen tells, and nothing of it is out of reach."""

import pytest
from playwright.sync_api import Page, expect

from ..integration.service import Service
from .accessibility import violations
from .conftest import Visit
from .pages import in_both_ways, sideways

WORDS_OF_A_VERDICT = ("published", "refused")


def first_screen(page: Page) -> str:
    """What is read without scrolling."""
    told: list[str] = page.evaluate(
        """() => [...document.body.querySelectorAll("*")]
          .filter((each) => {
            const { top, bottom, height } = each.getBoundingClientRect();
            return height > 0 && top >= 0 && bottom <= innerHeight && each.checkVisibility();
          })
          .map((each) => each.innerText ?? "")"""
    )
    return "\n".join(told)


@pytest.mark.parametrize("width", [1280, 1024])
def test_the_first_screen_tells_whether_the_model_is_good(
    visit: Visit, service: Service, width: int
) -> None:
    page = visit(service, "/model/report", viewport={"width": width, "height": 800}).page
    told = first_screen(page).lower()
    _, model = service.ask("/model")
    assert any(word in told for word in WORDS_OF_A_VERDICT)
    assert model["model_version"] in told
    assert f"{100 * model['metrics']['mdape']:.1f}" in told
    assert "weakest" in told


def test_on_a_phone_the_verdict_comes_first(visit: Visit, service: Service) -> None:
    page = visit(service, "/model/report", size="phone").page
    told = first_screen(page).lower()
    assert any(word in told for word in WORDS_OF_A_VERDICT)
    assert "half of its estimates are within" in told


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_report_scrolls_only_down(visit: Visit, service: Service, width: int) -> None:
    page = visit(service, "/model/report", viewport={"width": width, "height": 800}).page
    assert sideways(page) == 0


def test_all_that_is_folded_is_reached_by_keyboard(visit: Visit, service: Service) -> None:
    page = visit(service, "/model/report").page
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = false")
    folded = page.locator("details").count()
    assert folded > 5
    for _ in range(1_000):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
              const { activeElement } = document;
              const closed = activeElement.matches("details:not([open]) > summary");
              return document.body === activeElement ? "end" : closed ? "summary" : "other";
            }"""
        )
        if focused == "end":
            break
        if focused == "summary":
            page.keyboard.press("Enter")
    expect(page.locator("details:not([open])")).to_have_count(0)


@in_both_ways
def test_what_was_unfolded_is_for_everyone(
    visit: Visit, service: Service, size: str, scheme: str
) -> None:
    page = visit(service, "/model/report", size=size, color_scheme=scheme).page
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert violations(page) == []
    assert sideways(page) == 0


def test_every_picture_has_its_figures(visit: Visit, service: Service) -> None:
    """In words for who does not see it, and as a table."""
    page = visit(service, "/model/report").page
    pictures = page.locator("figure svg")
    assert pictures.count() > 5
    for picture in pictures.all():
        named = picture.evaluate(
            "(each) => each.getAttribute('role') === 'img' && (each.getAttribute('aria-label')"
            " || each.getAttribute('aria-labelledby') || each.querySelector(':scope > title'))"
            " || each.closest('[aria-hidden=true]') !== null"
        )
        assert named, picture.evaluate("(each) => each.outerHTML.slice(0, 200)")
    assert page.locator("table").count() >= 5
