import hashlib
import os
import subprocess
import sys
from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from statistics import median
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ree.adapters.sandbox.market import Market, PropertyRecord, TurnoverAttributes
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.sandbox.towns import towns

OSLO = ZoneInfo("Europe/Oslo")
JANUARY = (date(2026, 1, 1), date(2026, 1, 31))
TYPES = {"enebolig", "tomannsbolig", "rekkehus", "leilighet", "hytte"}

Row = tuple[int, date, float, PropertyRecord]


def sent(market: Market, start: date, end: date) -> list[TurnoverAttributes]:
    found = [record["attributes"] for record in market.turnovers(start, end)]
    return [turnover for turnover in found if turnover["price"] >= 1000]


def reasons_and_rows(market: Market, start: date, end: date) -> tuple[Counter[str], list[Row]]:
    """The funnel once more, one turnover at a time."""
    seen: set[tuple[object, ...]] = set()
    reasons: Counter[str] = Counter()
    rows: list[Row] = []
    for turnover in sent(market, start, end):
        ids = sorted(turnover["cadastral_unit_ids"])
        identity = (*ids, turnover["price"], turnover["turnover_date"])
        reason, row = _place(market, turnover, ids, start, end)
        reason = "duplicate_turnover" if identity in seen else reason
        seen.add(identity)
        reasons[reason] += 1
        if reason == "trainable" and row is not None:
            rows.append(row)
    return reasons, rows


def _place(
    market: Market, turnover: TurnoverAttributes, ids: list[int], start: date, end: date
) -> tuple[str, Row | None]:
    try:
        day = datetime.fromisoformat(turnover["turnover_date"]).astimezone(OSLO).date()
    except ValueError:
        return "invalid:turnover_date", None
    if not start <= day <= end:
        return "outside_period", None
    if len(ids) != 1:
        return "multi_unit", None
    unit = market.units(ids).get(ids[0])
    if unit is None:
        return "unmatched:unit", None
    if len(unit["property_ids"]) != 1:
        return "multi_property", None
    (property_id,) = unit["property_ids"]
    home = market.properties([property_id]).get(property_id)
    if home is None:
        return "unmatched:property", None
    return _refusal(home, turnover["price"], day), (property_id, day, turnover["price"], home)


def _refusal(home: PropertyRecord, price: float, day: date) -> str:
    if not home.keys() >= {"lat", "lon", "total_area", "bra", "municipality_number", "built_year"}:
        return "missing"
    if home["realestate_type"] == "leilighet" and "floor" not in home:
        return "missing:floor_for_leilighet"
    if home["realestate_type"] not in TYPES:
        return "unsupported:realestate_type"
    if not 1600 <= home["built_year"] <= day.year + 2 or not 5 <= home["bra"] <= 5000:
        return "unexpected"
    if not 5 <= home["total_area"] <= 1_000_000:
        return "invalid:total_area"
    if home["total_area"] < home["bra"]:
        return "invalid:total_area_lt_bra"
    if not 1000 <= price / home["bra"] <= 1_000_000:
        return "outlier:price_per_sqm"
    return "trainable"


@pytest.mark.parametrize("seed", [2026, 0, 1, 7, 12345])
def test_funnel_of_january_2026_is_that_of_the_real_register(seed: int) -> None:
    reasons, _ = reasons_and_rows(SimulatedMarket(seed=seed), *JANUARY)

    def near(count: float) -> object:
        return pytest.approx(count, rel=0.15)

    early = ["duplicate_turnover", "invalid:turnover_date", "outside_period", "multi_unit"]
    raw = reasons.total()
    normalised = raw - sum(reasons[reason] for reason in early)
    one_property = normalised - reasons["unmatched:unit"] - reasons["multi_property"]
    with_parameters = one_property - reasons["unmatched:property"]
    assert raw == near(6559)
    assert raw - normalised == near(380)
    assert normalised == near(6179)
    assert one_property == near(2900)
    assert reasons["unmatched:property"] == near(441)
    assert with_parameters == near(2459)
    assert reasons["invalid:total_area"] == near(191)
    assert reasons["invalid:total_area_lt_bra"] == near(49)
    assert reasons["trainable"] == near(2219)
    assert all(reasons[reason] for reason in early)
    others = with_parameters - reasons["trainable"] - reasons["invalid:total_area"]
    assert others - reasons["invalid:total_area_lt_bra"] <= 10
    assert not reasons["unexpected"]


