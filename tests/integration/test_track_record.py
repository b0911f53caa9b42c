"""The track record by the API."""

from datetime import UTC, date, datetime
from math import nan
from typing import Any

import pytest
from attrs import evolve
from flask.testing import FlaskClient

from ree.container import Container
from ree.domain.model import PriceModel, TrainingRecord
from ree.domain.track_record import TrackedMonth
from ree.domain.turnover import Period

VERSION = "20260101-030500-0123abcd"
PATH = "/model/track-record"


@pytest.fixture
def month(trained: tuple[PriceModel, TrainingRecord]) -> TrackedMonth:
    _, record = trained
    assert record.evaluation is not None
    return TrackedMonth(
        VERSION,
        date(2025, 12, 31),
        Period(date(2026, 1, 1), date(2026, 1, 31)),
        "9a" * 32,
        datetime(2026, 2, 1, 2, 5, tzinfo=UTC),
        record.evaluation.brief,
        {"missing:built_year": 4},
        evolve(record.evaluation.overall, p90=nan),
    )


def test_it_is_empty_before_the_first_month_and_needs_no_model(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert answer.json == {"months": []}


def test_it_tells_every_month_and_beside_it_the_holdout(
    client: FlaskClient, api_container: Container, month: TrackedMonth
) -> None:
    february = evolve(month, month=Period(date(2026, 2, 1), date(2026, 2, 28)), holdout=None)
    for each in (month, february):
        api_container.track_log().record(each)
    answer = client.get(PATH)
    assert answer.json is not None
    newest, oldest = answer.json["months"]
    assert newest["month"] == "2026-02"
    assert newest["holdout"] is None
    assert oldest["model_version"] == VERSION
    assert oldest["trained_until"] == "2025-12-31"
    assert oldest["metrics"]["mdape"] == month.evaluation.overall.mdape
    assert oldest["holdout"]["p90"] is None
    assert oldest["excluded"] == {"missing:built_year": 4}
    assert set(oldest["segments"]["by_realestate_type"]) == {"enebolig", "leilighet"}
    assert oldest["segments"]["by_realestate_type"]["enebolig"]["status"] == "good"


def test_an_answer_is_asked_for_again_only_when_a_month_came(
    client: FlaskClient, api_container: Container, month: TrackedMonth
) -> None:
    tag = client.get(PATH).headers["ETag"]
    assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 304
    api_container.track_log().record(month)
    assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 200


def test_months_have_the_documented_fields(
    client: FlaskClient, api_container: Container, month: TrackedMonth
) -> None:
    document: dict[str, Any] = client.get("/openapi.json").get_json()
    api_container.track_log().record(month)
    (given,) = client.get(PATH).get_json()["months"]
    schema = document["components"]["schemas"]["TrackedMonth"]
    assert set(given) == set(schema["properties"]) == set(schema["required"])
    answers = document["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    (shown,) = answers["examples"]["good"]["value"]["months"]
    assert list(shown) == list(given)
    for name in ("metrics", "holdout"):
        assert list(shown[name]) == list(given[name])
    for family in ("by_realestate_type", "by_reach"):
        assert shown["segments"].keys() == given["segments"].keys()
        for segment in shown["segments"][family].values():
            assert list(segment) == list(given["segments"][family]["leilighet"])
