"""Periods, days in Oslo, and which turnovers can be used."""

import time
from datetime import date

import pytest
from attrs import evolve

from ree.domain.errors import InvalidPeriod
from ree.domain.turnover import Period, Turnover, UnitSale, add_months, normalise

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
NOON = "2026-01-17T12:00:00Z"


def turnover(
    *ids: int, price: float | None = 4_000_000, turnover_date: str | None = NOON
) -> Turnover:
    return Turnover(ids, price, turnover_date)


def test_a_period_ends_no_earlier_than_it_starts() -> None:
    day = date(2026, 1, 2)
    assert str(Period(day, day)) == "2026-01-02_2026-01-02"
    with pytest.raises(InvalidPeriod, match=r"^The period ends \(2026-01-01\) before it starts"):
        Period(day, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [
        ("2026-01-01", "2026-01-31", True),
        ("2024-02-01", "2024-02-29", True),
        ("2024-02-01", "2024-02-28", False),
        ("2026-12-01", "2026-12-31", True),
        ("2026-01-02", "2026-01-31", False),
        ("2026-01-15", "2026-02-14", False),
        ("2026-01-01", "2026-02-28", False),
    ],
)
def test_a_calendar_month_is_one_month_and_all_of_it(start: str, end: str, whole: bool) -> None:
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert period.is_calendar_month is whole


def test_periods_sort_by_their_start() -> None:
    later = Period(date(2026, 1, 2), date(2026, 1, 2))
    assert sorted([later, JANUARY]) == [JANUARY, later]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2026-01-17", "2026-01-17", ["2026-01-17_2026-01-17"]),
        ("2026-01-31", "2026-02-01", ["2026-01-31_2026-01-31", "2026-02-01_2026-02-01"]),
        (
            "2023-12-05",
            "2024-02-29",
            ["2023-12-05_2023-12-31", "2024-01-01_2024-01-31", "2024-02-01_2024-02-29"],
        ),
        ("9999-12-01", "9999-12-31", ["9999-12-01_9999-12-31"]),
    ],
)
def test_months_are_clipped_to_the_period(start: str, end: str, months: list[str]) -> None:
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    assert [str(month) for month in period.months()] == months


@pytest.mark.parametrize(
    ("day", "inside"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-01-31", True), ("2026-02-01", False)],
)
def test_both_ends_of_a_period_belong_to_it(day: str, inside: bool) -> None:
    assert (date.fromisoformat(day) in JANUARY) is inside


@pytest.mark.parametrize(
    ("months", "end", "start"),
    [
        (1, "2026-01-17", "2026-01-01"),
        (2, "2026-01-31", "2025-12-01"),
        (12, "2026-03-31", "2025-04-01"),
        (13, "2026-12-31", "2025-12-01"),
        (1, "0001-01-31", "0001-01-01"),
    ],
)
def test_a_window_is_whole_months_that_end_with_the_end(months: int, end: str, start: str) -> None:
    last = date.fromisoformat(end)
    assert Period.of_months(months, last) == Period(date.fromisoformat(start), last)


@pytest.mark.parametrize(
    ("months", "message"),
    [
        (0, "A window has at least one month, not 0."),
        (14, "A window of 14 months before 0002-01-31 starts before year 1."),
    ],
)
def test_a_window_must_be_possible(months: int, message: str) -> None:
    with pytest.raises(InvalidPeriod) as refusal:
        Period.of_months(months, date(2, 1, 31))
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2026-01-31", 0, "2026-01-31"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-11-15", 1, "2026-12-15"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-08-31", 18, "2028-02-29"),
        ("2026-01-15", -1, "2025-12-15"),
    ],
)
def test_months_are_added_by_the_calendar(day: str, months: int, later: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-01-17T07:12:09.978Z", "2026-01-17"),
        ("2026-01-17T22:59:59Z", "2026-01-17"),
        ("2026-01-17T23:00:00Z", "2026-01-18"),
        ("2026-07-17T21:59:59.999999Z", "2026-07-17"),
        ("2026-07-17T22:00:00.0Z", "2026-07-18"),
        ("2026-03-28T22:59:59Z", "2026-03-28"),
        ("2026-03-29T21:59:59Z", "2026-03-29"),
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),
        ("2025-12-31T22:59:59Z", "2025-12-31"),
        ("2025-12-31T23:00:00Z", "2026-01-01"),
    ],
)
def test_the_day_is_the_day_in_oslo(moment: str, day: str) -> None:
    assert turnover(1, turnover_date=moment).day == date.fromisoformat(day)


def test_the_day_does_not_depend_on_where_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XXX-12")
        time.tzset()
        day = turnover(1, turnover_date="2026-01-17T23:00:00Z").day
    time.tzset()
    assert day == date(2026, 1, 18)


