"""The map of the estimate page, by mouse, wheel, fingers and keys."""

from collections.abc import Mapping
from itertools import combinations, pairwise
from math import dist
from typing import Any

import pytest
from attrs import frozen
from playwright.sync_api import Locator, Page, expect

from ..integration.service import Service, until
from .accessibility import violations
from .conftest import Visit
from .estimate_form import FLAT, Form
from .pages import in_both_ways

STILL = {"reduced_motion": "reduce"}
RECTANGLES = """(elements) => elements.map((element) => {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  return { left, top, right, bottom };
})"""
FOOT = """(pin) => {
  const { e, f } = pin.getScreenCTM();
  return [e, f];
}"""
Rectangle = Mapping[str, float]


@frozen
class Map:
    """As it is on a page."""

    page: Page

    @property
    def surface(self) -> Locator:
        return self.page.locator("#map").get_by_role("application")

    def there(self) -> "Map":
        """Once it is drawn, in the middle of the window."""
        expect(self.page.locator("#submit")).to_be_enabled()
        self.surface.evaluate("(surface) => surface.scrollIntoView({ block: 'center' })")
        self.drawn()
        return self

    def drawn(self) -> None:
        """What was asked for is drawn in the next frame."""
        frame = "() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))"
        self.page.evaluate(frame)
        self.page.evaluate(frame)

    def scale(self) -> str:
        self.drawn()
        return self.page.locator("#map .map-length").inner_html()

    def view(self) -> str:
        """Differs between any two views."""
        self.drawn()
        world = self.page.locator("#map svg > g").first
        return f"{world.get_attribute('transform')} {self.scale()} {self.names()}"

    def names(self) -> list[str]:
        return self.page.locator("#map .map-names text").all_text_contents()

    def rectangle(self) -> Rectangle:
        found: Rectangle = self.surface.evaluate_all(RECTANGLES)[0]
        return found

    def middle(self) -> tuple[float, float]:
        sides = self.rectangle()
        return (sides["left"] + sides["right"]) / 2, (sides["top"] + sides["bottom"]) / 2

    def home(self) -> tuple[float, float]:
        """Where the pin's foot is on the screen."""
        self.drawn()
        x, y = self.page.locator("#map .map-home").evaluate(FOOT)
        return x, y

    def keys(self, *keys: str) -> None:
        self.surface.focus()
        for key in keys:
            self.page.keyboard.press(key)


def point(page: Page) -> tuple[float, float] | None:
    """The coordinates in the form."""
    lat, lon = (Form(page, "nb").field(name).input_value() for name in ("lat", "lon"))
    return (float(lat.replace(",", ".")), float(lon.replace(",", "."))) if lat else None


@pytest.fixture
def map(visit: Visit, service: Service) -> Map:
    return Map(visit(service, "/", **STILL).page).there()


def test_a_click_puts_the_home_there(map: Map) -> None:
    x, y = map.middle()
    map.page.mouse.click(x + 40, y - 60)
    assert map.home() == pytest.approx((x + 40, y - 60), abs=1)
    first = point(map.page)
    map.page.mouse.click(x + 60, y - 60)
    assert map.home() == pytest.approx((x + 60, y - 60), abs=1)
    second = point(map.page)
    assert first is not None
    assert second is not None
    assert second[0] == pytest.approx(first[0], abs=1e-5)
    assert second[1] > first[1]


def test_dragging_moves_the_map_and_puts_no_home_anywhere(map: Map) -> None:
    map.keys("+", "+", "+")
    x, y = map.middle()
    map.page.mouse.click(x, y)
    before = point(map.page)
    map.page.mouse.move(x, y)
    map.page.mouse.down()
    map.page.mouse.move(x - 30, y + 10)
    map.page.mouse.move(x - 70, y + 50)
    map.page.mouse.up()
    assert map.home() == pytest.approx((x - 70, y + 50), abs=1)
    assert point(map.page) == before


