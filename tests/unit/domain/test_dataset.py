"""From sales to the rows a model is trained on."""

from datetime import UTC, date, datetime
from math import nan

import numpy as np
import pytest
from attrs import evolve

from ree.domain.dataset import (
    COLUMNS,
    Dataset,
    DatasetManifest,
    MonthSnapshot,
    Sale,
    counts,
    holdout_start,
    match,
    newest_sales,
    trainable,
)
from ree.domain.funnel import Funnel, Stage
from ree.domain.property import Property
from ree.domain.turnover import Period, Unit, UnitSale

HOME = Property("enebolig", 301, 59.9, 10.7, 1990, 200, 150)
DAY = date(2026, 1, 17)
SALE = Sale(1, 11, "2026-01-17T12:00:00Z", DAY, 5_000_000, HOME)


def dataset(*rows: dict[str, float]) -> Dataset:
    base = HOME.values(year=2026, price=5_000_000) | {"property_id": 1, "day": DAY.toordinal()}
    return Dataset({name: np.array([(base | row)[name] for row in rows]) for name in COLUMNS})


def test_the_newest_sale_of_a_property_is_kept() -> None:
    old = evolve(SALE, day=date(2026, 1, 16), price=9_000_000)
    for sales in ([SALE, old], [old, SALE]):
        kept, stage = newest_sales(sales)
        assert kept == (SALE,)
        assert stage == Stage("merge", 2, 1, {"resale_within_window": 1})


@pytest.mark.parametrize(
    "newer",
    [
        evolve(SALE, turnover_date="2026-01-17T12:00:01Z", price=1),
        evolve(SALE, turnover_date="2026-01-17T12:00:00.978Z", price=1),
        evolve(SALE, price=6e6),
        evolve(SALE, cadastral_unit_id=12),
    ],
)
def test_on_one_day_the_moment_decides_and_then_the_price(newer: Sale) -> None:
    for sales in ([SALE, newer], [newer, SALE]):
        assert newest_sales(sales)[0] == (newer,)


def test_sales_are_in_order_of_day_and_property() -> None:
    early = evolve(SALE, property_id=3, day=date(2026, 1, 16))
    second = evolve(SALE, property_id=2)
    kept, stage = newest_sales([second, SALE, early])
    assert kept == (early, SALE, second)
    assert stage == Stage("merge", 3, 3, {})


UNITS = {11: Unit("0301-1/1/0/0", (1,)), 12: Unit("", (2, 3)), 13: Unit("", ()), 14: Unit("", (4,))}


def unit_sale(unit: int) -> UnitSale:
    return UnitSale(unit, 5_000_000, "2026-01-17T12:00:00Z", DAY)


def test_a_sale_is_matched_with_the_property_on_its_unit() -> None:
    sales, stages = match([unit_sale(11)], UNITS, {1: HOME})
    assert sales == (SALE,)
    assert stages == (Stage("match_unit", 1, 1), Stage("match_property", 1, 1))


@pytest.mark.parametrize(
    ("unit", "reason", "stage"),
    [
        (10, "unmatched:unit", 0),
        (13, "unmatched:unit", 0),
        (12, "multi_property", 0),
        (14, "unmatched:property", 1),
    ],
)
def test_an_unmatched_sale_is_counted(unit: int, reason: str, stage: int) -> None:
    sales, stages = match([unit_sale(unit), unit_sale(11), unit_sale(unit)], UNITS, {1: HOME})
    assert sales == (SALE,)
    assert stages[stage].dropped == {reason: 2}
    assert [Funnel(stages).stages[0].incoming, stages[1].outgoing] == [3, 1]


def test_rows_that_a_rule_refuses_are_left_out() -> None:
    rows = dataset({}, {"rooms": 201}, {"lat": nan, "property_id": 2}, {"property_id": 3})
    kept, stage = trainable(rows)
    assert kept.columns["property_id"].tolist() == [1, 3]
    assert stage == Stage("validate", 4, 2, {"missing:lat": 1, "invalid:rooms": 1})


def test_a_dataset_knows_its_size_and_its_newest_day() -> None:
    rows = dataset({}, {"day": DAY.toordinal() - 1})
    assert (len(rows), rows.newest) == (2, DAY)
    assert (len(dataset()), dataset().newest) == (0, None)


def test_a_part_of_a_dataset_has_every_column() -> None:
    rows = dataset({}, {"rooms": 3}, {"rooms": 4})
    part = rows.where(rows.columns["rooms"] >= 3)
    assert set(part.columns) == set(COLUMNS)
    assert part.columns["rooms"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("start", "end", "first"),
    [
        ("2026-01-01", "2026-03-31", "2026-03-01"),
        ("2026-01-15", "2026-04-14", "2026-04-01"),
        ("2025-04-01", "2026-03-31", "2026-03-01"),
    ],
)
def test_the_holdout_is_the_last_month_of_three_or_more(start: str, end: str, first: str) -> None:
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert holdout_start([], period) == date.fromisoformat(first).toordinal()


@pytest.mark.parametrize(
    ("days", "first"),
    [
        ([7], 7),
        ([5, 4, 3, 2, 1], 5),
        ([10, 1, 2, 3, 4, 5, 6, 7, 8, 9], 9),
        ([1, 2, 3, 9, 9, 9, 9, 9, 9, 9], 9),
        ([1, 1, 1, 1, 1, 1], 1),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], 8),
    ],
)
def test_the_holdout_of_a_short_period_is_the_newest_fifth(days: list[int], first: int) -> None:
    two_months = Period(date(2026, 1, 1), date(2026, 2, 28))
    assert holdout_start(days, two_months) == first
    assert isinstance(holdout_start(np.array(days).tolist(), two_months), int)


def test_a_day_short_of_three_months_is_a_short_period() -> None:
    period = Period(date(2026, 1, 1), date(2026, 3, 30))
    assert holdout_start([1, 2, 3, 4, 5], period) == 5


def test_a_day_is_never_split() -> None:
    days = np.array([1, 2, 5, 5, 5, 5, 5, 5])
    late = days >= holdout_start(list(days), Period(DAY, DAY))
    assert not set(days[late]) & set(days[~late])
    assert days[late].size >= days.size / 5


FUNNEL = Funnel(
    (
        Stage("normalise", 100, 90, {"multi_unit": 10}),
        Stage("match_unit", 90, 80, {"multi_property": 10}),
        Stage("match_property", 80, 75, {"unmatched:property": 5}),
        Stage("merge", 75, 70, {"resale_within_window": 5}),
        Stage("validate", 70, 60, {"invalid:rooms": 10}),
    )
)
SPAN = Period(DAY, DAY)
MONTH = MonthSnapshot("m", SPAN, datetime(2026, 2, 1, tzinfo=UTC), "digest", FUNNEL, 88, 74)


@pytest.mark.parametrize(
    "manifest", [MONTH, DatasetManifest("d", SPAN, "digest", FUNNEL, 88, 74, (MONTH,))]
)
def test_the_counts_of_a_manifest(manifest: MonthSnapshot | DatasetManifest) -> None:
    assert counts(manifest) == {
        "turnovers_raw": 100,
        "turnovers_normalized": 90,
        "cadastral_unit_ids": 88,
        "properties_matched": 74,
        "rows_raw": 75,
        "rows_trainable": 60,
    }


def test_a_month_was_fetched_up_to_its_matched_rows() -> None:
    assert MONTH.fetched == Funnel(FUNNEL.stages[:3])
