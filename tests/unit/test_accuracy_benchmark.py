"""What benchmarks/accuracy.py compares and on which sales, on synthetic ones."""

from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ree.adapters.sandbox.csv_sales import RecordedSale
from ree.domain.dataset import COLUMNS, Dataset

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CUT = date(2026, 3, 1)

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="tests without the benchmarks")


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield


@pytest.fixture(scope="module")
def accuracy(importable: None) -> ModuleType:
    return import_module("accuracy")


@pytest.fixture(scope="module")
def replay(importable: None) -> ModuleType:
    return import_module("replay")


@pytest.fixture(scope="module")
def peers(importable: None) -> ModuleType:
    return import_module("peers")


@pytest.fixture(scope="module")
def scores(importable: None) -> ModuleType:
    return import_module("scores")


def sale(number: int, day: date, price: float | None = 4_000_000, **changes: Any) -> RecordedSale:
    home = {
        "realestate_type": "leilighet",
        "municipality_number": 301,
        "lat": 59.9,
        "lon": 10.7,
        "built_year": 1990,
        "total_area": 80.0 + number % 7,
        "bra": 70.0,
        "floor": 2,
        "bedrooms": 2,
    }
    known = {name: value for name, value in (home | changes).items() if value is not None}
    return RecordedSale(number, day, price, known)  # type: ignore[arg-type]


