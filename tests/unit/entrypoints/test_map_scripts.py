"""What the map reckons: its plane, its scale, and what is too much for the eye at once."""

from itertools import combinations
from math import asinh, cos, dist, hypot, log10, pi, radians, tan
from pathlib import Path
from random import Random
from typing import Any

import pytest

from .scripts import run

Modules = tuple[str, Path]
PLACES = [(lat, lon) for lat in (-80.0, 0.0, 57.9, 59.91273, 71.18) for lon in (-179.5, 4.5, 31.2)]
EARTH_KM = 40075.017


def plane(lat: float, lon: float) -> tuple[float, float]:
    """Web Mercator as OpenStreetMap writes it."""
    return (lon + 180) / 360, (1 - asinh(tan(radians(lat))) / pi) / 2


def ask(modules: Modules, module: str, name: str, calls: list[list[Any]]) -> Any:
    """What a function gives for each list of arguments."""
    script = f'import {{ {name} }} from "./{module}.js";\n'
    script += f"const answer = (calls) => calls.map((given) => {name}(...given));"
    return run(modules, script, calls)


def test_degrees_become_points_of_web_mercator(modules: Modules) -> None:
    found = ask(modules, "geometry", "project", [list(place) for place in PLACES])
    for place, point in zip(PLACES, found, strict=True):
        assert (point["x"], point["y"]) == pytest.approx(plane(*place), abs=1e-12)


def test_points_become_the_degrees_they_were(modules: Modules) -> None:
    points = [list(plane(*place)) for place in PLACES]
    found = ask(modules, "geometry", "unproject", points)
    for place, degrees in zip(PLACES, found, strict=True):
        assert (degrees["lat"], degrees["lon"]) == pytest.approx(place, abs=1e-9)


def test_the_poles_lie_at_the_edges(modules: Modules) -> None:
    north, south = ask(modules, "geometry", "project", [[90, 0], [-90, 0]])
    assert north["y"] == pytest.approx(0, abs=1e-3)
    assert south["y"] == pytest.approx(1, abs=1e-3)


def km_a_pixel(lat: float, zoom: float) -> float:
    return EARTH_KM * cos(radians(lat)) / (256 * 2.0**zoom)


def test_a_scale_bar_is_round_true_and_neither_long_nor_short(modules: Modules) -> None:
    views = [(lat, zoom / 4) for lat in (58, 60, 65, 71) for zoom in range(12, 65)]
    found = ask(modules, "geometry", "scaleBar", [[*view, 110] for view in views])
    for view, bar in zip(views, found, strict=True):
        assert bar["length"] == pytest.approx(bar["km"] / km_a_pixel(*view))
        assert 0.4 * 110 - 1e-6 <= bar["length"] <= 110 + 1e-6
        power = 10.0 ** int(f"{bar['km']:e}".partition("e")[2])
        assert round(bar["km"] / power, 9) in (1, 2, 5)
        assert abs(log10(bar["km"])) < 4


def test_lengths_are_said_in_metres_below_a_kilometre(modules: Modules) -> None:
    given = [[0.2, "nb"], [1, "nb"], [50, "en"], [0.05, "en"]]
    assert ask(modules, "geometry", "inWords", given) == ["200 m", "1 km", "50 km", "50 m"]


@pytest.mark.parametrize(("width", "height"), [(704, 544), (320, 544), (1200, 300)])
@pytest.mark.parametrize("more", [0, 70])
def test_a_box_fits_and_touches_its_margin(
    modules: Modules, width: int, height: int, more: int
) -> None:
    (left, bottom), (right, top) = plane(57.9, 4.5), plane(71.2, 31.2)
    box = {"left": left, "right": right, "top": top, "bottom": bottom}
    (view,) = ask(modules, "geometry", "fit", [[box, width, height, 24, more]])
    scale = 256 * 2 ** view["zoom"]
    spare = [
        width / 2 + (left - view["x"]) * scale - 24,
        width / 2 - (right - view["x"]) * scale - 24 - more,
        height / 2 + (top - view["y"]) * scale - 24,
        height / 2 - (bottom - view["y"]) * scale - 24,
    ]
    assert min(spare) == pytest.approx(0, abs=1e-6)


