"""The domain's values as JSON, and back."""

import json
from datetime import UTC, date, datetime
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from attrs import field, frozen

from ree.adapters.codec import from_json, plain, structured, to_json
from ree.domain.errors import StorageError
from ree.domain.gating import Outcome
from ree.domain.turnover import Period


@frozen
class Inner:
    figure: float
    outcome: Outcome = Outcome.PASSED


@frozen
class Value:
    period: Period
    at: datetime
    inner: tuple[Inner, ...] = ()
    maybe: float | None = None
    day: date | None = None
    figures: dict[str, Any] = field(factory=dict)


PERIOD = Period(date(2026, 1, 1), date(2026, 1, 31))
AT = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
FULL = Value(PERIOD, AT, (Inner(1 / 3), Inner(2, Outcome.FAILED)), 0.1, date(2026, 2, 1), {"n": 3})


@pytest.mark.parametrize("value", [Value(PERIOD, AT), FULL])
def test_values_come_back_as_they_were(value: Value) -> None:
    assert structured(from_json(to_json(plain(value)), "x"), Value, "x") == value


def test_values_have_plain_names() -> None:
    assert json.loads(to_json(plain(FULL))) == {
        "period": {"start_date": "2026-01-01", "end_date": "2026-01-31"},
        "at": "2026-02-03T04:05:06.000789+00:00",
        "inner": [
            {"figure": 1 / 3, "outcome": "passed"},
            {"figure": 2, "outcome": "failed"},
        ],
        "maybe": 0.1,
        "day": "2026-02-01",
        "figures": {"n": 3},
    }


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_not_finite_is_null_and_comes_back_as_nan(number: float) -> None:
    value = Value(PERIOD, AT, (Inner(number),), figures={"a": number, "b": [number]})
    found = plain(value)
    assert found["inner"][0]["figure"] is None
    assert found["figures"] == {"a": None, "b": [None]}
    assert isnan(structured(found, Value, "x").inner[0].figure)


def test_numpy_figures_are_numbers() -> None:
    figures = {"a": np.float64(0.5), "b": np.float64(nan)}
    assert plain(Value(PERIOD, AT, figures=figures))["figures"] == {"a": 0.5, "b": None}


def test_equal_values_give_equal_bytes() -> None:
    assert to_json({"b": 1, "a": 2}) == to_json({"a": 2, "b": 1})
    assert "å".encode() in to_json({"å": 1})


def test_what_is_not_finite_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": nan})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_a_storage_error(body: bytes) -> None:
    with pytest.raises(StorageError, match=r"models/a\.json"):
        from_json(body, "models/a.json")


@pytest.mark.parametrize(
    "change",
    [
        {"period": None},
        {"period": {"start_date": "2026-01-31", "end_date": "2026-01-01"}},
        {"period": {"start_date": "31.01.2026", "end_date": "2026-01-01"}},
        {"at": "yesterday"},
        {"inner": [{"figure": "x"}]},
        {"inner": [{"figure": 1, "outcome": "great"}]},
        {"inner": 3},
    ],
)
def test_what_does_not_fit_is_a_storage_error_of_one_line(change: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match=r"models/a\.json") as caught:
        structured(plain(FULL) | change, Value, "models/a.json")
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_a_storage_error() -> None:
    with pytest.raises(StorageError, match=r"models/a\.json"):
        structured({}, Value, "models/a.json")
