"""What the estimate page says: everything, in both languages, and nothing that nobody asks for."""

import ast
import re
from collections.abc import Iterator
from inspect import getsource
from types import ModuleType
from typing import Any

import attrs
import pytest

from ree.adapters import training_domain
from ree.adapters.municipalities import reference
from ree.application import value_columns
from ree.domain import estimate, municipality, property, reach, rules
from ree.domain.appraisal import COVERAGES, Confidence
from ree.domain.explanation import GROUPS
from ree.domain.property import NUMBERS, RealEstateType
from ree.entrypoints.api import query
from ree.entrypoints.api.estimate_page import FOLDER, LANGUAGES, places, texts

NB, EN = (texts(language) for language in LANGUAGES)
CODE = re.compile("[a-z_]+:[a-z_,]*")
WARNINGS = {"near_edge", "renumbered", "stale", "stub", "unknown"}
"""Families of codes that an estimate carries; `unknown` is that of a field, too."""
FAMILIES = {"missing", "invalid", "invalid_type", "not_finite", "unknown", "ambiguous"}
"""Families of faults whose text may be that of the family."""
OF_TRAINING = {"outlier:price_per_sqm"}
QUOTED = re.compile(r"""["`]([a-z]\w*(?:\.[^"`\s]*)+)["`]""")
FILLED = re.compile(r"\$\{.*?\}")
FIELDS = {*NUMBERS, "realestate_type", "municipality_number", "valuation_date", "coverage"}


def codes_in(*modules: ModuleType) -> set[str]:
    """Every text in their sources that is a code or begins one; what is filled in is left out."""
    found = set()
    for module in modules:
        for node in ast.walk(ast.parse(getsource(module))):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                text = node.values[0].value
            elif isinstance(node, ast.Constant):
                text = node.value
            else:
                continue
            if isinstance(text, str) and CODE.fullmatch(text):
                found.add(text)
    return found - OF_TRAINING


def domain_codes() -> set[str]:
    """All that an estimate can be refused for or carry; of a family with a colon at its end."""
    whole = {rule.code for rule in rules.PROPERTY_RULES}
    for respect in training_domain.RESPECTS:
        whole |= {respect.warning, respect.fault(1.0, 2.0, 3.0).code}
    whole |= {f"invalid:{name}" for name in attrs.fields_dict(query.EstimateQuery)}
    found = codes_in(rules, property, estimate, municipality, value_columns, query, reach)
    return whole | {code for code in found if code not in ("near_edge:", "out_of_domain:")}


def warnings() -> set[str]:
    own = {code for code in domain_codes() if code.partition(":")[0] in WARNINGS}
    return {code for code in own if not code.endswith(":")}


def faults() -> set[str]:
    return domain_codes() - warnings()


def fault_key(code: str) -> str:
    """As faults.js finds it."""
    family = code.partition(":")[0]
    return code if f"fault.{code}.what" in NB else family


def test_the_codes_of_the_domain_are_found() -> None:
    assert {"missing:", "missing:floor_for_leilighet", "invalid:latlon", "not_finite:"} <= faults()
    assert {"out_of_domain:price", "out_of_domain:distance", "ambiguous:usable_area"} <= faults()
    assert {"stub:model", "stale:valuation_date", "near_edge:age"} <= warnings()
    assert "unknown:municipality_number" in warnings()


@pytest.mark.parametrize("code", sorted(faults()))
def test_each_fault_is_said_in_words_with_what_to_do(code: str) -> None:
    key = fault_key(code)
    assert key == code or key in FAMILIES
    assert {f"fault.{key}.what", f"fault.{key}.do"} <= NB.keys()


@pytest.mark.parametrize("code", sorted(warnings()))
def test_each_warning_is_said_in_words_with_what_to_do(code: str) -> None:
    assert {f"warning.{code}.what", f"warning.{code}.do"} <= NB.keys()


def test_no_text_is_there_for_a_code_that_nobody_gives() -> None:
    kept = {fault_key(code) for code in faults()} | {"other", "out_of_domain"}
    spoken = {_code(key) for key in NB if key.startswith("fault.")}
    assert spoken == kept
    spoken = {_code(key) for key in NB if key.startswith("warning.")}
    assert spoken == warnings() | {"other"}


def _code(key: str) -> str:
    return key.split(".")[1]


@pytest.mark.parametrize("rule", rules.PROPERTY_RULES, ids=lambda rule: rule.code)
def test_bounds_are_told_where_there_are_some(rule: rules.Rule) -> None:
    told = f"fault.{rule.code}.figures" in NB
    assert told == bool(re.match("must lie between [0-9-]+ and [0-9]", rule.message))


