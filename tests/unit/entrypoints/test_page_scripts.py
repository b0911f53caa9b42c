"""What the page's scripts reckon, each as a module of its own, without a browser."""

import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from ree.adapters.training_domain import RESPECTS
from ree.domain.estimate import ValuationDates
from ree.domain.reach import Respect
from ree.domain.rules import PROPERTY_RULES
from ree.entrypoints.api.estimate_page import places, texts

from .scripts import DEADLINE, run

NBSP, MINUS = "\u00a0", "\u2212"


def test_every_script_is_sound(modules: tuple[str, Path]) -> None:
    program, folder = modules
    for script in folder.glob("*.js"):
        subprocess.run([program, "--check", script.name], cwd=folder, check=True, timeout=DEADLINE)


NUMBERS = {
    ("167", "nb"): 167,
    (" 1 200 ", "nb"): 1200,
    (f"1{NBSP}200", "nb"): 1200,
    ("1\u202f200\u202f000,5", "nb"): 1200000.5,
    ("92,5", "nb"): 92.5,
    ("92.5", "nb"): 92.5,
    ("1.200,5", "nb"): 1200.5,
    ("1.200.000", "nb"): 1200000,
    ("1,200", "nb"): 1.2,
    ("1.200", "nb"): "ambiguous",
    ("0.200", "nb"): 0.2,
    ("167 m²", "nb"): 167,
    ("167 kvm.", "nb"): 167,
    (f"{MINUS}2", "nb"): -2,
    ("- 2", "nb"): -2,
    ("1,200", "en"): 1200,
    ("1.200", "en"): 1.2,
    ("92,5", "en"): 92.5,
    ("1,200.5", "en"): 1200.5,
    ("1'200", "en"): 1200,
    ("", "nb"): None,
    ("   ", "en"): None,
    ("12 00", "nb"): "number",
    ("1,2,3", "nb"): "number",
    ("1.2.3", "en"): "number",
    ("1e3", "nb"): "number",
    ("ca. 100", "nb"): "number",
    ("100-120", "nb"): "number",
    ("Infinity", "en"): "number",
    ("0x10", "en"): "number",
    ("9" * 400, "en"): "number",
    ("½", "nb"): "number",
}
DEGREES = {
    ("59,212", "nb"): 59.212,
    ("59.212", "nb"): 59.212,
    ("59,212", "en"): 59.212,
    ("9.584°", "nb"): 9.584,
    ("-33.9", "en"): -33.9,
    ("1 200", "nb"): "number",
    ("59°12'", "nb"): "number",
}


def test_numbers_are_read_as_people_write_them(modules: tuple[str, Path]) -> None:
    script = """
    import { parseNumber } from "./numbers.js";
    const answer = (given) => given.map((each) => {
      const { value, fault } = parseNumber(...each);
      return fault ?? value ?? null;
    });
    """
    wanted = [(*asked, False, read) for asked, read in NUMBERS.items()]
    wanted += [(*asked, True, read) for asked, read in DEGREES.items()]
    assert run(modules, script, [each[:3] for each in wanted]) == [each[3] for each in wanted]


def test_a_number_that_is_shown_is_read_again(modules: tuple[str, Path]) -> None:
    script = """
    import { fieldText, parseNumber } from "./numbers.js";
    const answer = (given) => given.flatMap((value) => ["nb", "en"].map((language) => {
      const text = fieldText(value, language);
      return [text, parseNumber(text, language, Math.abs(value) < 181).value];
    }));
    """
    shown = run(modules, script, [59.21, 9.584, 472.8, 1200, 1200.25, -33.123456])
    assert [text for text, _ in shown[:4]] == ["59,21", "59.21", "9,584", "9.584"]
    read = [value for _, value in shown]
    assert (
        read
        == [59.21, 59.21, 9.584, 9.584, 472.8, 472.8, *[1200] * 2, *[1200.25] * 2] + [-33.12346] * 2
    )


def test_both_coordinates_may_be_pasted_at_once(modules: tuple[str, Path]) -> None:
    script = """
    import { parsePair } from "./numbers.js";
    const answer = (given) => given.map(parsePair);
    """
    given = ["59.21, 9.584", "59.21 9.584", " 59.21;9.584 ", "59,21", "59.21", "59.21, 9.584, 3.1"]
    pair = ["59.21", "9.584"]
    assert run(modules, script, given) == [pair, pair, pair, None, None, None]


MUNICIPALITIES = {
    "Oslo": "0301",
    " oslo ": "0301",
    "301": "0301",
    "0301": "0301",
    "Tromso": "5501",
    "Trondheim": "5001",
    "Trondheim - Tråante": "5001",
    "herøy (nordland)": "1818",
    "1601": "1601",
    "Herøy": "municipalities",
    "Atlantis": "municipality",
    "12345": "municipality",
    "": None,
}


def test_a_municipality_is_found_by_what_people_call_it(modules: tuple[str, Path]) -> None:
    script = """
    import { findMunicipality } from "./municipality.js";
    const answer = ({ asked, places }) => asked.map((text) => {
      const { number, fault } = findMunicipality(text, places);
      return fault ?? number ?? null;
    });
    """
    labels = [place["label"] for place in places()]
    asked = [*MUNICIPALITIES, *labels]
    found = run(modules, script, {"asked": asked, "places": places()})
    assert found[: len(MUNICIPALITIES)] == [*MUNICIPALITIES.values()]
    assert found[len(MUNICIPALITIES) :] == [place["number"] for place in places()]


