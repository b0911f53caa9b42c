"""Every page, at every size and in both colours, for everyone."""

import pytest
from playwright.sync_api import expect

from ..integration.service import Service
from .accessibility import violations
from .conftest import Visit
from .pages import PAGES, SUMMARIES, background, documented, everywhere, in_both_ways, sideways


@everywhere
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everyone(
    visit: Visit, service: Service, path: str, size: str, scheme: str
) -> None:
    page = visit(service, path, size=size, color_scheme=scheme).page
    PAGES[path](page)
    assert violations(page) == []
    assert background(page) == scheme
    assert sideways(page) == 0


@in_both_ways
def test_an_operation_that_was_tried_out_is_for_everyone(
    visit: Visit, service: Service, size: str, scheme: str
) -> None:
    """With its answer, its schemas and the dialog that asks for a client key."""
    window = visit(service, "/docs", size=size, color_scheme=scheme)
    page = window.page
    documented(page)
    page.get_by_role("button", name=SUMMARIES[0]).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("estimated_price")
    page.get_by_role("button", name="Features").click()
    assert violations(page) == []
    assert sideways(page) == 0
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Close").first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_redoc_folds_is_for_everyone(visit: Visit, service: Service) -> None:
    page = visit(service, "/redoc").page
    documented(page)
    for button in page.get_by_role("button", expanded=False).all():
        if button.is_visible():
            button.click()
    for tab in page.get_by_role("tab", selected=False).all():
        tab.click()
    assert violations(page) == []


def test_redoc_follows_the_system_into_the_dark(visit: Visit, service: Service) -> None:
    page = visit(service, "/redoc", color_scheme="light").page
    documented(page)
    with page.expect_navigation():
        page.emulate_media(color_scheme="dark")
    documented(page)
    assert background(page) == "dark"
    assert violations(page) == []


def test_swagger_ui_is_used_by_keyboard(visit: Visit, service: Service) -> None:
    page = visit(service, "/docs").page
    documented(page)
    operation = page.get_by_role("button", name=SUMMARIES[-1])
    operation.focus()
    page.keyboard.press("Enter")
    expect(operation).to_have_attribute("aria-expanded", "true")
    page.wait_for_url("**/docs#/ree/get_ready")


def test_a_link_to_an_operation_opens_it(visit: Visit, service: Service) -> None:
    window = visit(service, "/docs#/ree/get_ready")
    window.expect("escaping deep link whitespace")  # Swagger UI's word on underscores in its links
    page = window.page
    documented(page)
    expect(page.get_by_role("button", name=SUMMARIES[-1])).to_have_attribute(
        "aria-expanded", "true"
    )