def test_turnovers_without_a_real_price_are_there_for_those_who_ask() -> None:
    prices = [sale["attributes"]["price"] for sale in SimulatedMarket().turnovers(*JANUARY)]

    assert 0 < sum(price < 1000 for price in prices) < 20


@pytest.mark.parametrize("size", [1, 2, 30, 200, 1200])
@pytest.mark.parametrize("month", [(2015, 1), (2024, 2), (2025, 12), (2035, 7)])
def test_every_month_has_the_size_asked_for(size: int, month: tuple[int, int]) -> None:
    start = date(*month, 1)

    turnovers = sent(
        SimulatedMarket(turnovers_per_month=size), start, date(*month, monthrange(*month)[1])
    )

    assert len(turnovers) == size


def test_faults_of_a_small_market_are_proportional_over_a_year() -> None:
    market = SimulatedMarket(turnovers_per_month=200)
    reasons: Counter[str] = Counter()
    for month in range(1, 13):
        last = monthrange(2025, month)[1]
        reasons += reasons_and_rows(market, date(2025, month, 1), date(2025, month, last))[0]

    assert reasons.total() == 2400
    assert reasons["trainable"] == pytest.approx(2400 * 2219 / 6559, rel=0.03)
    assert reasons["invalid:total_area_lt_bra"] == pytest.approx(2400 * 49 / 6559, abs=1)
    assert reasons["outside_period"] == pytest.approx(2400 * 20 / 6559, abs=1)


def digest(seed: int, months: Sequence[int]) -> dict[int, str]:
    market = SimulatedMarket(seed=seed, turnovers_per_month=300)
    return {month: _digest(market, month) for month in months}


def _digest(market: Market, month: int) -> str:
    turnovers = market.turnovers(date(2025, month, 1), date(2025, month, 28))
    unit_ids = [i for sale in turnovers for i in sale["attributes"]["cadastral_unit_ids"]]
    units = market.units(unit_ids)
    properties = market.properties(i for unit in units.values() for i in unit["property_ids"])
    return hashlib.sha256(msgspec.json.encode([turnovers, units, properties])).hexdigest()


def test_same_seed_gives_the_same_bytes_in_any_order_of_requests() -> None:
    assert digest(5, [3, 7, 8]) == digest(5, [8, 3, 7])


def test_units_can_be_asked_for_before_the_turnovers_that_name_them() -> None:
    unit_ids = [
        i for turnover in sent(SimulatedMarket(), *JANUARY) for i in turnover["cadastral_unit_ids"]
    ]
    asked_first = SimulatedMarket().units(unit_ids)

    assert asked_first == SimulatedMarket().units(unit_ids)
    assert len(asked_first) > 3000


_ELSEWHERE = """
import hashlib, msgspec
from datetime import date
from ree.adapters.sandbox.simulator import SimulatedMarket
from ree.adapters.sandbox.towns import towns
market = SimulatedMarket(seed=5, turnovers_per_month=300)
sales = market.turnovers(date(2025, 3, 1), date(2025, 4, 30))
print(hashlib.sha256(msgspec.json.encode(sales)).hexdigest())
"""


def test_same_seed_gives_the_same_bytes_in_another_process() -> None:
    here = SimulatedMarket(seed=5, turnovers_per_month=300)
    turnovers = here.turnovers(date(2025, 3, 1), date(2025, 4, 30))

    there = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert there.stdout.strip() == hashlib.sha256(msgspec.json.encode(turnovers)).hexdigest()


def test_another_seed_is_another_market() -> None:
    assert digest(5, [3]) != digest(6, [3])


def test_a_period_is_cut_at_utc_days_and_joins_months() -> None:
    market = SimulatedMarket(turnovers_per_month=300)
    whole = market.turnovers(date(2025, 3, 1), date(2025, 4, 30))
    days = [
        market.turnovers(day, day)
        for day in (date(2025, 3, 1) + timedelta(days=i) for i in range(61))
    ]

    assert [sale for day in days for sale in day] != []
    assert Counter(map(msgspec.json.encode, whole)) == Counter(
        msgspec.json.encode(sale) for day in days for sale in day
    )