def test_a_number_of_old_is_where_it_became_one_alone(modules: tuple[str, Path]) -> None:
    script = """
    import { findMunicipality } from "./municipality.js";
    const answer = ({ asked, places }) =>
      asked.map((text) => findMunicipality(text, places).place?.name ?? null);
    """
    asked = ["0219", "3024", "3201", "219", "1534", "1507", "9999"]
    found = run(modules, script, {"asked": asked, "places": places()})
    assert found == ["Bærum"] * 4 + ["Haram", None, None]


EXPLAIN = """
import { explained, separated } from "./faults.js";
import { Words } from "./words.js";
const answer = ({ faults, texts, language }) => {
  const words = new Words(language, texts);
  return separated(faults).map((fault) => [fault.fields, explained(fault, words).whole]);
};
"""


def explained(
    modules: tuple[str, Path], faults: list[tuple[str, str, str]], language: str
) -> list[Any]:
    listed = [{"field": field, "code": code, "message": message} for field, code, message in faults]
    given = {"faults": listed, "texts": texts(language), "language": language}
    found: list[Any] = run(modules, EXPLAIN, given)
    return found


def of_respect(respect: Respect, *figures: float) -> tuple[str, str, str]:
    fault = respect.fault(*figures)
    return fault.field, fault.code, fault.message


def test_the_figures_of_the_domain_are_told_in_round_numbers(modules: tuple[str, Path]) -> None:
    figures = {
        "distance": (29.41018, float("-inf"), 20.0),
        "realestate_type": (3.0, 10.0, float("inf")),
        "usable_area": (1670.0, 39.6, 600.0),
        "total_area": (4720.8, 142.4, 4319.875),
        "age": (410.8979, -25.83797, 170.4386),
        "municipality_number": (325.6928, float("-inf"), 50.0),
    }
    faults = [of_respect(respect, *figures[respect.what]) for respect in RESPECTS]
    told = [text for _, text in explained(modules, faults, "en")]
    assert "29 km away; it may be up to 20 km." in told[0]
    assert "knows 3 such sales; it needs 10." in told[1]
    assert "1,670 m²; the model values 40 to 600 m²." in told[2]
    assert "4,721 m²; the model values 142 to 4,320 m²." in told[3]
    assert "411 years; the model values homes of 0 to 170 years." in told[4]
    assert (
        "326 km from where homes of the municipality were sold; it may be up to 50 km." in told[5]
    )
    assert f"4{NBSP}721 m²" in explained(modules, faults, "nb")[3][1]


def test_a_figure_is_never_rounded_to_its_own_bound(modules: tuple[str, Path]) -> None:
    usable_area = next(each for each in RESPECTS if each.what == "usable_area")
    faults = [
        of_respect(RESPECTS[0], 20.04, float("-inf"), 20.0),
        of_respect(usable_area, 39.8, 40.0, 600.0),
    ]
    far, small = (text for _, text in explained(modules, faults, "en"))
    assert "20.04 km away; it may be up to 20 km" in far
    assert "39.8 m²; the model values 40 to 600 m²" in small


def test_bounds_of_rules_are_told(modules: tuple[str, Path]) -> None:
    faults = [(rule.field, rule.code, rule.message) for rule in PROPERTY_RULES]
    told = {
        rule.code: text
        for rule, (_, text) in zip(PROPERTY_RULES, explained(modules, faults, "nb"), strict=True)
    }
    assert f"fra 5 til 5{NBSP}000 m²" in told["invalid:usable_area"]
    assert f"fra {MINUS}20 til 100" in told["invalid:floor"]
    assert all("{" not in text for text in told.values())


def test_what_is_missing_is_told_at_each_field(modules: tuple[str, Path]) -> None:
    faults = [
        ("built_year,lat", "missing:built_year,lat", "must be given"),
        ("lat,lon", "invalid:latlon", "must be degrees"),
        ("bra", "invalid_type:usable_area", "must be a number"),
        ("", "out_of_domain:price", "the model gives no price for this home"),
        ("x", "new_family:x", "something"),
    ]
    fields = [each for each, _ in explained(modules, faults, "nb")]
    assert fields == [["built_year"], ["lat"], ["lat", "lon"], ["usable_area"], [""], ["x"]]
    assert "new_family:x" in explained(modules, faults, "nb")[-1][1]


def test_the_day_of_the_sales_is_told(modules: tuple[str, Path]) -> None:
    newest, oldest = date(2026, 1, 31), date(2025, 2, 1)
    [late], _ = ValuationDates().look(date(2028, 1, 1), newest, oldest)
    [early], _ = ValuationDates().look(date(2020, 1, 1), newest, oldest)
    faults = [(each.field, each.code, each.message) for each in (late, early)]
    after, before = explained(modules, faults, "nb")
    assert "mer enn 18 måneder etter det nyeste, som er fra 31. januar 2026" in after[1]
    assert "mer enn 18 måneder før de eldste, som er fra 1. februar 2025" in before[1]


def test_numbers_and_dates_are_as_the_language_writes_them(modules: tuple[str, Path]) -> None:
    script = """
    import { Words } from "./words.js";
    const answer = () => ["nb", "en"].map((language) => {
      const words = new Words(language, {});
      const day = words.day("2026-01-31");
      const changes = [120000, -3500, 0].map((each) => words.change(each));
      return [words.money(5271151), day, words.percent(0.168), words.number(1.25, 1), ...changes];
    });
    """
    nb, en = run(modules, script, None)
    plain = [[text.replace(NBSP, " ") for text in each] for each in (nb, en)]
    assert plain == [
        [
            "5 271 151 kr",
            "31. januar 2026",
            "17 %",
            "1,3",
            "+120 000 kr",
            f"{MINUS}3 500 kr",
            "0 kr",
        ],
        [
            "NOK 5,271,151",
            "31 January 2026",
            "17%",
            "1.3",
            "+NOK 120,000",
            f"{MINUS}NOK 3,500",
            "NOK 0",
        ],
    ]
