"""The page that tells what a version is worth."""

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from math import nan
from typing import Any

import pytest
from attrs import evolve

from ree.adapters.report import html_report
from ree.domain.dataset import DatasetManifest
from ree.domain.evaluation import Evaluation, Metrics
from ree.domain.funnel import Funnel, Stage
from ree.domain.gating import Check, Outcome, Verdict
from ree.domain.model import Kind, ModelVersion, Recipe, TrainingRecord
from ree.domain.turnover import Period

MARKUP = "<script>alert('x')</script>"
OVERALL = Metrics(1_234, 345_678.4, 456_789, 0.123, 0.087, 0.11, 777_777, 0.551, 0.832)
HOUSES = evolve(OVERALL, n=321, mae=456_123)
BASELINE = evolve(OVERALL, mae=987_654)
RECORD = TrainingRecord(
    Kind.TRAINED,
    Recipe("fast"),
    {},
    dataset=DatasetManifest(
        "datasets/a",
        Period(date(2025, 2, 1), date(2026, 1, 31)),
        "d",
        Funnel((Stage("normalise", 7_003, 7_000, {"multi_unit": 3}),)),
        1,
        1,
        (),
    ),
    trained_until=date(2026, 1, 30),
    evaluation=Evaluation(OVERALL, {"enebolig": HOUSES}, {"0301": evolve(HOUSES, n=99)}),
    baseline=Evaluation(BASELINE),
    verdict=Verdict((Check("overall_mae", Outcome.PASSED, {"candidate": 1, "limit": 0.05}),)),
    champion="20250101-000000-deadbeef",
    champion_trained_until=date(2025, 11, 30),
)
VERSION = ModelVersion(
    "20260203-040506-01234567", datetime(2026, 2, 3, 4, 5, tzinfo=UTC), RECORD, "digest"
)


class Page(HTMLParser):
    """The texts of a page, and what it would load or run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [f"{name}={value}" for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(record: TrainingRecord = RECORD) -> Page:
    return Page(html_report(evolve(VERSION, record=record)))


@pytest.mark.parametrize(
    "figure",
    [
        "Model 20260203-040506-01234567",
        "published, trained (fast)",
        "2025-02-01 to 2026-01-31",
        "normalise 7 003 7 000 3 multi_unit",
        "overall 1234 345\u202f678 456\u202f789 12.3\u202f% 8.7\u202f% 11.0\u202f% 777\u202f777",
        "55.1\u202f% 83.2\u202f%",
        "naive baseline 1234 987\u202f654",
        "enebolig 321 456\u202f123",
        "0301 99",
        "The gate: passed",
        "overall_mae passed candidate: 1, limit: 0.05",
        "Compared with 20250101-000000-deadbeef, trained until 2025-11-30",
        "This model is trained until 2026-01-30",
    ],
)
def test_the_figures_are_there(figure: str) -> None:
    # HTMLParser joins with spaces what \u202f separates no further.
    assert " ".join(figure.split()) in page().text


def test_a_refusal_is_told() -> None:
    verdict = Verdict((Check("overall_mae", Outcome.FAILED),))
    text = page(evolve(RECORD, verdict=verdict, champion=None, champion_trained_until=None)).text
    assert "The gate: refused" in text
    assert "rejected, trained" in text
    assert "Compared with no active model." in text


def test_a_stub_says_so_and_has_no_figures() -> None:
    stub = page(TrainingRecord(Kind.STUB, Recipe("stub"), {}))
    assert "A stub" in stub.text
    assert "table" not in stub.tags


@pytest.mark.parametrize("missing", ["baseline", "dataset", "verdict", "evaluation"])
def test_what_is_not_known_is_left_out(missing: str) -> None:
    changes: dict[str, Any] = {missing: None}
    assert "Model 20260203" in page(evolve(RECORD, **changes)).text


def test_a_figure_that_is_no_number_is_a_dash() -> None:
    empty = evolve(OVERALL, n=0, mae=nan, mdape=nan)
    text = page(evolve(RECORD, evaluation=Evaluation(empty))).text
    assert "overall 0 –" in text
    assert "nan" not in text


def test_what_comes_from_outside_is_escaped() -> None:
    record = evolve(
        RECORD,
        recipe=Recipe(MARKUP),
        champion=MARKUP,
        evaluation=Evaluation(OVERALL, {MARKUP: HOUSES}, {MARKUP: HOUSES}),
        verdict=Verdict((Check(MARKUP, Outcome.PASSED, {MARKUP: MARKUP}),)),
    )
    found = page(record)
    assert "script" not in found.tags
    assert found.text.count(MARKUP) == 7


def test_the_page_needs_nothing_from_elsewhere() -> None:
    html = html_report(VERSION)
    found = Page(html)
    assert not found.tags & {"script", "link", "img", "iframe", "object"}
    assert "//" not in html.replace("<!doctype html>", "")
    assert not any(name.startswith(("src=", "href=", "on")) for name in found.attributes)
    assert "url(" not in html
    assert "@import" not in html