def test_turnovers_late_on_the_last_utc_day_are_of_the_next_day_in_oslo() -> None:
    late = [
        stamp
        for stamp in instants(sent(SimulatedMarket(), *JANUARY))
        if stamp.astimezone(OSLO).date() > JANUARY[1]
    ]

    assert late
    assert {stamp.astimezone(UTC).date() for stamp in late} == {JANUARY[1]}


def test_some_dates_are_sent_without_a_fraction_of_the_second() -> None:
    stamps = [turnover["turnover_date"] for turnover in sent(SimulatedMarket(), *JANUARY)]
    without = sum(stamp.endswith("Z") and "." not in stamp for stamp in stamps)

    assert 0.04 < without / len(stamps) < 0.15


def instants(turnovers: list[TurnoverAttributes]) -> Iterator[datetime]:
    for turnover in turnovers:
        try:
            yield datetime.fromisoformat(turnover["turnover_date"])
        except ValueError:
            continue


def test_copies_can_stand_on_another_page_than_what_they_copy() -> None:
    positions: dict[tuple[object, ...], list[int]] = {}
    for position, turnover in enumerate(sent(SimulatedMarket(), *JANUARY)):
        ids = sorted(turnover["cadastral_unit_ids"])
        key = (*ids, turnover["price"], turnover["turnover_date"])
        positions.setdefault(key, []).append(position // 100)

    assert any(len(set(pages)) > 1 for pages in positions.values())


def test_about_one_sale_in_a_hundred_is_a_resale_at_a_plausible_price() -> None:
    market = SimulatedMarket(turnovers_per_month=3000)
    rows: list[Row] = []
    for month in range(1, 13):
        last = monthrange(2025, month)[1]
        rows += reasons_and_rows(market, date(2025, month, 1), date(2025, month, last))[1]
    by_home = groupby(sorted(rows, key=lambda row: (row[0], row[1])), key=lambda row: row[0])
    prices = [[row[2] for row in sales] for _, sales in by_home]
    twice = [sales for sales in prices if len(sales) > 1]

    assert 0.002 < len(twice) / len(rows) < 0.015
    assert all(0.4 < sales[-1] / sales[0] < 2.5 for sales in twice)
    assert 0.9 < median(sales[-1] / sales[0] for sales in twice) < 1.15


def test_prices_are_norwegian_ones() -> None:
    _, rows = reasons_and_rows(SimulatedMarket(), *JANUARY)

    per_sqm = {
        number: median(price / home["bra"] for _, _, price, home in rows if home_in(home, number))
        for number in (301, 3403)
    }
    assert 3_800_000 < median(price for _, _, price, _ in rows) < 4_600_000
    assert per_sqm[301] > 1.5 * per_sqm[3403]
    assert {home["realestate_type"] for _, _, _, home in rows} == TYPES


def home_in(home: PropertyRecord, municipality_number: int) -> bool:
    return home["municipality_number"] == municipality_number


def test_the_market_rises_by_about_four_percent_a_year() -> None:
    market = SimulatedMarket()

    def price_of(year: int) -> float:
        rows = reasons_and_rows(market, date(year, 5, 1), date(year, 5, 31))[1]
        return median(price for _, _, price, _ in rows)

    assert (price_of(2034) / price_of(2016)) ** (1 / 18) == pytest.approx(1.04, abs=0.006)


def test_ids_that_no_home_has_are_absent() -> None:
    nowhere = [-1, 0, 399_999_999, 400_199_999, 999_999_999, 2**40]

    assert SimulatedMarket().units(nowhere) == {}
    assert SimulatedMarket().properties(nowhere) == {}


def test_a_period_before_or_after_the_simulated_years_is_empty() -> None:
    assert SimulatedMarket().turnovers(date(1999, 1, 1), date(2010, 12, 31)) == []
    assert SimulatedMarket().turnovers(date(2040, 1, 1), date(2050, 12, 31)) == []


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"turnovers_per_month": 0}])
def test_a_market_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SimulatedMarket(**wrong)


def test_homes_stand_in_real_municipalities() -> None:
    numbers = {int(town.number) for town in towns()}
    _, rows = reasons_and_rows(SimulatedMarket(), *JANUARY)

    assert len(towns()) == 357
    assert {home["municipality_number"] for _, _, _, home in rows} <= numbers
    assert all(town.price_per_sqm % 500 == 0 for town in towns())
