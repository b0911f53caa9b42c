"""The page that tells what a version is worth."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache
from math import nan
from threading import Barrier
from typing import Any

import pytest
from attrs import evolve
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ree.adapters import codec
from ree.adapters.figures import version_figures
from ree.adapters.municipalities import reference
from ree.adapters.report import html_report
from ree.adapters.report.numbers import change
from ree.adapters.seal import Seal
from ree.adapters.version_objects import decode_manifest, encode_manifest
from ree.domain.coverage import Coverage
from ree.domain.dataset import DatasetManifest
from ree.domain.evaluation import Comparison, Evaluation, Interval, Metrics
from ree.domain.funnel import Funnel, Stage
from ree.domain.gating import Check, Evidence, GatingPolicy, Incumbent, Measured, Outcome, Verdict
from ree.domain.model import Kind, ModelVersion, Recipe, TrainingRecord
from ree.domain.ratio_study import Ratio, RatioStudy
from ree.domain.residuals import Cell, Driver, PlaceErrors, PriceBand, Residuals, Spread, Week
from ree.domain.track_record import TrackedMonth
from ree.domain.turnover import Period

from ...report_page import Page, leaves, wrong_numbers

MARKUP = "<script>alert('$x$')</script>"
THIN = "\u202f"
STUDY = RatioStudy(
    1_234,
    Ratio(0.981, 0.977, 0.985),
    Ratio(12.43, 12.1, 12.8),
    Ratio(1.0291, 1.026, 1.033),
    Ratio(-0.0432, -0.053, -0.035),
)
COVERAGE = (
    Coverage(1_230, 0.8, 0.8137, 0.791, 0.835, 0.38),
    Coverage(1_230, 0.9, 0.9068, 0.889, 0.922, 0.535),
    Coverage(1_230, 0.95, 0.9539, 0.941, 0.965, 0.692),
)
OVERALL = Metrics(
    1_234, 345_678.4, 456_789.1, 0.123, 0.0871, 0.11, 777_777.3, 0.551, 0.832, STUDY, COVERAGE
)
HOUSES = evolve(OVERALL, n=321, mae=456_123.9, mdape=0.1172)
FLATS = evolve(OVERALL, n=901, mae=301_002.2, mdape=0.0644)
CABINS = evolve(
    OVERALL, n=12, mdape=0.31, ratios=evolve(STUDY, n=12), coverage=(evolve(COVERAGE[1], n=12),)
)
BASELINE = evolve(OVERALL, mae=987_654.1, ratios=None, coverage=())
SPREAD = Spread(401, -0.1523, -0.0611, -0.0182, 0.0434, 0.1327)
RESIDUALS = Residuals(
    by_week=(
        Week(date(2026, 1, 1), SPREAD),
        Week(date(2026, 1, 8), evolve(SPREAD, n=7, median=0.002)),
    ),
    by_price=(
        PriceBand(1_000_000.0, 1_999_999.5, 1_612_345.0, 1_701_234.0, evolve(SPREAD, median=0.071)),
        PriceBand(2_000_000.0, 19_500_000.0, 4_712_000.0, 4_500_100.0, SPREAD),
    ),
    places={
        "0301": PlaceErrors(59.91, 10.75, 412, -0.0301, 0.0655),
        "4601": PlaceErrors(60.39, 5.32, 207, 0.0122, 0.1144),
        "5601": PlaceErrors(69.97, 23.27, 33, 0.1, 0.2321),
        "4003": PlaceErrors(59.21, 9.58, 9, 0.2, 0.41),
    },
    step=1.14,
    cells=(
        Cell(1e6, 1e6, 41),
        Cell(1e6, 1.14e6, 7),
        Cell(2.193e6, 1.924e6, 88),
    ),
)
STAGES = (
    Stage("normalise", 7_003, 7_000, {"multi_unit": 3}),
    Stage("validate", 7_000, 6_170, {"missing:built_year,lat": 800, "invalid:rooms": 30}),
)
EVALUATION = Evaluation(
    OVERALL,
    {"leilighet": FLATS, "hytte": CABINS, "enebolig": HOUSES},
    {"4601": evolve(HOUSES, n=207), "0301": evolve(FLATS, n=412)},
    {str(fifth): evolve(OVERALL, n=247, mdape=0.12 - 0.01 * fifth) for fifth in (1, 2, 3, 4, 5)},
    {"usual": OVERALL, "near_edge": CABINS},
    RESIDUALS,
    {"size": Driver(1_786_407.5, 0.662), "location": Driver(912_345.5, 0.338)},
)
BEFORE = Evaluation(
    evolve(OVERALL, n=1_000, mae=333_333.0), {"enebolig": evolve(HOUSES, n=150, mae=400_000.0)}
)
INTERVALS = {
    segment: {name: Interval(-0.031, 0.082) for name in ("mae", "mdape", "p90", "wape")}
    for segment in ("overall", "enebolig")
}


def verdict(
    comparison: Comparison | Incumbent = Incumbent.NONE, policy: GatingPolicy | None = None
) -> Verdict:
    """Of the gate itself."""
    measured = Measured(EVALUATION, Evaluation(BASELINE), comparison)
    return (policy or GatingPolicy()).judge(Evidence(6_170, 1_234, measured))


def compared(n: int, worse: float = 1.0) -> Comparison:
    """Beside a version before, on *n* sales."""
    mine = evolve(
        EVALUATION, overall=evolve(OVERALL, n=n, mae=333_333 * worse),
        by_realestate_type={"enebolig": evolve(HOUSES, n=min(n, 150), mae=400_000.0)},
    )  # fmt: skip
    theirs = evolve(BEFORE, overall=evolve(BEFORE.overall, n=n))
    return Comparison(mine, theirs, INTERVALS)


TRACK = tuple(
    TrackedMonth(
        f"2025{month + 10}01-031500-0123abcd",
        date(2025, month + 10, 30),
        Period(date(2025, month + 10, 1), date(2025, month + 10, 30)),
        "d",
        datetime(2026, 1, 1, tzinfo=UTC),
        Evaluation(evolve(OVERALL, n=1_000 + month, mdape=0.0917)),
        {},
        evolve(OVERALL, mdape=0.0855),
    )
    for month in (1, 0)
)
DATASET = DatasetManifest(
    "datasets/a", Period(date(2025, 2, 1), date(2026, 1, 31)), "d", Funnel(STAGES), 1, 1, ()
)
RECORD = TrainingRecord(
    Kind.TRAINED,
    Recipe("fast", {"trees": 100}),
    {},
    dataset=DATASET,
    trained_until=date(2026, 1, 30),
    evaluation=EVALUATION,
    baseline=Evaluation(BASELINE),
    verdict=verdict(compared(1_000, 1.02)),
    champion="20250101-000000-deadbeef",
    champion_trained_until=date(2025, 11, 30),
    track=TRACK,
)
VERSION = ModelVersion(
    "20260203-040506-01234567",
    datetime(2026, 2, 3, 4, 5, tzinfo=UTC),
    RECORD,
    "digest",
    {"model.npz": "a", "feature_schema.json": "b"},
)
FIRST = evolve(RECORD, verdict=verdict(), champion=None, champion_trained_until=None)
REFUSED = evolve(RECORD, verdict=verdict(compared(1_000, 1.08)))
UNDECIDED = evolve(RECORD, verdict=verdict(compared(20)))
ACCEPTED = evolve(RECORD, verdict=verdict(compared(20), GatingPolicy(accept_inconclusive=True)))
REPLACED = evolve(RECORD, verdict=verdict(Incumbent.REPLACED))
STUB = TrainingRecord(Kind.STUB, Recipe("stub"), {})
TOO_FEW = evolve(
    FIRST, evaluation=None, baseline=None, verdict=GatingPolicy().judge(Evidence(120, 24))
)
UNJUDGED = evolve(FIRST, verdict=None)
OLD = evolve(RECORD, evaluation=evolve(EVALUATION, residuals=None, drivers={}))
UNKNOWN = evolve(
    OVERALL,
    mdape=nan,
    mae=nan,
    ratios=RatioStudy(1_234, *[Ratio(nan, nan, nan)] * 4),
    coverage=(Coverage(0, 0.9, nan, nan, nan, nan), Coverage(99, 0.95, nan, nan, nan, nan)),
)
BLANK = Spread(3, nan, nan, nan, nan, nan)
NOT_FINITE = evolve(
    FIRST,
    evaluation=Evaluation(
        UNKNOWN,
        {"enebolig": UNKNOWN},
        {"0301": UNKNOWN},
        {"1": UNKNOWN},
        {"usual": UNKNOWN},
        Residuals(
            (Week(date(2026, 1, 1), BLANK), Week(date(2026, 1, 8), evolve(SPREAD, p90=nan))),
            (PriceBand(nan, nan, nan, nan, BLANK),),
            {
                "0301": PlaceErrors(nan, nan, 40, nan, nan),
                "4601": PlaceErrors(60.39, 5.32, 40, nan, nan),
            },
            1.1,
            (),
        ),
        {"size": Driver(nan, nan)},
    ),
    verdict=Verdict((Check("overall_mae", Outcome.FAILED, {"n": 40, "limit": 0.05}),)),
)
ODD_TRACK = tuple(
    evolve(TRACK[0], evaluation=Evaluation(metrics), holdout=None)
    for metrics in (UNKNOWN, Metrics.of_none(), CABINS, BASELINE)
)
RECORDS: Mapping[str, TrainingRecord] = {
    "odd track": evolve(RECORD, track=ODD_TRACK),
    "odd newest": evolve(RECORD, track=ODD_TRACK[:1:-1]),
    "no track": evolve(RECORD, track=()),
    "not finite": NOT_FINITE,
    "compared": RECORD,
    "first": FIRST,
    "refused": REFUSED,
    "undecided": UNDECIDED,
    "accepted": ACCEPTED,
    "replaced": REPLACED,
    "stub": STUB,
    "too few": TOO_FEW,
    "unjudged": UNJUDGED,
    "old": OLD,
    "bare": evolve(FIRST, dataset=None, evaluation=Evaluation(BASELINE), baseline=None),
    "empty": evolve(FIRST, evaluation=Evaluation(Metrics.of_none()), verdict=None),
}


NUMBER = rf"[+−]?[0-9]+(?:{THIN}[0-9]{{3}})*(?:\.[0-9]+)?(?:{THIN}(?:%|kr))?"  # noqa: RUF001


def report(record: TrainingRecord) -> Page:
    return Page(html_report(evolve(VERSION, record=record)))


@cache
def known(name: str) -> Page:
    """The report of one of RECORDS."""
    return report(RECORDS[name])


@pytest.fixture(scope="module")
def page() -> Page:
    return known("compared")


@pytest.fixture(scope="module", params=RECORDS, ids=str)
def case(request: pytest.FixtureRequest) -> tuple[Page, TrainingRecord]:
    return known(request.param), RECORDS[request.param]


def stored(record: TrainingRecord) -> Any:
    return json.loads(codec.to_json(version_figures(record)))


def test_every_number_is_that_of_metrics_json(case: tuple[Page, TrainingRecord]) -> None:
    page, record = case
    assert list(wrong_numbers(page, stored(record))) == []
    assert page.stray == []


def test_every_number_of_metrics_json_is_there(page: Page) -> None:
    """But for those that others are made of or repeat, and the positions on the map."""
    untold = re.compile(
        r"baseline\.by_.*|residuals\.places\..*\.(lat|lon)|.*coverage\.\d+\.n|.*ratios\.n"
        r"|track\.\d+\.coverage\.n|by_.*\.coverage\..*|by_reach\.near_edge\..*|residuals\.cells\.1\.price"
    )
    shown = {place for _, place, _ in page.figures}
    missing = [
        place
        for place in leaves(stored(RECORD))
        if place not in shown and not untold.fullmatch(place)
    ]
    assert missing == []


def test_the_numbers_in_the_text_are_those_of_the_domain(case: tuple[Page, TrainingRecord]) -> None:
    page, _ = case
    allowed = {"2013", "10 %", "20 %", "25 %", "75 %", "90 %", "95 %", "30", "2", "3",
               "0.90 to 1.10", "5 to 15 %", "0.98 to 1.03", "−0.05 to 0.05"}  # noqa: RUF001  # fmt: skip
    assert page.fixed <= {text.replace(" %", f"{THIN}%") for text in allowed}


def test_the_numbers_in_pictures_are_those_of_the_tables(page: Page) -> None:
    told = {text for _, _, text in page.figures}
    fixed = {f"{share}{THIN}%" for share in (80, 90, 95)}
    for text in (text for texts in page.drawn.values() for text in texts):
        for number in re.findall(NUMBER, text):
            assert number in told | fixed, text


@pytest.mark.parametrize(
    ("picture", "texts"),
    [
        ("by-type", ["enebolig, detached house", "◆ 11.7 %, n 321", "leilighet, apartment",
                     "● 6.4 %, n 901", "hytte, cabin", "○ 31.0 %, n 12"]),
        ("by-municipality", ["Oslo", "● 6.4 %, n 412", "Bergen", "◆ 11.7 %, n 207"]),
        ("map", ["Oslo", "Bergen", "Alta"]),
        ("calibration", ["made to hold 80 %", "81.4 %", "made to hold 90 %", "90.7 %"]),
        ("coverage", ["enebolig, detached house", "90.7 %, n 1 230"]),
        ("ratio-cod", ["all homes", "12.4 %", "enebolig, detached house", "12.4 %"]),
        ("change", ["mean error", "+2.0 %", "median error", "0.0 %"]),
        ("drivers", ["how large it is", "1 786 408 kr", "where it is", "912 346 kr"]),
        ("funnel", ["sales that were fetched", "7 003", "readable sales of one unit", "7 000",
                    "complete and plausible", "6 170"]),
    ],
)  # fmt: skip
def test_a_picture_tells_what_it_draws(page: Page, picture: str, texts: list[str]) -> None:
    drawn = [text.replace(THIN, " ") for text in page.drawn[picture]]
    assert drawn[: len(texts)] == texts


def test_the_largest_municipalities_come_first(page: Page) -> None:
    found = re.findall(r'data-figure="residuals\.places\.(\d+)\.median"', page.html)
    assert found == ["0301", "4601", "5601", "4003"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("compared", "Passed the gate and was published. Good: half of its estimates are within "
                     "8.7 % of the price."),
        ("compared", "Measured on 1 234 sales newer than all that it had seen. Its mean error is "
                     "65.0 % smaller than that of a naive baseline (the median price per m² of "
                     "the same municipality and type)."),
        ("compared", "Weakest: detached house (median error 11.7 %, 321 sales), cheapest fifth "
                     "(median error 11.0 %, 247 sales), "),
        ("compared", "55.1 % of estimates within 10 % of the price, 83.2 % within 20 %"),
        ("compared", "mean error 345 678 kr"),
        ("compared", "intervals made to hold 90 % held 90.7 %: ● good"),
        ("compared", "median estimate / price: 0.981: ● good"),
        ("compared", "Where it is weakest ▲ risk there Enebolig detached house: 11.7 %, 321 sales, "
                     "◆ ok"),
        ("compared", "Too few sales to tell: cabins, homes near the edge of what was sold "),
        ("compared", "No rule failed, some could not be decided for lack of sales: error that nine "
                     "in ten stay below of detached houses"),
        ("accepted", "No rule failed, some could not be decided"),
        ("compared", "Compared with 20250101-000000-deadbeef"),
        ("first", "No version before it to compare with"),
        ("refused", "Refused by the gate and kept out of use: its mean error changed by +8.0 %, at "
                    "most 5 % more is allowed. Good by itself: half of its estimates are within"),
        ("undecided", "Refused by the gate and kept out of use: the rule “mean error” could not be "
                      "decided on 20 sales, at least 30 are needed."),
        ("accepted", "Undecided and let through, as asked (--accept-inconclusive): mean error, "
                     "median error,"),
        ("replaced", "It was run with --replace-unreadable: the active version could not be read."),
        ("stub", "A stub: its estimates are placeholders"),
        ("too few", "Refused by the gate and kept out of use: nothing could be measured"),
        ("too few", "It was refused because there are too few sales"),
        ("unjudged", "Published; no gate has judged it. Good:"),
        ("old", "Where the sales were is not recorded for this version."),
        ("empty", "Too few sales to tell how good it is: half of its estimates are within – of"),
    ],
)  # fmt: skip
def test_first_it_says_whether_it_is_good_and_was_published(record: str, words: str) -> None:
    assert words in known(record).text.replace(THIN, " ")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("compared", "Enough sales – kept. There are 6 170 sales, at least 500 are needed; 1 234"),
        ("compared", "naive baseline: 345 678 kr against 987 654 kr, on 1 234 sales."),
        ("compared", "Mean error – kept. May grow by at most 5 %. It changed by +2.0 %: 340 000 kr "
                     "against 333 333 kr of the version before, on the same 1 000 sales. With "
                     "other sales of the kind it could have been −3.1 % to +8.2 % (95 %"),  # noqa: RUF001
        ("compared", "Error that nine in ten stay below of enebolig – not decided. May grow by at "
                     "most 7 %. Could not be decided: 150 comparable sales, newer than all that "
                     "the version before knows; at least 200 are needed. For one type of home "
                     "that keeps no model out."),
        ("compared", "Intervals – kept. Intervals made to hold 90 % of prices may be off by 3 "
                     "points. They held 90.7 % of 1 230 prices; with so many sales, that can mean "
                     "88.9 % to 92.2 % (95 %, exact). On average they are 53.5 % of the "
                     "estimate wide."),
        ("compared", "The version before is 20250101-000000-deadbeef, trained on sales until 30 "
                     "November 2025."),
        ("refused", "Mean error – broken. May grow by at most 5 %."),
        ("refused", "It is stored for inspection and can never be activated"),
        ("undecided", "For all homes together that keeps a model out, unless --accept-"),
        ("first", "Mean error (may grow by 5 %), median error"),
        ("first", "do not apply. Not compared: no version was active yet"),
        ("too few", "Enough sales – broken. There are 120 sales, at least 500 are needed"),
    ],
)  # fmt: skip
def test_the_gate_is_told_rule_by_rule(record: str, words: str) -> None:
    assert words in known(record).text.replace(THIN, " ")


def test_the_track_record_is_told_with_the_newest_month_first() -> None:
    text = known("compared").text.replace(THIN, " ")
    assert "Newest, November 2025: 9.2 % on 1 001 sales; at the gate it was 8.6 %." in text
    assert "Newest, November 2025: 90.7 %, ● good." in text
    assert text.index("November 2025 20251101-031500-0123abcd 1 001") < text.index(
        "October 2025 20251001-031500-0123abcd 1 000"
    )
    assert "Newest, November 2025: – on 1 234 sales." in known("odd track").text.replace(THIN, " ")
    assert "Track record" not in known("no track").text


def test_nobody_is_told_that_it_is_in_use() -> None:
    for record in RECORDS:
        assert "is active" not in known(record).text


def test_too_few_sales_are_neither_good_nor_weak(page: Page) -> None:
    row = re.search(r"<tr>(?=<th[^>]*>hytte).*?</tr>", page.html, re.DOTALL)
    assert row
    assert "too few" in row[0]
    assert "risk" not in row[0]
    assert "Weakest: cabin" not in page.text
    assert f"{THIN}%, 12 sales" not in page.text
    assert "of which there were too few sales to tell: hytte cabin (12)" in page.text


def held(n: int, share: float, lower: float, upper: float) -> Metrics:
    """An accurate segment, whose intervals of 90 % held a share of *n* prices."""
    return evolve(OVERALL, coverage=(Coverage(n, 0.9, share, lower, upper, 0.5),))


OK_HELD = held(247, 0.85, 0.799, 0.892)
RISK_HELD = held(900, 0.861, 0.836, 0.866)
TOO_WIDE = held(900, 0.961, 0.95, 0.97)
FEW_HELD = held(29, 0.5, 0.3, 0.6)


@pytest.mark.parametrize(
    ("dearest", "second", "heading", "line"),
    [
        (OVERALL, FEW_HELD, "● good even there", None),
        (OK_HELD, FEW_HELD, "◆ ok there", "dearest fifth, 85.0 % of 90 %, ◆ ok"),
        (OK_HELD, RISK_HELD, "▲ risk there", "second dearest fifth, 86.1 % of 90 %, ▲ risk"),
        (OK_HELD, TOO_WIDE, "▲ risk there", "second dearest fifth, 96.1 % of 90 %, ▲ risk"),
        (held(99, nan, nan, nan), OVERALL, "● good even there", None),
    ],
)
def test_intervals_that_do_not_hold_are_a_weakness(
    dearest: Metrics, second: Metrics, heading: str, line: str | None
) -> None:
    """However small the median errors are."""
    fifths = {"1": OVERALL, "4": second, "5": dearest}
    evaluation = evolve(
        EVALUATION, by_realestate_type={}, by_municipality={}, by_price_fifth=fifths, residuals=None
    )
    text = report(evolve(RECORD, evaluation=evaluation)).text.replace(THIN, " ")
    assert f"Where it is weakest {heading}" in text
    assert ("Intervals held worst" in text) == (line is not None)
    assert line is None or f"Intervals held worst: {line}" in text


def test_first_the_rules_name_homes_in_english() -> None:
    broken = Check("enebolig_coverage", Outcome.FAILED, {"n": 900, "covered": 0.8, "wanted": 0.9})
    text = report(evolve(FIRST, verdict=Verdict((broken,)))).text.replace(THIN, " ")
    assert "kept out of use: its intervals of detached houses hold 80.0 % of prices" in text
    assert "Intervals of detached houses: rule broken" in text


def test_axes_have_a_true_minus(page: Page) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", page.html, re.DOTALL))
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawings)
    assert any(text.startswith("−0.") for text in texts)  # noqa: RUF001
    assert not [text for text in texts if re.search(r"-[0-9]", text)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "0.0 %"), (-0.0004, "0.0 %"), (0.0, "0.0 %"), (0.0006, "+0.1 %"),
     (-0.0006, "−0.1 %"), (0.047, "+4.7 %")],  # noqa: RUF001
)  # fmt: skip
def test_no_change_has_no_sign(value: float, text: str) -> None:
    assert change(value).replace(THIN, " ") == text


def test_names_are_those_of_people(page: Page) -> None:
    names = {place.number: place.name for place in reference().current}
    for words in (f"{names['4601']} 4601", "enebolig detached house", "how large it is",
                  "missing: built year, lat"):  # fmt: skip
        assert words in page.text


def test_a_municipality_that_nobody_knows_keeps_its_number() -> None:
    places = {
        "9876": PlaceErrors(47.5, -122.3, 99, 0.0, 0.1),
        "9877": PlaceErrors(47.7, -122.1, 88, 0.0, 0.2),
    }
    residuals = evolve(RESIDUALS, places=places)
    abroad = report(evolve(RECORD, evaluation=evolve(EVALUATION, residuals=residuals)))
    assert "9876" in abroad.text
    assert "centres of all municipalities" not in abroad.text
    assert (
        abroad.html.count("<use") < len(reference().current) <= known("compared").html.count("<use")
    )
    assert abroad.stray == []


@pytest.mark.parametrize("missing", ["baseline", "dataset", "verdict", "evaluation"])
def test_what_is_not_known_is_left_out(missing: str) -> None:
    changes: dict[str, Any] = {missing: None}
    assert "20260203-040506-01234567" in report(evolve(RECORD, **changes)).text


def test_no_kind_of_home_with_enough_sales_is_not_drawn() -> None:
    few = evolve(OVERALL, n=1, coverage=(Coverage(1, 0.9, 1.0, 0.0, 1.0, 0.4),))
    page = report(evolve(FIRST, evaluation=Evaluation(few, by_municipality={"0301": few})))
    assert "The usual interval, by kind of home" not in page.text


def test_a_figure_that_is_no_number_is_a_dash() -> None:
    empty = evolve(OVERALL, n=0, mae=nan, mdape=nan)
    text = report(evolve(FIRST, evaluation=Evaluation(empty))).text
    assert "mean error –" in text
    assert "nan" not in text.lower().replace("finance", "")


AMOUNTS = st.sampled_from([0.0, 1.0, 3.7, 2.1e6, 1e15, nan])
SHARES = st.sampled_from([-1.0, -0.1, 0.0, 0.05, 0.9, 1.0, 1e6, nan])
COUNTS = st.sampled_from([0, 1, 29, 30, 1_000_000])
SPREADS = st.builds(Spread, COUNTS, SHARES, SHARES, SHARES, SHARES, SHARES)
RATIOS = st.builds(Ratio, SHARES, SHARES, SHARES)
METRICS = st.builds(
    Metrics, COUNTS, AMOUNTS, AMOUNTS, SHARES, SHARES, SHARES, AMOUNTS, SHARES, SHARES,
    st.none() | st.builds(RatioStudy, COUNTS, RATIOS, RATIOS, RATIOS, RATIOS),
    st.lists(
        st.builds(Coverage, COUNTS, st.sampled_from([0.8, 0.9]), SHARES, SHARES, SHARES, SHARES),
        max_size=2,
    ).map(tuple),
)  # fmt: skip
EVALUATIONS = st.builds(
    Evaluation,
    METRICS,
    st.dictionaries(st.sampled_from(["enebolig", "hytte", "tårn"]), METRICS),
    st.dictionaries(st.sampled_from(["0301", "9999"]), METRICS),
    st.dictionaries(st.sampled_from("15"), METRICS),
    st.dictionaries(st.just("usual"), METRICS),
    st.none()
    | st.builds(
        Residuals,
        st.lists(st.builds(Week, st.just(date(2026, 1, 1)), SPREADS), max_size=3).map(tuple),
        st.lists(st.builds(PriceBand, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, SPREADS), max_size=3).map(
            tuple
        ),
        st.dictionaries(
            st.sampled_from(["0301", "9999"]),
            st.builds(
                PlaceErrors,
                st.sampled_from([59.9, -90.0, nan]),
                st.sampled_from([10.7, 180.0]),
                COUNTS,
                SHARES,
                SHARES,
            ),
        ),
        st.just(1.1),
        st.lists(
            st.builds(
                Cell,
                st.sampled_from([1.0, 2e6, 1e15]),
                st.sampled_from([1.0, 3e6]),
                st.integers(1, 99),
            ),
            max_size=3,
        ).map(tuple),
    ),
    st.dictionaries(st.sampled_from(["size", "age"]), st.builds(Driver, AMOUNTS, SHARES)),
)


@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(evaluation=EVALUATIONS, beside=EVALUATIONS)
def test_whatever_was_measured_has_a_report(evaluation: Evaluation, beside: Evaluation) -> None:
    """A model that was trained is not lost to a picture."""
    comparison = Comparison(evaluation, beside, {"overall": {"mae": Interval(nan, 1e6)}})
    measured = Measured(evaluation, beside, comparison)
    judged = GatingPolicy().judge(Evidence(9_000, 900, measured))
    record = evolve(RECORD, evaluation=evaluation, baseline=beside, verdict=judged)
    page = report(record)
    assert list(wrong_numbers(page, stored(record))) == []
    assert page.stray == []
    for drawing in re.findall(r"<svg.*?</svg>", page.html, re.DOTALL):
        assert not re.search(r"\b(nan|inf|None)\b", drawing)


def test_reports_made_in_threads_at_once_are_the_same() -> None:
    """Equal runs write equal objects; matplotlib's settings are those of the whole process."""
    start, version = Barrier(4), evolve(VERSION, record=next(iter(RECORDS.values())))

    def make(_: int) -> str:
        start.wait()
        return html_report(version)

    with ThreadPoolExecutor(4) as pool:
        reports = {report for _ in range(5) for report in pool.map(make, range(4))}
    assert reports == {html_report(version)}