def test_the_wheel_is_the_page_s_until_the_map_is_chosen(map: Map) -> None:
    page, scale = map.page, map.scale()
    page.mouse.move(*map.middle())
    scrolled = page.evaluate("scrollY")
    page.mouse.wheel(0, -120)
    until(lambda: page.evaluate("scrollY") < scrolled, "scrolled")
    assert map.scale() == scale

    map.surface.focus()
    scrolled = page.evaluate("scrollY")
    for _ in range(6):
        page.mouse.wheel(0, -200)
    expect(page.locator("#map .map-length")).not_to_have_text(scale)
    assert page.evaluate("scrollY") == scrolled


def test_with_ctrl_the_wheel_zooms_around_what_is_under_it(map: Map) -> None:
    page = map.page
    x, y = (part + 50 for part in map.middle())
    page.mouse.click(x, y)
    page.evaluate("document.activeElement.blur()")
    scale = map.scale()
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(page.locator("#map .map-length")).not_to_have_text(scale)
    assert map.home() == pytest.approx((x, y), abs=1.5)


def test_keys_move_and_zoom_and_put_the_home_under_the_cross(map: Map) -> None:
    page = map.page
    crosshair = page.locator("#map .map-crosshair")
    expect(crosshair).to_be_hidden()
    while not map.surface.evaluate("(surface) => surface === document.activeElement"):
        page.keyboard.press("Tab")
    expect(crosshair).to_be_visible()
    whole = map.scale()
    views = [map.view()]
    for key in ("+", "+", "+", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "-"):
        page.keyboard.press(key)
        views.append(map.view())
    assert all(one != other for one, other in pairwise(views))
    assert views[4] != views[3] == views[7]
    assert map.scale() != whole
    page.keyboard.press("Enter")
    assert map.home() == pytest.approx(map.middle(), abs=1)
    where = page.locator("#map").get_by_role("status").inner_text()
    found = point(page)
    assert found is not None
    assert where.endswith(" · {:.3f}°, {:.3f}°".format(*found).replace(".", ","))


def test_the_map_holds_nobody(map: Map) -> None:
    map.surface.focus()
    map.page.keyboard.press("Escape")
    map.page.keyboard.press("Tab")
    buttons = map.page.locator("#map").get_by_role("button")
    expect(buttons.first).to_be_focused()
    map.page.keyboard.press("Shift+Tab")
    expect(map.surface).to_be_focused()
    for _ in range(4):
        map.page.keyboard.press("Tab")
    assert not map.page.evaluate("document.getElementById('map').contains(document.activeElement)")


def test_shortcuts_of_the_browser_stay_its_own(map: Map) -> None:
    view = map.view()
    map.surface.focus()
    unhandled = map.surface.evaluate(
        """(surface) => ["+", "-", "ArrowLeft"].map((key) => surface.dispatchEvent(
             new KeyboardEvent("keydown", { key, ctrlKey: true, bubbles: true, cancelable: true })))
        """
    )
    assert unhandled == [True, True, True]
    assert map.view() == view


def test_buttons_zoom_and_go_back_to_the_whole_country(map: Map) -> None:
    say = Form(map.page, "nb").say
    whole = map.view()
    tools = {
        name: map.page.get_by_role("button", name=say(f"map.{name}"), exact=True)
        for name in ("zoomIn", "zoomOut", "reset")
    }
    for tool in tools.values():
        box = tool.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    tools["zoomIn"].click()
    near = map.view()
    tools["zoomIn"].click()
    assert near != map.view() != whole
    tools["zoomOut"].click()
    assert map.view() == near
    tools["reset"].click()
    assert map.view() == whole
    tools["zoomOut"].click()
    assert map.view() == whole


