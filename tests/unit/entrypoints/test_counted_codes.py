"""By which codes refusals and warnings are counted."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.adapters.training_domain import RESPECTS as KNOWN
from ree.application.value_columns import _NO_PRICE
from ree.domain.estimate import Home, ValuationDates
from ree.domain.property import IGNORED, NUMBERS
from ree.domain.rules import PROPERTY_RULES, REQUIRED
from ree.entrypoints.api.counted_codes import NEAR_EDGE, OTHER, REFUSED, counted
from ree.entrypoints.api.metrics import Metrics

DAY = date(2026, 2, 1)
SOUND = {
    "realestate_type": "leilighet", "municipality_number": "0301", "lat": 59.9, "lon": 10.7,
    "built_year": 1990, "total_area": 70, "usable_area": 60, "floor": 2,
}  # fmt: skip
FIELDS = ("realestate_type", "municipality_number", *NUMBERS, *IGNORED)


def codes(features: object, property_id: str = "1") -> Iterator[str]:
    return (fault.code for fault in Home.parse(property_id, features, DAY).faults)


def foreseen() -> set[str]:
    """Every code that a property can be refused with, but for what people name."""
    found = {rule.code for rule in PROPERTY_RULES} | {*codes(SOUND, ""), *codes(1), _NO_PRICE.code}
    for name in FIELDS:
        found |= {*codes({**SOUND, name: []}), *codes({**SOUND, name: 1e999})}
    found |= {*codes({**SOUND, "bra": 60})}
    for name in REQUIRED:
        found |= {*codes({key: value for key, value in SOUND.items() if key != name})}
    late, _ = ValuationDates().look(date(2030, 1, 1), DAY)
    return found | {late[0].code} | {respect.fault(0, 0, 0).code for respect in KNOWN}


def test_every_foreseen_code_is_counted_by_itself() -> None:
    assert {counted(code) for code in foreseen()} == foreseen()
    assert REFUSED - foreseen() == {"missing:several", "unknown:field", OTHER}


def test_every_warning_at_the_edge_is_counted_by_its_respect() -> None:
    _, early = ValuationDates().look(date(2026, 2, 1), None, date(2026, 12, 1))
    assert {*NEAR_EDGE} == {respect.warning for respect in KNOWN} | {*early}


@pytest.mark.parametrize("count", range(2, len(REQUIRED) + 1))
def test_what_lacks_several_fields_is_counted_as_one(count: int) -> None:
    for absent in combinations(REQUIRED, count):
        found = [*codes({key: value for key, value in SOUND.items() if key not in absent})]
        assert counted(found[0]) == "missing:several"


@given(st.one_of(st.text(), st.builds("unknown:{}".format, st.text())))
def test_nothing_that_people_name_is_a_label(text: str) -> None:
    assert counted(text) in REFUSED
    assert counted(f"unknown:{text}") == "unknown:field"


def test_the_series_are_there_from_the_start_and_stay_as_many() -> None:
    metrics = Metrics()

    def series() -> int:
        return sum(len(family.samples) for family in metrics.shown().collect())

    before = series()
    unread = ["other", "a:b", "unknown:x", "missing:lat,lon", "near_edge:x", *REFUSED]
    metrics.priced(99, unread, "fast", [tuple(unread), tuple(NEAR_EDGE)])
    metrics.refused(99, unread, "complete")
    metrics.storage("get", "nobody knows", 1.0)
    assert series() == before
    value = metrics.shown().get_sample_value
    assert value("ree_properties_refused_total", {"code": "missing:several"}) == 4
    assert value("ree_estimates_near_edge_total", {"respect": "distance"}) == 1
    assert value("ree_storage_requests_total", {"operation": "get", "outcome": "failed"}) == 1
