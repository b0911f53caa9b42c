"""The reference table adds up, and knows what became of every number."""

import re
from datetime import date
from pathlib import Path

import pytest

from ree.adapters.municipalities import reference
from ree.adapters.sandbox.towns import towns
from ree.domain.municipality import FormerMunicipality, Municipality

REFORM_2020, REFORM_2024 = date(2020, 1, 1), date(2024, 1, 1)
END_2019, END_2023 = date(2019, 12, 31), date(2023, 12, 31)
REFERENCE = reference()
EVERY: tuple[Municipality | FormerMunicipality, ...] = (*REFERENCE.current, *REFERENCE.former)
CURRENT = {one.number: one for one in REFERENCE.current}
FORMER = {one.number: one for one in REFERENCE.former}


def in_force(day: date) -> set[str]:
    """The numbers of a day in 2019 or later."""
    return {
        one.number
        for one in EVERY
        if (one.valid_from is None or one.valid_from <= day)
        and day <= getattr(one, "valid_until", day)
    }


@pytest.mark.parametrize(
    ("day", "count"),
    [(END_2019, 422), (REFORM_2020, 356), (END_2023, 356), (REFORM_2024, 357)],
)
def test_as_many_numbers_are_in_force_as_there_were_municipalities(day: date, count: int) -> None:
    assert len(in_force(day)) == count


def test_a_number_has_one_meaning() -> None:
    numbers = [one.number for one in EVERY]
    assert len(set(numbers)) == len(numbers) == 780
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    assert not CURRENT.keys() & FORMER.keys()
    assert list(CURRENT) == sorted(CURRENT)
    assert list(FORMER) == sorted(FORMER)


def test_what_a_number_became_is_in_force() -> None:
    for former in REFERENCE.former:
        assert former.successors
        assert CURRENT.keys() >= set(former.successors)
        assert list(former.successors) == sorted(set(former.successors))


def test_every_new_number_had_one_before() -> None:
    """A municipality that got its number in 2020 or 2024 was there under another."""
    for reform, eve in ((REFORM_2020, END_2019), (REFORM_2024, END_2023)):
        new = {one.number for one in REFERENCE.current if one.valid_from == reform}
        before = {
            number
            for one in REFERENCE.former
            if one.valid_until == eve
            for number in one.successors
        }
        assert new
        assert new <= before


def test_only_three_municipalities_were_split() -> None:
    split = {one.number: one.successors for one in REFERENCE.former if len(one.successors) > 1}
    assert split == {
        "1507": ("1508", "1580"),
        "1850": ("1806", "1875"),
        "5012": ("5055", "5056", "5059"),
    }


@pytest.mark.parametrize(
    ("number", "name", "became", "called"),
    [
        ("0219", "Bærum", "3201", "Bærum"),
        ("3024", "Bærum", "3201", "Bærum"),
        ("0136", "Rygge", "3103", "Moss"),
        ("0121", "Rømskog", "3226", "Aurskog-Høland"),
        ("0532", "Jevnaker", "3236", "Jevnaker"),
        ("0711", "Svelvik", "3301", "Drammen"),
        ("0712", "Larvik", "3909", "Larvik"),
        ("3805", "Larvik", "3909", "Larvik"),
        ("0616", "Nes", "3322", "Nesbyen"),
        ("0236", "Nes", "3228", "Nes"),
        ("1201", "Bergen", "4601", "Bergen"),
        ("1444", "Hornindal", "1577", "Volda"),
        ("1504", "Ålesund", "1508", "Ålesund"),
        ("1523", "Ørskog", "1508", "Ålesund"),
        ("1529", "Skodje", "1508", "Ålesund"),
        ("1546", "Sandøy", "1508", "Ålesund"),
        ("1534", "Haram", "1580", "Haram"),
        ("1571", "Halsa", "5055", "Heim"),
        ("1852", "Tjeldsund", "5512", "Dielddanuorri - Tjeldsund"),
        ("1902", "Tromsø", "5501", "Tromsø"),
        ("5401", "Tromsø", "5501", "Tromsø"),
        ("2012", "Alta", "5601", "Alta"),
        ("5004", "Steinkjer", "5006", "Steinkjer"),
        ("5030", "Klæbu", "5001", "Trondheim - Tråante"),
    ],
)
def test_what_a_number_became(number: str, name: str, became: str, called: str) -> None:
    former = REFERENCE.find_former(number)
    assert former is not None
    assert (former.name, former.successors) == (name, (became,))
    found = REFERENCE.find(became)
    assert found is not None
    assert found.name == called
    assert REFERENCE.successors[number] == (became,)
    assert REFERENCE.find(number) is None


def test_a_number_is_found_however_it_is_written() -> None:
    (oslo,) = {REFERENCE.find(spelling) for spelling in (301, "301", "0301")}
    assert oslo is not None
    assert (oslo.name, oslo.county_number, oslo.county) == ("Oslo", "03", "Oslo")
    assert REFERENCE.find(9999) is None
    assert REFERENCE.find_former("0301") is None


def test_a_county_has_one_name_at_a_time() -> None:
    for day in (END_2019, END_2023, REFORM_2024):
        numbers = in_force(day)
        named = {(one.county_number, one.county) for one in EVERY if one.number in numbers}
        assert all(one.number[:2] == one.county_number for one in REFERENCE.former)
        assert len({number for number, _ in named}) == len(named)
    assert len({one.county for one in REFERENCE.current}) == 15


def test_centres_are_in_norway() -> None:
    assert all(57.9 < one.lat < 71.2 and 4.5 < one.lon < 31.2 for one in REFERENCE.current)


def test_the_centre_that_is_nearest() -> None:
    """A home on Fjørtofta, which is Haram's, and one in the town of Ålesund."""
    assert REFERENCE.away("1580", 62.7, 6.42) < REFERENCE.away("1508", 62.7, 6.42)
    assert REFERENCE.away("1508", 62.472, 6.15) < REFERENCE.away("1580", 62.472, 6.15)
    centre = CURRENT["1508"]
    assert REFERENCE.away("1508", centre.lat, centre.lon) == 0


def test_the_reference_holds_facts_and_the_sandbox_its_price_levels() -> None:
    table = Path(__file__).parents[3] / "src" / "adapters" / "municipalities.csv"
    head = table.read_text(encoding="utf-8").splitlines()[0]
    assert head == "number,name,county_number,county,lat,lon,valid_from,valid_until,successors"
    assert [town.number for town in towns()] == list(CURRENT)