def test_languages_have_the_same_texts() -> None:
    assert NB.keys() == EN.keys()
    for key, text in NB.items():
        assert placeholders(text) == placeholders(EN[key]), key
        assert text.strip() == text != ""
        assert EN[key].strip() == EN[key] != ""
        assert not re.search("[<>]", text + EN[key])


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_keys_are_given_once() -> None:
    for language in LANGUAGES:
        lines = FOLDER.joinpath(f"{language}.json").read_text("utf-8").splitlines()
        keys = [line.split('"')[1] for line in lines if '":' in line]
        assert len(keys) == len(set(keys)) == len(NB)


def scripts() -> Iterator[tuple[str, str]]:
    for file in FOLDER.iterdir():
        if file.name.endswith(".js"):
            yield file.name, file.read_text("utf-8")


def asked_by_scripts() -> tuple[set[str], list[str]]:
    """Keys that stand in the scripts, and patterns of those that are put together there."""
    sections = {key.partition(".")[0] for key in NB}
    whole, patterns = set(), []
    for _, source in scripts():
        for text in QUOTED.findall(source):
            if text.partition(".")[0] not in sections:
                continue
            if FILLED.search(text):
                patterns.append(FILLED.sub("*", text))
            else:
                whole.add(text)
    return whole, patterns


def matches(pattern: str, key: str) -> bool:
    return bool(re.fullmatch(".+".join(map(re.escape, pattern.split("*"))), key))


def test_every_key_of_the_scripts_is_there() -> None:
    whole, patterns = asked_by_scripts()
    assert {key for key in whole if key not in NB and f"{key}.what" not in NB} == set()
    assert len(whole) > 30
    for pattern in patterns:
        assert any(matches(pattern, key) for key in NB), pattern


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("type", {kind.value for kind in RealEstateType}),
        ("confidence", {word.value for word in Confidence} | {"means"}),
        ("coverage", {str(coverage) for coverage in COVERAGES}),
        ("field", FIELDS | {"client_key"}),
        ("name", FIELDS | {"client_key", "lat,lon"}),
    ],
)
def test_what_the_api_gives_has_words(section: str, names: set[str]) -> None:
    keys = {key.removeprefix(f"{section}.") for key in NB if key.startswith(f"{section}.")}
    assert keys == names


def test_every_group_of_contributions_has_words() -> None:
    assert {f"contributions.{group}" for group in GROUPS} <= NB.keys()


def test_every_text_is_used() -> None:
    whole, patterns = asked_by_scripts()
    template = FOLDER.joinpath("page.html.j2").read_text("utf-8")
    patterns += ["hint.*", "field.*", "coverage.*", "type.*"]
    dynamic = ("fault.", "warning.", "problem.", "local.")

    def used(key: str) -> bool:
        return (
            key in whole
            or f'"{key}"' in template
            or key.startswith(dynamic)
            or any(matches(pattern, key) for pattern in patterns)
        )

    assert [key for key in NB if not used(key)] == []


def test_no_text_is_there_for_a_part_that_no_script_shows() -> None:
    sources = "\n".join(source for _, source in scripts())
    quoted = set(re.findall(r'"(\w+)"', sources)) | set(GROUPS)
    whole, _ = asked_by_scripts()
    for section in ("comparables", "contributions", "map", "local", "name"):
        for key in NB:
            if key.startswith(f"{section}.") and key not in whole and "," not in key:
                assert _code(key) in quoted, key


def test_every_problem_that_the_page_names_has_words() -> None:
    source = dict(scripts())["estimate.js"]
    named = set(re.findall(r'"(no_key|no_model|timeout|network|other|unclear)"', source))
    statuses = set(re.findall(r"\d+", re.search(r"\[([\d, ]+)\]\.includes", source)[1]))  # type: ignore[index]
    spoken = {_code(key) for key in NB if key.startswith("problem.")} - {"heading"}
    assert spoken == named | statuses


def test_nothing_that_came_from_elsewhere_becomes_markup() -> None:
    forbidden = "innerHTML|outerHTML|insertAdjacentHTML|document.write|eval\\(|localStorage"
    forbidden += "|sessionStorage|document.cookie|https?://(?!www.w3.org/)"
    for name, source in scripts():
        assert not re.search(forbidden, source), name


def test_municipalities_are_told_apart() -> None:
    labels = [place["label"] for place in places()]
    assert len(labels) == len(set(labels)) == len(reference().current)
    assert {"Herøy (Nordland)", "Herøy (Møre og Romsdal)", "Oslo"} <= set(labels)
    fields: set[Any] = {frozenset(place) for place in places()}
    assert fields == {frozenset({"number", "name", "label", "county", "former", "lat", "lon"})}