def test_what_comes_from_outside_is_escaped() -> None:
    record = evolve(
        RECORD,
        recipe=Recipe(MARKUP),
        champion=MARKUP,
        track=(evolve(TRACK[0], version=MARKUP),),
        evaluation=evolve(
            EVALUATION,
            by_realestate_type={MARKUP: HOUSES},
            by_municipality={MARKUP: HOUSES},
            by_price_fifth={MARKUP: HOUSES},
            by_reach={MARKUP: HOUSES},
            residuals=evolve(RESIDUALS, places={MARKUP: RESIDUALS.places["0301"]}),
            drivers={MARKUP: Driver(1.0, 1.0)},
        ),
        verdict=Verdict((Check(MARKUP, Outcome.FAILED, {MARKUP: MARKUP, "reason": MARKUP}),)),
        dataset=evolve(DATASET, funnel=Funnel((Stage(MARKUP, 2, 1, {MARKUP: 1}),))),
    )
    found = report(record)
    assert "script" not in found.tags
    assert found.text.count(MARKUP) > 12
    assert MARKUP in found.drawn["by-fifth"]


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(page: Page) -> None:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert ("content", policy) in page.attributes
    assert not page.tags & {"script", "link", "img", "iframe", "object", "foreignobject", "image"}
    assert "//" not in page.html
    assert "url(" not in page.html
    assert "@import" not in page.html
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "src", "xlink:href"):
            assert str(value).startswith("#")