@pytest.mark.parametrize(
    "moment",
    [
        None,
        "",
        "2026-01-17",
        "2026-01-17T07:12:09",
        "2026-01-17T07:12:09+00:00",
        "2026-01-17 07:12:09Z",
        "2026-01-17T07:12Z",
        "2026-01-17T07:12:09.Z",
        "2026-01-17T07:12:09.1234567Z",
        "2026-01-17T07:12:09Z\n",
        " 2026-01-17T07:12:09Z",
        "2026-01-17t07:12:09z",
        "٢٠٢٦-01-17T07:12:09Z",
        "2026-02-29T07:12:09Z",
        "2026-01-17T24:00:01Z",
        "2026-01-17T07:12:60Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_not_a_moment_in_utc_has_no_day(moment: str | None) -> None:
    assert turnover(1, turnover_date=moment).day is None


def test_the_order_of_the_units_does_not_make_another_turnover() -> None:
    assert turnover(2, 1).identity == turnover(1, 2).identity


@pytest.mark.parametrize(
    "other",
    [
        turnover(1, 3),
        turnover(1, 2, price=4_000_001),
        turnover(1, 2, turnover_date="2026-01-17T12:00:00.000Z"),
    ],
)
def test_units_price_and_moment_as_sent_make_a_turnover(other: Turnover) -> None:
    assert turnover(1, 2).identity != other.identity


def test_a_turnover_of_one_unit_with_a_price_is_kept() -> None:
    sales, stage = normalise([turnover(7), turnover(5, price=1)], JANUARY)
    assert sales == (
        UnitSale(7, 4_000_000, NOON, date(2026, 1, 17)),
        UnitSale(5, 1, NOON, date(2026, 1, 17)),
    )
    assert (stage.name, stage.incoming, stage.outgoing) == ("normalise", 2, 2)
    assert stage.dropped == {}


WRONG_IN_EVERY_WAY = {
    "invalid:turnover_date": turnover(1, 2, price=0, turnover_date="yesterday"),
    "outside_period": turnover(1, 2, price=0, turnover_date="2026-02-01T12:00:00Z"),
    "multi_unit": turnover(1, 2, price=0),
    "invalid:price": turnover(1, price=0),
}


@pytest.mark.parametrize(("reason", "bad"), WRONG_IN_EVERY_WAY.items())
def test_a_turnover_counts_under_the_first_reason(reason: str, bad: Turnover) -> None:
    sales, stage = normalise([bad], JANUARY)
    assert (sales, stage.dropped) == ((), {reason: 1})
    other = evolve(bad, cadastral_unit_ids=(*bad.cadastral_unit_ids[:-1], 9))
    assert normalise([bad, other], JANUARY)[1].dropped == {reason: 2}


@pytest.mark.parametrize("bad", WRONG_IN_EVERY_WAY.values())
def test_seen_twice_comes_before_every_other_reason(bad: Turnover) -> None:
    _, stage = normalise([bad, turnover(9), bad, bad], JANUARY)
    assert (stage.incoming, stage.outgoing) == (4, 1)
    assert stage.dropped["duplicate_turnover"] == 2
    assert sum(stage.dropped.values()) == 3


@pytest.mark.parametrize("price", [None, 0, -0.0, -1, float("nan"), float("inf"), float("-inf")])
def test_a_price_is_above_0_and_finite(price: float | None) -> None:
    assert normalise([turnover(1, price=price)], JANUARY)[1].dropped == {"invalid:price": 1}


def test_a_turnover_without_a_unit_is_not_of_one_unit() -> None:
    assert normalise([turnover()], JANUARY)[1].dropped == {"multi_unit": 1}


@pytest.mark.parametrize(
    ("months", "day", "start", "end"),
    [
        (1, "2026-03-01", "2026-02-01", "2026-02-28"),
        (1, "2026-02-28", "2026-01-01", "2026-01-31"),
        (12, "2026-01-31", "2025-01-01", "2025-12-31"),
        (12, "2025-12-31", "2024-12-01", "2025-11-30"),
        (2, "2024-03-31", "2024-01-01", "2024-02-29"),
    ],
)
def test_a_window_ends_with_the_last_month_that_is_over(
    months: int, day: str, start: str, end: str
) -> None:
    window = Period.of_months_before(months, date.fromisoformat(day))
    assert window == Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("months", "day"), [(1, "0001-01-31"), (1, "0001-01-01"), (2, "0001-02-28")]
)
def test_no_month_is_over_before_the_first(months: int, day: str) -> None:
    with pytest.raises(InvalidPeriod):
        Period.of_months_before(months, date.fromisoformat(day))


def test_a_hundred_years_are_the_longest_period() -> None:
    Period(date(1926, 2, 1), date(2026, 1, 31)).check_length()
    with pytest.raises(InvalidPeriod, match="1201 months; at most 1200"):
        Period(date(1926, 1, 31), date(2026, 1, 1)).check_length()
