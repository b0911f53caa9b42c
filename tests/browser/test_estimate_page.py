"""The estimate page answers and refuses; by mouse, by keyboard, on paper, in two languages."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from ree.entrypoints.cli.demo import VALUATION_DATE

from ..integration.service import Service
from .accessibility import violations
from .conftest import CLIENT_KEY, Visit
from .estimate_form import FLAT, HOUSE, LOCALES, MINUS, QUERY, Form, body, money, plain
from .pages import everywhere, sideways
from .windows import Window

REFUSED = "status of 422"
NAMES = {"nb": "Norsk", "en": "English"}
in_both = pytest.mark.parametrize("language", LOCALES)
of_both = pytest.mark.parametrize("home", [HOUSE, FLAT], ids=["house", "flat"])


def opened(visit: Visit, service: Service, language: str = "nb", **options: Any) -> Window:
    return visit(service, "/", locale=LOCALES[language], **options)


def asked(service: Service, home: Mapping[str, Any]) -> dict[str, Any]:
    """What the service itself answers."""
    status, answer = service.ask(QUERY, body(home))
    assert status == 200, answer
    found: dict[str, Any] = answer["home"]
    return found


def described(field: Locator) -> str:
    """What a screen reader says of a field after its name."""
    ids = (field.get_attribute("aria-describedby") or "").split()
    return " ".join(field.page.locator(f"[id='{each}']").inner_text() for each in ids)


# What it answers


@in_both
@of_both
def test_a_home_is_estimated_and_explained(
    visit: Visit, service: Service, home: Mapping[str, Any], language: str
) -> None:
    page = opened(visit, service, language).page
    form = Form(page, language)
    form.fill(home)
    form.submit()
    answer = asked(service, home)
    assert form.price() == money(answer["estimated_price"], language)
    told = plain(page.locator("#answer").inner_text())
    for amount in (answer["interval"]["lower"], answer["interval"]["upper"]):
        assert money(amount, language) in told
    assert money(answer["price_per_sqm"], language) in told
    assert form.say(f"confidence.{answer['confidence']}") in told
    assert answer["model_version"] in told
    expect(page.locator("#answer-heading")).to_be_focused()


@in_both
def test_contributions_sum_to_the_estimate(visit: Visit, service: Service, language: str) -> None:
    page = opened(visit, service, language).page
    form = Form(page, language)
    form.fill(HOUSE)
    form.submit()
    price = form.price()
    rows = form.rows("contributions")
    assert rows[-1][-1] == price
    amounts = [int(re.sub(r"[^\d-]", "", row[-1].replace(MINUS, "-"))) for row in rows]
    assert sum(amounts[:-1]) == amounts[-1]
    answer = asked(service, HOUSE)
    assert amounts[:-1] == [answer["base"], *answer["contributions"].values()]


def test_comparables_stand_in_a_table_and_on_the_map(visit: Visit, service: Service) -> None:
    page = opened(visit, service).page
    form = Form(page, "nb")
    form.fill(FLAT)
    form.submit()
    form.price()
    comparables = asked(service, FLAT)["comparables"]
    rows = form.rows("comparables")
    assert len(rows) == len(comparables) > 0
    for row, comparable in zip(rows, comparables, strict=True):
        told = " ".join(row)
        assert money(comparable["price"], "nb") in told
        assert money(comparable["adjusted_price"], "nb") in told
    for number in range(len(comparables)):
        marker = page.locator("#map svg").get_by_text(str(number + 1), exact=True)
        expect(marker.first).to_be_visible()


def test_the_same_request_is_shown_as_curl(visit: Visit, service: Service) -> None:
    page = opened(visit, service).page
    form = Form(page, "nb")
    form.fill(FLAT)
    form.submit()
    form.price()
    told = page.get_by_role("region", name=form.say("curl.heading")).last.inner_text()
    assert f"http://127.0.0.1:{service.port}/estimate?" in told
    assert f"valuation_date={VALUATION_DATE}" in told
    assert '"lat": 59.922' in told


def test_an_answer_to_another_form_is_told_from_that_of_this_one(
    visit: Visit, service: Service
) -> None:
    page = opened(visit, service).page
    form = Form(page, "nb")
    form.fill(HOUSE)
    form.submit()
    form.price()
    told = page.get_by_text(form.say("form.changed"))
    expect(told).to_have_count(0)
    form.field("usable_area").fill("90")
    expect(told).to_be_visible()
    form.submit()
    expect(told).to_have_count(0)
    form.price()


def test_a_name_with_its_number_is_a_municipality(visit: Visit, service: Service) -> None:
    form = Form(opened(visit, service).page, "nb")
    form.fill({**HOUSE, "municipality_number": "Skien (4003)"})
    form.submit()
    form.price()


@pytest.mark.parametrize(("example", "home"), [("house", "enebolig"), ("flat", "leilighet")])
def test_an_example_can_be_tried(visit: Visit, service: Service, example: str, home: str) -> None:
    page = opened(visit, service).page
    form = Form(page, "nb")
    page.get_by_role("button", name=form.say(f"example.{example}")).click()
    expect(form.kind(home)).to_be_checked()
    form.submit()
    assert re.fullmatch(r"[\d ]+ kr", form.price())


# What it refuses


def without(home: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in home.items() if key != name}


@in_both
@pytest.mark.parametrize(
    ("home", "name", "code"),
    [
        (without(FLAT, "floor"), "floor", "missing:floor_for_leilighet"),
        ({**HOUSE, "total_area": 100}, "total_area", "invalid:total_area_lt_bra"),
        ({**HOUSE, "built_year": 1500}, "built_year", "invalid:built_year"),
        ({**HOUSE, "lat": 71.0, "lon": 30.0}, "lat", "out_of_domain:distance"),
    ],
    ids=["no floor", "smaller than its usable area", "older than all", "far away"],
)
def test_a_refusal_stands_at_its_field(
    visit: Visit, service: Service, home: Mapping[str, Any], name: str, code: str, language: str
) -> None:
    window = opened(visit, service, language)
    window.expect(REFUSED)
    page, form = window.page, Form(window.page, language)
    form.fill(home)
    form.submit()
    expect(form.summary()).to_be_focused()
    field = form.field(name)
    expect(field).to_have_attribute("aria-invalid", "true")
    assert form.say(f"fault.{code}.what") in form.summary().inner_text()
    assert form.say(f"fault.{code}.what") in described(field)
    assert form.say(f"fault.{code}.do") in described(field)
    expect(page.locator("#price")).to_have_count(0)
    assert violations(page) == []
    form.summary().get_by_role("link").first.click()
    expect(page.locator("[aria-invalid=true]:focus")).to_have_count(1)


def test_what_was_refused_is_estimated_when_it_is_mended(visit: Visit, service: Service) -> None:
    window = opened(visit, service)
    window.expect(REFUSED)
    form = Form(window.page, "nb")
    form.fill(without(FLAT, "floor"))
    form.submit()
    expect(form.summary()).to_be_visible()
    form.field("floor").fill("3")
    form.submit()
    assert form.price() == money(asked(service, FLAT)["estimated_price"], "nb")
    expect(window.page.locator("[aria-invalid]")).to_have_count(0)
    expect(form.summary()).to_have_count(0)


def test_what_is_no_number_is_not_sent(visit: Visit, service: Service) -> None:
    window = opened(visit, service)
    form = Form(window.page, "nb")
    form.fill({**HOUSE, "usable_area": "stor"})
    before = len(window.asked)
    form.submit()
    expect(form.field("usable_area")).to_have_attribute("aria-invalid", "true")
    assert form.say("local.number.what") in described(form.field("usable_area"))
    assert len(window.asked) == before


def test_an_empty_form_names_what_is_missing(visit: Visit, service: Service) -> None:
    window = opened(visit, service)
    window.expect(REFUSED)
    form = Form(window.page, "nb")
    form.submit()
    expect(form.summary()).to_be_focused()
    for name in ("municipality_number", "lat", "lon", "usable_area", "total_area", "built_year"):
        expect(form.field(name)).to_have_attribute("aria-invalid", "true")
    assert violations(window.page) == []


def test_without_a_model_the_page_says_so(visit: Visit, empty_service: Service) -> None:
    window = opened(visit, empty_service)
    window.expect("status of 503")
    form = Form(window.page, "nb")
    form.fill(HOUSE)
    form.submit()
    told = window.page.get_by_role("group", name=form.say("problem.heading"))
    expect(told).to_be_focused()
    expect(told).to_contain_text(form.say("problem.no_model.what"))
    expect(window.page.locator("#price")).to_have_count(0)


# Languages


@pytest.mark.parametrize(
    ("locale", "language"), [("nb-NO", "nb"), ("nn-NO", "nb"), ("en-US", "en"), ("fr-FR", "nb")]
)
def test_the_language_is_the_browsers(
    visit: Visit, service: Service, locale: str, language: str
) -> None:
    page = visit(service, "/", locale=locale).page
    assert page.locator("html").get_attribute("lang") == language
    expect(page.get_by_role("heading", level=1)).to_have_text(
        Form(page, language).say("page.title")
    )


@pytest.mark.parametrize(("before", "after"), [("nb", "en"), ("en", "nb")])
def test_switching_language_loses_nothing(
    visit: Visit, service: Service, before: str, after: str
) -> None:
    window = opened(visit, service, before)
    page, form = window.page, Form(window.page, before)
    form.fill(HOUSE)
    form.submit()
    form.price()
    requests = [url for url in window.asked if "/estimate?" in url]
    page.get_by_role("link", name=NAMES[after], exact=True).click()
    form = Form(page, after)
    expect(page.get_by_role("heading", level=1)).to_have_text(form.say("page.title"))
    assert page.locator("html").get_attribute("lang") == after
    assert form.price() == money(asked(service, HOUSE)["estimated_price"], after)
    for name in ("lat", "total_area", "usable_area", "built_year"):
        assert form.field(name).input_value().replace(",", ".") == str(HOUSE[name])
    expect(form.kind("enebolig")).to_be_checked()
    assert [url for url in window.asked if "/estimate?" in url] == requests
    form.submit()
    assert form.price() == money(asked(service, HOUSE)["estimated_price"], after)
    page.reload()
    assert page.locator("html").get_attribute("lang") == after


# By keyboard alone


def tab_to(page: Page, place: Locator, most: int = 60) -> None:
    """AssertionError if the focus does not come there, or goes where nobody sees it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        seen = page.evaluate("document.activeElement.checkVisibility()")
        assert seen, page.evaluate("document.activeElement.outerHTML")
        if place.evaluate("(each) => each === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not come to {place}")