def test_references_lead_to_elements_of_the_page(case: tuple[Page, TrainingRecord]) -> None:
    page, _ = case
    assert len(page.ids) == len(set(page.ids))
    for name, value in page.attributes:
        if name == "href":
            assert str(value)[1:] in page.ids
        if name == "aria-labelledby":
            assert set(str(value).split()) <= set(page.ids)


def test_every_picture_says_what_it_shows_and_has_a_table(page: Page) -> None:
    pictures = re.findall(r'<div role="img" aria-labelledby="(\S+)-title \1-finding">', page.html)
    assert sorted(pictures) == sorted(
        ["against", "by-fifth", "by-municipality", "by-reach", "by-type", "calibration", "change",
         "coverage", "drivers", "funnel", "map", "prices", "ratio-cod", "ratio-median_ratio",
         "ratio-prb", "ratio-prd", "track-errors", "track-held", "weeks"]
    )  # fmt: skip
    assert page.html.count("<svg") == len(pictures)
    for picture in pictures:
        found = re.search(rf'id="{picture}-finding">(.*?)</p>', page.html, re.DOTALL)
        assert found
        assert "<data" in found[1]
    region = r'<div class="[^"]*" tabindex="0" role="region" aria-label="[^"]+">'
    tables = re.findall(rf"{region}\s*<table", page.html)
    assert len(tables) == page.html.count("<table") == 11


