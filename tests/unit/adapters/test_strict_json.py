"""JSON read strictly."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.adapters.strict_json import MalformedJson, parse

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(values)
def test_what_json_writes_is_read(value: Any) -> None:
    assert parse(json.dumps(value)) == value
    assert parse(json.dumps(value).encode()) == value


@settings(deadline=None)
@given(st.binary(max_size=20))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(MalformedJson):
        parse(body)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "line 1, column 1"),
        (b'{"a": 1,}', "malformed"),
        (b'{"a": 1} {}', "Extra data"),
        (b"{'a': 1}", "malformed"),
        (b"[1,\n2,\n,]", "line 3"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1, "b": 2, "a": 1}', "'a' twice"),
        (b'[{"deep": {"x": 1, "x": 2}}]', "'x' twice"),
        (b'{"a": 1, "\\u0061": 2}', "'a' twice"),
        (b'"\xff"', "UTF-8 .byte 1."),
        ('"å"'.encode("latin-1"), "UTF-8"),
        ("{}".encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf{}", "malformed"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
    ],
)
def test_what_is_ambiguous_or_broken_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(MalformedJson, match=says) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_a_long_key_given_twice_is_cut_in_the_message() -> None:
    key = "k" * 10_000
    with pytest.raises(MalformedJson) as caught:
        parse(f'{{"{key}": 1, "{key}": 2}}')
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e999", float("inf")), ("-1e999", float("-inf")), ("9" * 5_000, float("inf"))],
)
def test_numbers_too_large_are_left_to_the_rules(text: str, value: float) -> None:
    assert parse(text) == value


def test_an_integer_stays_exact() -> None:
    assert parse("9007199254740993") == 9007199254740993
    assert parse("1" * 400) == int("1" * 400)
