"""Any JSON anywhere in a body gets an answer that the OpenAPI document allows."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from attrs import frozen
from flask.testing import FlaskClient
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from ree.domain.model import PriceModel, TrainingRecord
from ree.entrypoints.api import create_app

from .conftest import container_in

HOME: dict[str, Any] = {
    "realestate_type": "enebolig",
    "municipality_number": 301,
    "lat": 60.0,
    "lon": 10.0,
    "built_year": 1990,
    "total_area": 120,
    "bra": 100,
}
OTHERS = ["usable_area", "floor", "bedrooms", "rooms", "gnr_number", "bnr_number", "snr_number"]
TEXTS = st.text(max_size=12) | st.text(st.characters(categories=["Cs", "Cc", "Cn"]), max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([10**308, 10**400, -(10**400), 0, -0.0, 1e-320, 301, 2028, 2029, 4.999, 90])
    | TEXTS
    | st.sampled_from(["leilighet", "hytte", "0301", "301", "1e3", "NaN", "null", "\u0663"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
CHANGES = st.dictionaries(st.sampled_from([*HOME, *OTHERS]) | TEXTS, VALUES, max_size=3)
LACKS = st.sets(st.sampled_from([*HOME]), max_size=2)
IDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=66) | TEXTS


def _home(changes: dict[str, Any], lacks: set[str]) -> dict[str, Any]:
    return {name: value for name, value in HOME.items() if name not in lacks} | changes


HOMES = st.just(HOME) | st.builds(_home, CHANGES, LACKS)
BATCHES = st.dictionaries(IDS, HOMES | VALUES, max_size=5)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "on_invalid": st.sampled_from(["skip", "skip", "fail"]) | TEXTS,
        "valuation_date": st.dates().map(str) | st.just("2026-02-09") | TEXTS,
        "coverage": st.sampled_from(["0.8", "0.9", "0.95"]) | TEXTS,
        "explain": st.sampled_from(["true", "false"]) | TEXTS,
    },
)


@frozen
class Api:
    """A client, and what the document says of its answers."""

    client: FlaskClient
    operation: Any

    def ask(self, body: str, query: dict[str, str]) -> tuple[TestResponse, Any]:
        """An answer that is as the document says, and what is in it."""
        data = body.encode("utf-8", "surrogatepass")
        answer = self.client.post(
            "/estimate", data=data, query_string=query, content_type="application/json"
        )
        assert answer.status_code in (200, 400, 413, 422), answer.text
        self.operation.validate_response(answer)
        assert answer.headers["X-Request-Id"]
        return answer, msgspec.json.decode(answer.data)  # which takes no half of a character


@pytest.fixture(scope="module")
def api(
    trained: tuple[PriceModel, TrainingRecord], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    container = container_in(tmp_path_factory.mktemp("any"))
    version = container.registry().publish(*trained).version
    container.registry().activate(version, expected=None, by="test", why="a test")
    app = create_app(container)
    operation = schemathesis.openapi.from_wsgi("/openapi.json", app)["/estimate"]["POST"]
    yield Api(app.test_client(), operation)
    container.watched_model().stop()


def is_told(property_id: str) -> str:
    """As a problem names it."""
    return property_id[:64]


BOUNDED = settings(
    deadline=None,
    max_examples=200,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@BOUNDED
@given(body=BATCHES | VALUES, query=QUERIES, raw=st.booleans())
def test_any_value_is_priced_or_refused_with_every_fault_in_its_place(
    api: Api, body: Any, query: dict[str, str], raw: bool
) -> None:
    answer, told = api.ask(json.dumps(body, ensure_ascii=not raw), query)
    event(str(answer.status_code))
    if answer.status_code == 200:
        assert list(told) == list(body)
        return
    for fault in told.get("errors", ()):
        if fault["property_id"] is None:
            assert fault["code"].partition(":")[0] in ("invalid", "ambiguous", "unknown")
        else:
            assert _fields(fault) <= _known(body, fault["property_id"]), fault


def _fields(fault: dict[str, Any]) -> set[str]:
    """That it names; none if it is about the property as a whole."""
    shown = fault["code"].partition(":")[0] == "unknown"  # as it can be shown, which may be cut
    return set() if shown or not fault["field"] else set(fault["field"].split(","))


def _known(body: dict[str, Any], told: str) -> set[str]:
    """The fields that a property of the body can have a fault in."""
    (features,) = [body[name] for name in body if is_told(name) == told]
    given = features if isinstance(features, dict) else ()
    return {"property_id", "valuation_date", *HOME, *OTHERS, *given}


@BOUNDED
@given(body=st.dictionaries(IDS, HOMES | VALUES, min_size=1, max_size=6))
def test_skip_answers_every_property_and_fail_names_the_same_ones(
    api: Api, body: dict[str, Any]
) -> None:
    text = json.dumps(body)
    skipped, results = api.ask(text, {"on_invalid": "skip"})
    failed, told = api.ask(text, {})
    if skipped.status_code == 400:
        assert failed.status_code == 400
        return
    assert skipped.status_code == 200
    assert list(results) == list(body)
    refused = [name for name, result in results.items() if "error" in result]
    event(f"{len(refused)} of {len(body)} refused")
    if not refused:
        assert (failed.status_code, told) == (200, results)
        return
    assert failed.status_code == 422
    first: dict[str, Any] = {}
    for fault in told["errors"]:
        first.setdefault(fault.pop("property_id"), fault)
    assert first == {is_told(name): results[name]["error"] for name in refused}
    assert told["errors_total"] == len(told["errors"])


@BOUNDED
@given(text=TEXTS | st.text(max_size=200))
def test_any_text_is_an_answer(api: Api, text: str) -> None:
    answer, _ = api.ask(text, {})
    assert answer.status_code in (400, 422)
