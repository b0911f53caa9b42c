from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.adapters.sandbox.replay import ReplayedMarket

HEADER = (
    "property_id,turnover_date,price,realestate_type,municipality_number,lat,lon,"
    "built_year,total_area,bra,floor,bedrooms,rooms"
)
HOUSE = "11,2026-01-31,4500000,enebolig,0301,59.9,10.7,1987,512.5,140,,4,6"
FLAT = "12,2026-01-01,3900000,leilighet,301,59.91,10.74,,0,62.0,3,,"
HOUSE_AGAIN = "11,2026-03-29,5000000,enebolig,0301,59.9,10.7,1987,512.5,155,,4,6"
ALWAYS = (date.min, date.max)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sales.csv"


def replay(file: Path, *lines: str) -> ReplayedMarket:
    file.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return ReplayedMarket.from_csv(file)


def test_a_row_is_a_turnover_of_one_unit_with_one_property(file: Path) -> None:
    market = replay(file, HOUSE)

    (turnover,) = market.turnovers(*ALWAYS)
    (unit_id,) = turnover["attributes"]["cadastral_unit_ids"]
    assert turnover["attributes"]["price"] == 4_500_000
    assert market.units([unit_id])[unit_id]["property_ids"] == [11]
    assert market.properties([11])[11] == {
        "realestate_type": "enebolig",
        "municipality_number": 301,
        "lat": 59.9,
        "lon": 10.7,
        "built_year": 1987,
        "total_area": 512.5,
        "bra": 140,
        "bedrooms": 4,
        "rooms": 6,
    }


def test_empty_fields_are_absent(file: Path) -> None:
    home = replay(file, FLAT).properties([12])[12]

    assert home.keys().isdisjoint({"built_year", "bedrooms", "rooms"})
    assert home["total_area"] == 0


def test_an_unknown_price_is_absent(file: Path) -> None:
    (turnover,) = replay(file, FLAT.replace("3900000", "")).turnovers(*ALWAYS)

    assert "price" not in turnover["attributes"]


def test_a_property_sold_twice_keeps_its_ids_and_its_newest_facts(file: Path) -> None:
    market = replay(file, HOUSE_AGAIN, FLAT, HOUSE)

    units = [sale["attributes"]["cadastral_unit_ids"] for sale in market.turnovers(*ALWAYS)]
    flat, house, again = units
    assert house == again != flat
    assert market.properties([11])[11]["bra"] == 155


def test_only_the_days_asked_for_are_sent_in_their_order(file: Path) -> None:
    market = replay(file, HOUSE_AGAIN, FLAT, HOUSE)

    january = market.turnovers(date(2026, 1, 1), date(2026, 1, 31))
    assert [sale["attributes"]["price"] for sale in january] == [3_900_000, 4_500_000]
    assert market.turnovers(date(2026, 2, 1), date(2026, 2, 28)) == []


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)))
def test_the_day_in_oslo_is_the_day_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, day: date
) -> None:
    file = tmp_path_factory.mktemp("replay") / "sales.csv"
    (sale,) = replay(file, HOUSE.replace("2026-01-31", day.isoformat())).turnovers(*ALWAYS)

    instant = datetime.fromisoformat(sale["attributes"]["turnover_date"])
    assert instant.astimezone(ZoneInfo("Europe/Oslo")).date() == day
    assert instant.utcoffset() == timedelta(0)


def test_equal_rows_are_different_turnovers(file: Path) -> None:
    first, second = replay(file, HOUSE, HOUSE).turnovers(*ALWAYS)

    assert first != second


def test_unknown_ids_are_absent(file: Path) -> None:
    market = replay(file, HOUSE)

    assert market.units([0, 11]) == {}
    assert market.properties([0]) == {}


def test_further_columns_a_byte_order_mark_and_whole_floats_are_fine(file: Path) -> None:
    file.write_text(
        f"{HEADER},agent\n{HOUSE.replace('1987', '1987.0')},someone\n", encoding="utf-8-sig"
    )

    assert ReplayedMarket.from_csv(file).properties([11])[11]["built_year"] == 1987


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (HOUSE.replace("11,", "abc,", 1), "property_id", "a whole number, not 'abc'"),
        (HOUSE.replace("11,", ",", 1), "property_id", "it is empty"),
        (HOUSE.replace("2026-01-31", "31.01.2026"), "turnover_date", "a date like 2026-01-31"),
        (HOUSE.replace("4500000", "4 500 000"), "price", "a number, not '4 500 000'"),
        (HOUSE.replace("59.9", "nan"), "lat", "a number, not 'nan'"),
        (HOUSE.replace("1987", "1987.5"), "built_year", "a whole number"),
        (HOUSE.replace("1987", "1e999"), "built_year", "a whole number"),
        (HOUSE.rsplit(",", 1)[0], "rooms", "the row ends before it"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(
    file: Path, row: str, column: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"line 3, column {column}: ") as error:
        replay(file, FLAT, row)

    assert str(file) in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("content", ["", "property_id,turnover_date,price\n1,2026-01-01,1\n"])
def test_missing_columns_are_named(file: Path, content: str) -> None:
    file.write_text(content)

    with pytest.raises(ValueError, match=r"line 1: missing column .*bra.*; expected property_id,"):
        ReplayedMarket.from_csv(file)


def test_a_file_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes(HEADER.encode() + b"\n\xff\xfe\n")

    with pytest.raises(ValueError, match="expected UTF-8 text"):
        ReplayedMarket.from_csv(file)