def choose_flat(page: Page, form: Form) -> None:
    """From the top: the first type by Tab and Space, the right one by arrows."""
    tab_to(page, form.kind("enebolig"))
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(form.kind("leilighet")).to_be_checked()


def type_in(page: Page, form: Form, home: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        tab_to(page, form.field(name))
        page.keyboard.type(form.written(home[name]))


def test_a_flat_is_estimated_by_keyboard(visit: Visit, service: Service) -> None:
    page = opened(visit, service).page
    form = Form(page, "nb")
    expect(page.locator("#submit")).to_be_enabled()
    choose_flat(page, form)
    names = tuple(name for name in FLAT if name != "realestate_type")
    type_in(page, form, FLAT, names)
    page.keyboard.press("Enter")
    assert re.fullmatch(r"[\d ]+ kr", form.price())
    expect(page.locator("#answer-heading")).to_be_focused()


def test_the_point_is_put_by_the_keys_of_the_map(visit: Visit, service: Service) -> None:
    page = opened(visit, service, reduced_motion="reduce").page
    form = Form(page, "nb")
    expect(page.locator("#submit")).to_be_enabled()
    choose_flat(page, form)
    type_in(page, form, FLAT, ("municipality_number",))
    surface = page.get_by_role("application", name=form.say("map.map"))
    tab_to(page, surface)
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    lat = float(form.field("lat").input_value().replace(",", "."))
    lon = float(form.field("lon").input_value().replace(",", "."))
    assert abs(lat - FLAT["lat"]) < 0.3
    assert abs(lon - FLAT["lon"]) < 0.6
    before = lat
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert float(form.field("lat").input_value().replace(",", ".")) > before


# On paper and on narrow screens


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@of_both
def test_an_answer_is_printed_on_a_few_pages(
    visit: Visit, service: Service, home: Mapping[str, Any]
) -> None:
    page = opened(visit, service).page
    form = Form(page, "nb")
    form.fill(home)
    form.submit()
    price = form.price()
    page.emulate_media(media="print")
    assert 1 <= pages(page.pdf(format="A4")) <= 3
    for button in page.get_by_role("button", include_hidden=True).all():
        expect(button).to_be_hidden()
    told = plain(page.locator("body").inner_text())
    for shown in (price, "167 m²" if home is HOUSE else "62 m²"):
        assert shown in told


@in_both
def test_at_320_pixels_nothing_is_cut_off(visit: Visit, service: Service, language: str) -> None:
    window = opened(visit, service, language, viewport={"width": 320, "height": 640})
    page, form = window.page, Form(window.page, language)
    assert sideways(page) == 0
    form.fill(HOUSE)
    form.submit()
    form.price()
    assert sideways(page) == 0
    window.expect(REFUSED)
    form.field("total_area").fill("1")
    form.submit()
    expect(form.summary()).to_be_visible()
    assert sideways(page) == 0


@everywhere
def test_an_answer_is_for_everyone(visit: Visit, service: Service, size: str, scheme: str) -> None:
    page = opened(visit, service, size=size, color_scheme=scheme).page
    form = Form(page, "nb")
    form.fill(FLAT)
    form.submit()
    form.price()
    assert violations(page) == []


# Client keys


def test_a_client_key_is_asked_for_and_kept_nowhere(visit: Visit, closed_service: Service) -> None:
    window = opened(visit, closed_service)
    page, form = window.page, Form(window.page, "nb")
    sent: list[Request] = []

    def keep(request: Request) -> None:
        sent.append(request)

    page.on("request", keep)
    form.fill(FLAT)
    form.field("client_key").fill(CLIENT_KEY)
    form.submit()
    form.price()
    assert any(CLIENT_KEY in each.headers.get("authorization", "") for each in sent)
    assert not any(CLIENT_KEY in each.url or CLIENT_KEY in (each.post_data or "") for each in sent)
    assert CLIENT_KEY not in page.url
    stored = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])"
    )
    assert CLIENT_KEY not in stored
    assert page.evaluate("indexedDB.databases()") == []
    assert CLIENT_KEY not in page.content()
    told = page.get_by_role("region", name=form.say("curl.heading")).last.inner_text()
    assert "$REE_CLIENT_KEY" in told
    assert CLIENT_KEY not in told
    page.reload()
    assert form.field("client_key").input_value() == ""


@pytest.mark.parametrize("key", ["", "a-wrong-key-0123456789abcdefghij"])
def test_a_wrong_key_is_said_at_its_field(visit: Visit, closed_service: Service, key: str) -> None:
    window = opened(visit, closed_service)
    window.expect("status of 401")
    form = Form(window.page, "nb")
    form.fill(FLAT)
    form.field("client_key").fill(key)
    form.submit()
    field = form.field("client_key")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert form.say(f"problem.{'401' if key else 'no_key'}.what") in described(field)
    expect(window.page.locator("#price")).to_have_count(0)
    field.fill(CLIENT_KEY)
    form.submit()
    form.price()
    expect(window.page.locator("[aria-invalid]")).to_have_count(0)


def test_without_client_keys_none_is_asked_for(visit: Visit, service: Service) -> None:
    form = Form(opened(visit, service).page, "nb")
    expect(form.field("usable_area")).to_be_visible()
    expect(form.field("client_key")).to_have_count(0)