def test_so_many_km_take_so_many_pixels(modules: Modules) -> None:
    (zoom,) = ask(modules, "geometry", "zoomOf", [[30, 500, 60]])
    assert 500 * km_a_pixel(60, zoom) == pytest.approx(30)


def names(count: int) -> list[dict[str, float]]:
    random = Random(1)
    return [
        {"x": random.random() / 8, "y": random.random() / 8, "width": random.uniform(20, 120)}
        for _ in range(count)
    ]


def overlap(one: dict[str, float], other: dict[str, float], scale: float, gap: float) -> bool:
    beside = (one["x"] - other["x"]) * scale
    return (
        abs(one["y"] - other["y"]) * scale < 17
        and beside < other["width"] + gap
        and -beside < one["width"] + gap
    )


@pytest.mark.parametrize("zoom", [4, 5.5, 8])
def test_names_have_room_and_only_a_more_important_one_keeps_another_out(
    modules: Modules, zoom: float
) -> None:
    given, scale = names(200), 256 * 2**zoom
    (kept,) = ask(modules, "crowding", "thinned", [[given, zoom, 17, 8]])
    assert kept[0] == given[0]
    assert kept == [name for name in given if name in kept]
    assert not any(overlap(*pair, scale, 8) for pair in combinations(kept, 2))
    for place, name in enumerate(given):
        before = [other for other in given[:place] if other in kept]
        assert (name in kept) != any(overlap(name, other, scale, 8) for other in before)
    assert 5 < len(kept) < 200 or zoom == 8


def test_the_nearer_the_more_names(modules: Modules) -> None:
    given = names(200)
    found = ask(modules, "crowding", "thinned", [[given, zoom, 17, 8] for zoom in (3, 5, 7, 12)])
    assert [len(kept) for kept in found] == sorted({len(kept) for kept in found})
    assert len(found[-1]) == 200


def test_points_of_a_square_are_gathered_where_most_of_them_are(modules: Modules) -> None:
    scale = 256 * 2**5
    points = [
        {"x": 10 / scale, "y": 10 / scale, "n": 1},
        {"x": 13 / scale, "y": 14 / scale, "n": 3},
        {"x": 16 / scale, "y": 10 / scale, "n": 5},
    ]
    (found,) = ask(modules, "crowding", "gathered", [[points, 5, 5]])
    assert [(round(at["x"] * scale, 6), round(at["y"] * scale, 6), at["n"]) for at in found] == [
        (12.25, 13, 4),
        (16, 10, 5),
    ]


def at(*points: tuple[float, float]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in points]


CROWDS = {
    "one place": at(*[(5, 5)] * 6),
    "a row": at(*[(x, 0) for x in range(0, 30, 5)]),
    "a pair on the home": at((0, 0), (0, 0), (1, 1)),
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=list(CROWDS))
def test_badges_are_moved_until_none_hides_another(
    modules: Modules, crowd: list[dict[str, float]]
) -> None:
    (found,) = ask(modules, "crowding", "spread", [[crowd, 24]])
    assert found[0] == crowd[0]
    for one, other in combinations(found, 2):
        assert dist((one["x"], one["y"]), (other["x"], other["y"])) > 21
    for was, now in zip(crowd, found, strict=True):
        assert hypot(now["x"] - was["x"], now["y"] - was["y"]) < 24 * len(crowd)


def test_badges_with_room_stay(modules: Modules) -> None:
    crowd = at((0, 0), (30, 0), (0, 30))
    assert ask(modules, "crowding", "spread", [[crowd, 24], [[], 24]]) == [crowd, []]


def test_towns_are_ranked_by_the_sales_that_are_nearest(modules: Modules) -> None:
    towns = [{"name": name, "x": x, "y": 0.5} for name, x in (("A", 0.1), ("B", 0.2), ("C", 0.3))]
    sold = [{"x": 0.19, "y": 0.5, "n": 2}, {"x": 0.32, "y": 0.5, "n": 5}]
    given = [[towns, sold], [towns, []], [[], sold]]
    found = ask(modules, "crowding", "ranked", given)
    ranks = [[town["name"] for town in each] for each in found]
    assert ranks == [["C", "B", "A"], ["A", "B", "C"], []]