def test_zooming_ends_where_metres_are_told(map: Map) -> None:
    map.keys(*["+"] * 20)
    assert map.scale().endswith(" m")
    view = map.view()
    map.keys("+")
    assert map.view() == view


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_at_first_the_whole_country_is_there(visit: Visit, service: Service, size: str) -> None:
    map = Map(visit(service, "/", size=size, **STILL).page).there()
    around = map.rectangle()
    (land,) = map.page.locator("#map .map-land").evaluate_all(RECTANGLES)
    assert around["left"] < land["left"] < land["right"] < around["right"]
    assert around["top"] < land["top"] < land["bottom"] < around["bottom"]
    assert land["bottom"] - land["top"] > 150


def apart(one: Rectangle, other: Rectangle) -> bool:
    return (
        one["right"] <= other["left"]
        or other["right"] <= one["left"]
        or one["bottom"] <= other["top"]
        or other["bottom"] <= one["top"]
    )


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_names_do_not_overlap_from_near_and_afar(visit: Visit, service: Service, size: str) -> None:
    map = Map(visit(service, "/", size=size, **STILL).page).there()
    Form(map.page, "nb").fill({"municipality_number": "0301"})
    map.page.keyboard.press("Tab")
    map.drawn()
    seen: set[str] = set()
    for _ in range(8):
        names = map.names()
        assert names
        rectangles = map.page.locator("#map .map-names text").evaluate_all(RECTANGLES)
        # The middle two thirds of a line's height are what is drawn of it.
        for box in rectangles:
            sixth = (box["bottom"] - box["top"]) / 6
            box["top"], box["bottom"] = box["top"] + sixth, box["bottom"] - sixth
        assert all(apart(*pair) for pair in combinations(rectangles, 2))
        seen |= {*names}
        map.keys("-")
        map.drawn()
    assert len(seen) > 40


def test_two_fingers_zoom_and_one_moves(visit: Visit, service: Service) -> None:
    page = visit(service, "/", size="phone", has_touch=True, is_mobile=True, **STILL).page
    map = Map(page).there()
    x, y = map.middle()
    page.touchscreen.tap(x, y)
    assert map.home() == pytest.approx((x, y), abs=1)
    put, scale = point(page), map.scale()
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points: list[dict[str, Any]] = [{"x": left, "y": top} for left, top in fingers]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 20, y))
    touch("touchStart", (x - 20, y), (x + 20, y))
    for reach in (30, 60, 100, 120):
        touch("touchMove", (x - reach, y), (x + reach, y))
    touch("touchEnd")
    assert map.scale() != scale
    assert map.home() == pytest.approx((x, y), abs=3)

    touch("touchStart", (x, y))
    for way in (20, 40, 60):
        touch("touchMove", (x - way, y))
    touch("touchEnd")
    assert map.home() == pytest.approx((x - 60, y), abs=3)

    scrolled = page.evaluate("scrollY")
    touch("touchStart", (x, y))
    for way in (20, 40, 60, 80, 100):
        touch("touchMove", (x, y - way))
    touch("touchEnd")
    page.evaluate(
        """before => new Promise(done => {
            const look = () => scrollY > before ? done() : requestAnimationFrame(look);
            look();
        })""",
        scrolled,
    )
    assert point(page) == put


def test_comparables_stand_apart_around_the_home(map: Map) -> None:
    form = Form(map.page, "nb")
    form.fill(FLAT)
    form.submit()
    form.price()
    map.drawn()
    around = map.rectangle()
    badges = map.page.locator("#map .map-comparable circle").evaluate_all(RECTANGLES)
    assert len(badges) == 5
    for badge in badges:
        assert around["left"] < badge["left"] < badge["right"] < around["right"]
        assert around["top"] < badge["top"] < badge["bottom"] < around["bottom"]
    middles = [(badge["left"] + badge["right"], badge["top"] + badge["bottom"]) for badge in badges]
    for one, other in combinations(middles, 2):
        assert dist(one, other) / 2 > 20
    title = map.page.locator("#map .map-comparable title").first.text_content()
    assert title == f"{form.say('map.comparable')} 1"