def market(replay: ModuleType, n: int = 400) -> Dataset:
    """Two sales a day, around the cut."""
    random = np.random.default_rng(5)
    days = [CUT + timedelta(days=(number - n // 2) // 2) for number in range(n)]
    prices = np.exp(random.normal(15.0, 0.3, n))
    made = [sale(number, days[number], float(price)) for number, price in enumerate(prices)]
    dataset = replay.columns(made)
    assert isinstance(dataset, Dataset)
    return dataset


def parted(sales: Dataset) -> tuple[Dataset, Dataset]:
    later = sales.columns["day"] >= CUT.toordinal()
    return sales.where(~later), sales.where(later)


def test_only_priced_sales_from_the_cut_on_are_valued(replay: ModuleType) -> None:
    sales = [sale(1, CUT - timedelta(days=1)), sale(2, CUT), sale(3, CUT, price=None)]

    later, accepted = replay.from_the_cut(sales, CUT)

    assert [each.property_id for each in later] == [2]
    assert accepted.tolist() == [True]


def test_what_a_row_rule_refuses_is_no_test_row(replay: ModuleType) -> None:
    sales = [sale(1, CUT), sale(2, CUT, floor=None), sale(3, CUT, built_year=None)]

    assert replay.from_the_cut(sales, CUT)[1].tolist() == [True, False, False]


def test_test_rows_have_the_columns_of_the_training_rows(replay: ModuleType) -> None:
    assert set(replay.columns([sale(1, CUT)]).columns) == set(COLUMNS)


def test_peers_see_the_fields_of_a_sale(replay: ModuleType, peers: ModuleType) -> None:
    [row] = peers.rows(replay.columns([sale(1, CUT)]))

    seen = dict(zip(peers.FIELDS, row, strict=True))
    assert (seen["age"], seen["month"], seen["municipality_number"]) == (36, 3, 301)
    assert seen["area_ratio"] == pytest.approx(81 / 70)
    assert np.isnan(seen["rooms"])
    assert "price" not in seen


def test_peers_refuse_a_training_row_that_is_as_new_as_a_test_row(
    replay: ModuleType, peers: ModuleType
) -> None:
    train, test = parted(market(replay))
    assert next(peers.peers(train, test, 0)).name == "naive"

    same_day = replay.columns([sale(1, CUT)])
    with pytest.raises(ValueError, match="not all before"):
        next(peers.peers(same_day, test, 0))


def test_prices_of_test_rows_change_no_estimate(replay: ModuleType, peers: ModuleType) -> None:
    train, test = parted(market(replay))
    other = Dataset({**test.columns, "price": test.columns["price"] * 3})

    for _, told, not_told in zip(
        range(2), peers.peers(train, test, 0), peers.peers(train, other, 0), strict=False
    ):
        assert np.array_equal(told.estimates, not_told.estimates)


def test_settings_are_judged_on_newer_days_than_they_are_fitted_to(
    replay: ModuleType, peers: ModuleType
) -> None:
    train, _ = parted(market(replay))

    early, late = peers.split(train)

    assert early.columns["day"].max() < late.columns["day"].min()
    assert len(early) + len(late) == len(train)
    assert len(late) / len(train) == pytest.approx(peers.JUDGING, abs=0.02)


def test_no_setting_is_begun_when_the_time_is_over(peers: ModuleType) -> None:
    assert list(peers.in_time("abc", -1)) == ["a"]
    assert list(peers.in_time("abc", 60)) == ["a", "b", "c"]


def test_peers_that_are_not_installed_are_said_in_a_line(
    accuracy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "not_installed", lambda: ["catboost"])
    monkeypatch.setattr("sys.argv", ["accuracy.py", "--data", "no.csv", "--cut", "2026-03-01"])

    with pytest.raises(SystemExit, match=r'^No catboost\. Run "make peers".*--no-peers\.$'):
        accuracy.main()


def test_scores_are_the_products(replay: ModuleType, scores: ModuleType) -> None:
    sales = replay.columns([sale(1, CUT, 1_000_000), sale(2, CUT, 2_000_000)])

    row = scores.score_row("ree", sales, np.array([1_100_000.0, 1_000_000.0]), 2.04)

    assert row == ("ree", "2", "550,000", "30.00 %", "36.67 %", "50.00 %", "2.0")


def test_the_ratio_of_equal_estimates_is_one(replay: ModuleType, scores: ModuleType) -> None:
    sales = market(replay)
    estimates = sales.columns["price"] * 1.1

    row = scores.ratio_row("itself", sales, estimates, estimates)

    assert row == ["itself", *("1.000", "1.000 to 1.000") * 2]


def test_the_bootstrap_is_paired(replay: ModuleType, scores: ModuleType) -> None:
    """Errors that vary a hundredfold, but one model's are always half of the other's."""
    sales = market(replay)
    price = sales.columns["price"]
    error = price * np.exp(np.random.default_rng(2).normal(-3.0, 1.5, len(price)))

    row = scores.ratio_row("twice as far", sales, price + error, price - 2 * error)

    assert row[1:] == ["0.500", "0.500 to 0.500"] * 2


def test_a_ratio_is_repeated_and_lies_in_its_interval(
    replay: ModuleType, scores: ModuleType
) -> None:
    sales = market(replay)
    random = np.random.default_rng(3)
    price = sales.columns["price"]
    ours, theirs = (price * np.exp(random.normal(0, s, len(price))) for s in (0.10, 0.12))

    row = scores.ratio_row("noisier", sales, ours, theirs)

    assert row == scores.ratio_row("noisier", sales, ours, theirs)
    low, high = map(float, row[2].split(" to "))
    assert low < float(row[1]) < high
    assert 0.02 < high - low < 0.4


HEADER = "property_id,estimated_price,lower,upper,price_per_sqm,fsd,confidence,model_version"


def test_answers_without_intervals_are_read(scores: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "estimates.csv"
    path.write_text("property_id,estimated_price,warnings,error\n1,100,,\n2,,,missing:lat\n")

    answers = scores.Answers.read(path)

    assert answers.estimated_price.tolist() == pytest.approx([100, np.nan], nan_ok=True)
    assert np.isnan(answers.lower).all()
    assert answers.error.tolist() == ["", "missing:lat"]


def test_groups_tell_coverage_width_and_warnings(
    replay: ModuleType, scores: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "estimates.csv"
    lines = [
        f"{HEADER},warnings,error",
        "1,1000000,900000,1100000,1,0.1,high,v,,",
        "2,1000000,500000,1500000,1,0.3,low,v,stale:valuation_date;near_edge:usable_area,",
    ]
    path.write_text("\n".join(lines) + "\n")
    sales = replay.columns([sale(1, CUT, 1_200_000), sale(2, CUT, 1_250_000)])

    rows = {row[0]: row[1:] for row in scores.group_rows(sales, scores.Answers.read(path))}

    assert rows["all"] == ("2", "225,000", "18.33 %", "50.00 %", "60.00 %")
    assert rows["leilighet"] == rows["all"]
    assert rows["confidence high"] == ("1", "200,000", "16.67 %", "0.00 %", "20.00 %")
    assert rows["near_edge"] == rows["any warning"] == rows["confidence low"]
    assert rows["no warning"] == rows["not near_edge"] == rows["confidence high"]
    assert "enebolig" not in rows


def test_refused_homes_that_no_row_rule_refuses_are_known(
    replay: ModuleType, scores: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "estimates.csv"
    path.write_text("estimated_price,error\n100,\n,missing:lat\n,out_of_domain:usable_area\n")
    accepted = np.array([True, False, True])

    estimated, refused = replay.parted(accepted, scores.Answers.read(path))

    assert estimated.tolist() == [True, False, False]
    assert refused.tolist() == [False, False, True]
