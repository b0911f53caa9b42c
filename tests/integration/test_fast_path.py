"""The fast path of an estimate says what the complete one does, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from datetime import date
from itertools import product

import pytest
from flask import Flask, g

from ree.adapters.strict_json import MalformedJson, parse
from ree.container import Container
from ree.domain.errors import ReeError
from ree.domain.estimate import OnInvalid
from ree.domain.model import PriceModel, TrainingRecord
from ree.entrypoints.api import create_app, typed_body
from ree.entrypoints.api.body import LARGE, LARGE_AT_ONCE, Busy, complete_reading
from ree.entrypoints.api.estimating import complete_answer, fast_answer
from ree.entrypoints.api.exchange import Exchange
from ree.entrypoints.api.metrics import Metrics
from ree.entrypoints.api.query import EstimateQuery

from .conftest import container_in
from .random_bodies import Body, bodies

PROPERTIES = 100_000
DAYS = (date(2026, 1, 31), date(2026, 12, 1), date(2028, 1, 1), date(1925, 1, 1))
QUERIES = [
    EstimateQuery(day, on_invalid, coverage, explain=False)
    for day, on_invalid, coverage in product(DAYS, OnInvalid, (0.8, 0.9, 0.95))
]


@pytest.fixture(scope="module")
def app(
    trained: tuple[PriceModel, TrainingRecord], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Container, Flask]]:
    container = container_in(tmp_path_factory.mktemp("parity"))
    registry = container.registry()
    version = registry.publish(*trained).version
    registry.activate(version, expected=None, by="test", why="a test")
    yield container, create_app(container)
    container.watched_model().stop()


def _told(app: Flask, path: object, *given: object) -> object:
    """What a path answers, or how it refuses; a list of pairs, for the order counts."""
    try:
        response = path(*given)  # type: ignore[operator]
    except ReeError as error:
        return type(error), str(error)
    return None if response is None else list(response.get_json().items())


def test_both_paths_agree_on_a_hundred_thousand_properties(app: tuple[Container, Flask]) -> None:
    container, flask = app
    batch, seen = container.serve_batch(), Counter[str]()
    with flask.test_request_context():
        g.exchange = Exchange({}, "test", Metrics())
        for number, body in enumerate(bodies(20_261_123, PROPERTIES)):
            query = QUERIES[number % len(QUERIES)]
            fast = _told(flask, fast_answer, batch, body.text, query)
            complete = _told(flask, complete_answer, batch, body.text, query)
            if fast is not None:
                assert fast == complete, (query, body.text)
            seen.update(_what(body, query, fast, complete))
    print(seen)
    assert seen["properties"] >= PROPERTIES
    for what in ("fast", "fast with refusals", "refused as a whole", "malformed", "skipped"):
        assert seen[what] > 100, seen


def _what(body: Body, query: EstimateQuery, fast: object, complete: object) -> Iterator[str]:
    yield from ["properties"] * body.count
    if isinstance(fast, list):
        yield "fast"
        if any("error" in answer for _, answer in fast):
            yield "fast with refusals"
    elif isinstance(complete, list):
        yield "skipped"
        refusals = any("error" in answer for _, answer in complete)
        assert refusals or not body.clean, "a body without any fault took the complete path"
    elif isinstance(complete, tuple):
        yield "malformed" if complete[0].__name__ == "MalformedJson" else "refused as a whole"


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {HOME}, "a": {HOME}}',
        '{"a": {HOME, "lat": 60.0}}',
        '{"\\u003a": {HOME, "lat": 60.0}}',
        '{":": {HOME, "lat": 60.0}}',
        '{"\\u003a": {HOME}, ":": {HOME}}',
        '{"a": {HOME, "b\\u0072a": null}}',
        '{"a": {HOME, "bra": null, "bra": null}}',
    ],
)
def test_a_key_given_twice_is_not_taken(text: str) -> None:
    """An escaped colon in an id would make up for the colon that a doubled key adds."""
    whole = text.replace("{HOME", "{" + HOME)
    assert typed_body.read(whole.encode(), DAYS[0]) is None
    with pytest.raises(MalformedJson, match="twice") if "u0072" not in text else nullcontext():
        parse(whole)


def test_ids_with_colons_are_taken() -> None:
    found = typed_body.read(f'{{":": {{{HOME}}}, "a:b": {{{HOME}}}}}'.encode(), DAYS[0])
    assert found is not None
    assert found[0] == [":", "a:b"]


HOME = (
    '"realestate_type": "enebolig", "municipality_number": 301, "lat": 60.0, "lon": 10, '
    '"built_year": 1990, "total_area": 100, "usable_area": 90'
)


def test_few_large_bodies_are_read_completely_at_a_time(app: tuple[Container, Flask]) -> None:
    """And small ones always."""
    with ExitStack() as others:
        for _ in range(LARGE_AT_ONCE):
            others.enter_context(complete_reading(LARGE + 1))
        with pytest.raises(Busy), complete_reading(LARGE + 1):
            pass
        with complete_reading(LARGE):
            pass
        answer = app[1].test_client().post("/estimate", data=b"{" + b" " * LARGE, headers=JSON)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        explained, small = b"{" + b" " * (LARGE // 16), b"{"
        for body, status in ((explained, 503), (small, 400)):
            answer = app[1].test_client().post("/estimate?explain=true", data=body, headers=JSON)
            assert answer.status_code == status
    answer = app[1].test_client().post("/estimate", data=b"{" + b" " * LARGE, headers=JSON)
    assert answer.status_code == 400


JSON = {"Content-Type": "application/json"}


def test_a_thousand_homes_are_explained_at_most(app: tuple[Container, Flask]) -> None:
    body = ("{" + ", ".join(f'"{number}": {{{HOME}}}' for number in range(1_001)) + "}").encode()
    client = app[1].test_client()
    assert client.post("/estimate?explain=true", data=body, headers=JSON).status_code == 413
    assert client.post("/estimate?explain=false", data=body, headers=JSON).status_code == 200