def test_sales_of_one_house_do_not_hide_each_other(map: Map) -> None:
    """Nor the home in it; each has a line to where it is. A map of its own shows them."""
    map.page.evaluate(
        """async () => {
          const { createMap } = await import("./assets/map.js");
          const place = document.createElement("div");
          document.getElementById("map").replaceWith(place);
          place.id = "map";
          const names = ["zoomIn", "zoomOut", "reset", "map", "help", "comparable", "home"];
          const labels = Object.fromEntries(names.map((name) => [name, name]));
          const shown = createMap(place, { labels, municipalities: [], onPick() {} });
          shown.setPoint(59.9, 10.7);
          shown.setComparables(Array(5).fill({ lat: 59.9, lon: 10.7, label: "flat" }));
          shown.focus(59.9, 10.7, 1);
        }"""
    )
    map.drawn()
    badges = map.page.locator("#map .map-comparable circle").evaluate_all(RECTANGLES)
    pin = map.page.locator("#map .map-house").evaluate_all(RECTANGLES)
    assert (len(badges), len(pin)) == (5, 1)
    middles = [
        ((box["left"] + box["right"]) / 2, (box["top"] + box["bottom"]) / 2)
        for box in [*badges, *pin]
    ]
    for one, other in combinations(middles, 2):
        assert dist(one, other) > 18
    for leader in map.page.locator("#map .map-foot").evaluate_all(RECTANGLES):
        foot = (leader["left"] + leader["right"]) / 2, (leader["top"] + leader["bottom"]) / 2
        assert foot == pytest.approx(map.home(), abs=1)
    titles = map.page.locator("#map .map-comparable title").all_text_contents()
    assert titles == [f"comparable {number}: flat" for number in range(1, 6)]


def test_another_language_leaves_the_map_where_it_is(map: Map) -> None:
    map.keys("+", "+", "ArrowDown", "Enter")
    home, scale = map.home(), map.scale()
    map.page.get_by_role("link", name="English").click()
    expect(map.surface).to_have_accessible_name(Form(map.page, "en").say("map.map"))
    map.surface.evaluate("(surface) => surface.scrollIntoView({ block: 'center' })")
    expect(map.surface).to_have_accessible_description(Form(map.page, "en").say("map.help"))
    assert map.scale() == scale
    assert map.home()[0] == pytest.approx(home[0], abs=1)
    assert map.home() == pytest.approx(map.middle(), abs=1)


def test_a_town_is_gone_to_at_once_or_in_some_moments(visit: Visit, service: Service) -> None:
    scales = []
    for motion in ("reduce", "no-preference"):
        page = visit(service, "/", reduced_motion=motion).page
        map = Map(page).there()
        scales.append(map.scale())
        Form(page, "nb").fill({"municipality_number": "0301"})
        page.keyboard.press("Tab")
        if motion == "reduce":
            scales.append(map.scale())
        expect(page.locator("#map .map-length")).to_have_text(scales[1])
        assert "Oslo" in map.names()
    assert len({*scales}) == 2


@in_both_ways
def test_axe_finds_nothing_on_the_map(
    visit: Visit, service: Service, size: str, scheme: str
) -> None:
    page = visit(service, "/", size=size, color_scheme=scheme, **STILL).page
    map = Map(page).there()
    map.keys("+", "+", "Enter")
    expect(page.locator("#map .map-help")).to_be_visible()
    assert violations(page) == []


def test_the_map_is_printed_without_its_tools(map: Map) -> None:
    map.page.emulate_media(media="print")
    map.drawn()
    expect(map.page.locator("#map .map-button").first).to_be_hidden()
    expect(map.page.locator("#map .map-land")).to_be_visible()
    both = map.page.locator("#map .map-surface, #map .map-land")

    def inside() -> bool:
        around, land = both.evaluate_all(RECTANGLES)
        return bool(around["top"] < land["top"] < land["bottom"] < around["bottom"])

    until(inside, "the map as large as on paper")