def test_pictures_take_their_colours_from_the_page(page: Page) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", page.html, re.DOTALL))
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb", drawings.replace('href="#', ""))
    used = set(re.findall(r"var\((--[a-z]+)\)", page.html))
    light, dark = (set(re.findall(r"(--[a-z]+): #", part)) for part in _themes(page.html))
    assert used <= light == dark


def _themes(html: str) -> tuple[str, str]:
    light, _, rest = html.partition("@media screen and (prefers-color-scheme: dark)")
    return light, rest[: rest.index("box-sizing")]


def test_equal_versions_give_equal_bytes_whatever_is_set_here() -> None:
    """A version that was stored and read again has lost the order of its segments."""
    import matplotlib

    again = decode_manifest(VERSION.version, encode_manifest(VERSION, Seal()), Seal())
    assert list(again.record.evaluation.by_realestate_type) != list(EVALUATION.by_realestate_type)  # type: ignore[union-attr]
    first = html_report(VERSION)
    with matplotlib.rc_context({"font.size": 33, "svg.fonttype": "path", "xtick.major.pad": 30}):
        assert html_report(again) == first
        assert matplotlib.rcParams["font.size"] == 33


def test_it_is_small_with_all_there_can_be() -> None:
    places = {
        place.number: PlaceErrors(place.lat, place.lon, 31, 0.0123456789012345, 0.0876543210987654)
        for place in reference().current
    }
    cells = tuple(Cell(1e6 * 1.1**i, 1e6 * 1.1**j, i + j + 1) for i in range(15) for j in range(20))
    weeks = tuple(Week(date.fromordinal(740_000 + 7 * i), SPREAD) for i in range(53))
    full = evolve(RESIDUALS, places=places, cells=cells, by_week=weeks)
    record = evolve(RECORD, evaluation=evolve(EVALUATION, residuals=full), track=12 * TRACK)
    html = html_report(evolve(VERSION, record=record))
    assert len(html.encode()) < 600_000


def test_pictures_are_paid_for_by_who_draws_one() -> None:
    program = (
        "import sys, ree.adapters.version_objects, ree.adapters.report\n"
        "print([m for m in ('matplotlib', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
