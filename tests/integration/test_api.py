"""The API's answers, over real adapters."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dependency_injector import providers
from flask import Flask
from flask.testing import FlaskClient

from ree.adapters.boosted_trees import BoostedTrees
from ree.adapters.clock import SystemClock
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.settings import Settings
from ree.container import Container
from ree.domain.errors import StorageError
from ree.domain.explanation import GROUPS
from ree.domain.model import PriceModel, TrainingRecord
from ree.entrypoints.api import create_app
from ree.entrypoints.api.answers import placeless
from ree.entrypoints.logs import configure_logs

from ..drift_report import drift_report
from .service import Publisher

HOUSE = {
    "realestate_type": "enebolig",
    "municipality_number": 4003,
    "lat": 59.21,
    "lon": 9.584,
    "built_year": 2016,
    "total_area": 472.8,
    "bra": 167,
    "bedrooms": 2,
    "rooms": 4,
}
NEAR = HOUSE | {"lat": 60.0, "lon": 10.0, "total_area": 200}
"""As those that the trained model knows."""
BAD = HOUSE | {"lat": 95, "bra": 3}


def test_health_needs_no_model(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "service": "ree", "env": "development"}


@pytest.mark.parametrize(
    "path", ["/ready", "/model", "/model/drift", "/model/places", "/model/report"]
)
def test_without_a_model_it_is_not_ready(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json is not None
    assert "ree models bootstrap" in answer.json["detail"]


def test_a_batch_without_a_model_is_not_ready(client: FlaskClient) -> None:
    answer = client.post("/estimate", json={"1": HOUSE})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_a_model_published_later_is_taken_up(api_container: Container, client: FlaskClient) -> None:
    assert client.get("/ready").status_code == 503
    version = api_container.bootstrap()(by="test")
    api_container.watched_model().look()
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json == {
        "status": "ready",
        "model_version": version.version,
        "type": "stub",
        "created_at": "2026-02-09T22:30:00+00:00",
        "trained_until": None,
        "sequence": 1,
        "activated_at": "2026-02-09T22:30:00+00:00",
        "conditional_writes": "etag",
        "refresh": {"failures": 0, "failing_since": None, "reason": None},
    }
    assert client.post("/estimate", json={"1": HOUSE}).status_code == 200


def test_the_reason_does_not_tell_where_the_storage_is(
    api_container: Container, client: FlaskClient
) -> None:
    folder = Path(api_container.settings().storage_path)
    folder.mkdir(parents=True)
    (folder / "ree-models").write_text("not a folder")
    for path in ("/ready", "/model"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["detail"].startswith(
            "Cannot list activations/ below REE_STORAGE_PATH/ree-models: Not a directory. "
        )


def test_a_reason_tells_no_address() -> None:
    settings = Settings(storage_path=Path("/srv/ree"), s3_endpoint="https://s3.inner.example")
    reason = "Cannot read latest.json at https://s3.inner.example or below /srv/ree/ree-models."
    assert placeless(reason, settings) == (
        "Cannot read latest.json at REE_S3_ENDPOINT or below REE_STORAGE_PATH/ree-models."
    )
    assert placeless(reason, Settings()) == reason


def test_the_last_good_model_stays_and_why_is_told(
    api_container: Container, client: FlaskClient
) -> None:
    api_container.bootstrap()(by="test")
    before = client.get("/ready").json
    pointer = Path(api_container.settings().storage_path) / "ree-models" / "latest.json"
    pointer.write_bytes(pointer.read_bytes().replace(b"bootstrap", b"bootstrop"))
    for _ in range(2):
        api_container.watched_model().look()
    after = client.get("/ready")
    assert after.status_code == 200
    assert before is not None
    assert after.json is not None
    refresh = after.json["refresh"]
    assert after.json == before | {"refresh": refresh}
    assert (refresh["failures"], refresh["failing_since"]) == (2, "2026-02-09T22:30:00+00:00")
    assert "latest.json is damaged" in refresh["reason"]
    assert client.post("/estimate", json={"1": HOUSE}).status_code == 200


def test_a_switch_in_the_middle_of_a_batch_does_not_mix_versions(
    api_container: Container, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = Publisher(api_container)
    low, high = (publisher.publish(price) for price in (20_000, 90_000))
    publisher.activate(low)
    estimate = MedianPricePerSqm.estimate

    def switch_meanwhile(model: MedianPricePerSqm, homes: Any) -> Any:
        prices = estimate(model, homes)
        if model.median[0] == 20_000 and len(prices) == 3:
            publisher.activate(high)
            api_container.watched_model().look()
        return prices

    monkeypatch.setattr(MedianPricePerSqm, "estimate", switch_meanwhile)
    for version, price in ((low, 20_000), (high, 90_000)):
        answer = client.post("/estimate", json=dict.fromkeys("abc", HOUSE)).get_json()
        given = {(each["model_version"], each["price_per_sqm"]) for each in answer.values()}
        assert given == {(version, price)}


def test_estimates_are_in_the_order_of_the_request(stub_client: FlaskClient) -> None:
    batch = dict.fromkeys(("b", "10", "a", "9"), HOUSE)
    answer = stub_client.post("/estimate", json=batch)
    assert answer.status_code == 200
    assert re.findall(r'"([^"]+)":\{', answer.text) == ["b", "10", "a", "9"]


def test_an_estimate_has_all_its_fields(stub_client: FlaskClient) -> None:
    answer = stub_client.post("/estimate?valuation_date=2026-03-01", json={"486002054": HOUSE})
    assert answer.json == {
        "486002054": {
            "estimated_price": 7_515_000,
            "currency": "NOK",
            "interval": None,
            "price_per_sqm": 45_000,
            "fsd": None,
            "confidence": None,
            "model_version": answer.json and answer.json["486002054"]["model_version"],
            "valuation_date": "2026-03-01",
            "warnings": ["stub:model"],
        }
    }


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 2, 9, 22, 59, tzinfo=UTC), "2026-02-09"),
        (datetime(2026, 2, 9, 23, 0, tzinfo=UTC), "2026-02-10"),
        (datetime(2026, 7, 9, 22, 0, tzinfo=UTC), "2026-07-10"),
    ],
)
def test_today_is_that_of_norway(api_container: Container, moment: datetime, day: str) -> None:
    class At(SystemClock):
        def now(self) -> datetime:
            return moment

    api_container.clock.override(providers.Object(At()))
    api_container.bootstrap()(by="test")
    client = create_app(api_container).test_client()
    answer = client.post("/estimate", json={"1": HOUSE})
    assert answer.json is not None
    assert answer.json["1"]["valuation_date"] == day


def test_an_unknown_municipality_is_a_warning(stub_client: FlaskClient) -> None:
    answer = stub_client.post("/estimate", json={"1": HOUSE | {"municipality_number": 9998}})
    assert answer.json is not None
    assert answer.json["1"]["warnings"] == ["stub:model", "unknown:municipality_number"]


def test_two_bad_properties_list_every_fault_of_both(stub_client: FlaskClient) -> None:
    answer = stub_client.post(
        "/estimate", json={"a": BAD, "good": HOUSE, "b": {"lat": "59", "sauna": True}}
    )
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors_total"] == len(answer.json["errors"])
    assert [(error["property_id"], error["code"]) for error in answer.json["errors"]] == [
        ("a", "invalid:latlon"),
        ("a", "invalid:usable_area"),
        ("b", "invalid_type:lat"),
        ("b", "unknown:sauna"),
        (
            "b",
            "missing:built_year,lon,municipality_number,realestate_type,total_area,usable_area",
        ),
    ]
    assert all(set(e) == {"property_id", "field", "code", "message"} for e in answer.json["errors"])


def test_skip_prices_the_good_ones(stub_client: FlaskClient) -> None:
    answer = stub_client.post("/estimate?on_invalid=skip", json={"a": BAD, "b": HOUSE, "c": 1})
    assert answer.status_code == 200
    assert answer.json is not None
    assert list(answer.json) == ["a", "b", "c"]
    assert answer.json["a"] == {
        "error": {
            "code": "invalid:latlon",
            "field": "lat,lon",
            "message": "must be degrees, lat between -90 and 90 and lon between -180 and 180",
        }
    }
    assert answer.json["b"]["estimated_price"] == 7_515_000
    assert answer.json["c"]["error"]["code"] == "invalid_type:property"


def test_a_thousand_faults_are_listed_and_all_are_counted(stub_client: FlaskClient) -> None:
    answer = stub_client.post("/estimate", json={str(number): {} for number in range(1_500)})
    assert answer.status_code == 422
    assert answer.json is not None
    assert len(answer.json["errors"]) == 1_000
    assert answer.json["errors_total"] == 1_500


def test_a_full_batch_is_answered_and_one_more_is_not(stub_client: FlaskClient) -> None:
    full = {str(number): HOUSE for number in range(2_000)}
    assert stub_client.post("/estimate", json=full).status_code == 200
    answer = stub_client.post("/estimate", json=full | {"more": HOUSE})
    assert answer.status_code == 413
    assert answer.json is not None
    assert "2001" in answer.json["detail"]
    assert "2000" in answer.json["detail"]


@pytest.fixture
def trained_client(
    api_container: Container, client: FlaskClient, trained: tuple[PriceModel, TrainingRecord]
) -> FlaskClient:
    registry = api_container.registry()
    version = registry.publish(*trained)
    registry.activate(version.version, expected=None, by="test", why="test")
    api_container.watched_model().look()
    return client


def test_the_model_tells_what_it_is_worth(
    trained_client: FlaskClient, trained: tuple[PriceModel, TrainingRecord]
) -> None:
    model, record = trained
    answer = trained_client.get("/model").json
    assert answer is not None
    assert answer["type"] == "trained"
    assert answer["trained_until"] == "2025-12-31"
    assert answer["recipe"]["name"] == "fast"
    assert answer["recipe"]["settings"]["max_iter"] == 20
    assert record.evaluation is not None
    assert answer["metrics"]["mae"] == record.evaluation.overall.mae
    assert answer["baseline"]["n"] == 600
    assert answer["model_digest"] == model.digest == answer["objects"]["model.npz"]
    assert set(answer["objects"]) >= {"model.npz", "report.html", "metrics.json"}
    types = answer["segments"]["by_realestate_type"]
    assert types["enebolig"]["status"] == "good"
    assert types["leilighet"]["status"] == "risk"
    assert types["leilighet"]["n"] < 30
    assert set(answer["segments"]["by_municipality"]) == {"0301", "4601"}
    assert set(answer["segments"]["by_price_fifth"]) == set("12345")
    for figure in ("median_ratio", "cod", "prd", "prb"):
        ratio = answer["metrics"]["ratios"][figure]
        assert ratio["lower"] <= ratio["value"] <= ratio["upper"]
        assert ratio["status"] in ("good", "ok", "risk")


def test_a_trained_model_prices(trained_client: FlaskClient) -> None:
    answer = trained_client.post("/estimate", json={"1": NEAR}).json
    assert answer is not None
    assert answer["1"]["price_per_sqm"] == pytest.approx(60_000, rel=0.2)
    assert answer["1"]["warnings"] == []


def test_the_wider_the_coverage_the_wider_the_interval(trained_client: FlaskClient) -> None:
    told = {}
    for coverage in ("0.8", "0.9", "0.95"):
        answer = trained_client.post(f"/estimate?coverage={coverage}", json={"1": NEAR}).json
        assert answer is not None
        told[coverage] = answer["1"].pop("interval")
        assert told[coverage].pop("coverage") == float(coverage)
        assert answer["1"]["confidence"] == "high"
        assert 0 < answer["1"]["fsd"] <= 0.13
    bounds = [told[name]["lower"] for name in ("0.95", "0.9", "0.8")]
    bounds += [told[name]["upper"] for name in ("0.8", "0.9", "0.95")]
    assert bounds == sorted(bounds)
    assert len(set(bounds)) == 6


def test_the_coverage_is_nine_in_ten_unless_asked_for(trained_client: FlaskClient) -> None:
    plain, asked = (
        trained_client.post(f"/estimate{query}", json={"1": NEAR}).json
        for query in ("", "?coverage=0.9")
    )
    assert plain == asked


def test_a_home_unlike_all_that_were_sold_is_refused_with_the_figure(
    trained_client: FlaskClient,
) -> None:
    far = NEAR | {"lat": 65.0, "bra": 900, "total_area": 900}
    answer = trained_client.post("/estimate", json={"1": far, "2": NEAR})
    assert answer.status_code == 422
    assert answer.json is not None
    errors = {error["code"]: error["message"] for error in answer.json["errors"]}
    assert set(errors) == {
        "out_of_domain:distance", "out_of_domain:usable_area", "out_of_domain:total_area"
    }  # fmt: skip
    assert errors["out_of_domain:usable_area"].startswith("900 m2; at least ")
    assert "km to the third nearest sale; at most 20 is valued" in errors["out_of_domain:distance"]


def test_too_far_from_the_data_is_a_warning_then_a_refusal(trained_client: FlaskClient) -> None:
    late = trained_client.post("/estimate?valuation_date=2026-07-01", json={"1": NEAR})
    assert late.json is not None
    assert late.json["1"]["warnings"] == ["stale:valuation_date"]
    too_late = trained_client.post("/estimate?valuation_date=2027-07-01", json={"1": HOUSE})
    assert too_late.status_code == 422
    assert too_late.json is not None
    assert too_late.json["errors"][0]["code"] == "out_of_domain:valuation_date"


def test_the_report_is_a_page_that_may_only_style_itself(trained_client: FlaskClient) -> None:
    answer = trained_client.get("/model/report")
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert "trained" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script" not in policy


def test_an_estimate_is_explained_if_asked_for(trained_client: FlaskClient) -> None:
    near = HOUSE | {"lat": 60.0, "lon": 10.0, "total_area": 200}
    query = "/estimate?valuation_date=2026-01-15&on_invalid=skip"
    plain, explained = (
        trained_client.post(f"{query}&explain={flag}", json={"1": near, "2": BAD}).get_json()
        for flag in ("false", "true")
    )
    told = explained["1"]
    assert explained == {"1": plain["1"] | told, "2": plain["2"]}
    assert list(told) == [*plain["1"], "base", "contributions", "comparables"]
    assert list(told["contributions"]) == list(GROUPS)
    assert told["base"] + sum(told["contributions"].values()) == told["estimated_price"]
    assert len(told["comparables"]) == 5
    for comparable in told["comparables"]:
        assert set(comparable) == {
            "price", "sold_on", "distance_km", "usable_area", "adjusted_price", "lat", "lon"
        }  # fmt: skip
        assert "2025-01-01" <= comparable["sold_on"] <= "2025-12-31"
    assert trained_client.post(query, json={"1": near, "2": BAD}).get_json() == plain


def test_a_map_can_be_drawn_of_the_sales_that_are_compared_with(
    trained_client: FlaskClient, trained: tuple[PriceModel, TrainingRecord]
) -> None:
    model, _ = trained
    assert isinstance(model, BoostedTrees)
    answer = trained_client.get("/model/places")
    assert answer.json is not None
    assert answer.json["model_version"] == trained_client.get("/model").get_json()["model_version"]
    cell, cells = answer.json["cell_degrees"], answer.json["cells"]
    assert cell == 0.02
    assert cells == sorted(cells)
    past = model.market.comparables
    for lat, lon, sales in cells:
        inside = (np.abs(past.lat - lat) <= cell / 2 + 1e-9) & (
            np.abs(past.lon - lon) <= cell / 2 + 1e-9
        )
        assert inside.sum() == sales > 0
    assert sum(sales for *_, sales in cells) == len(past.lat)


def test_the_places_are_looked_for_once_a_version(
    trained_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = trained_client.get("/model/places").data

    def again(self: BoostedTrees) -> Any:
        raise AssertionError("looked for again")

    monkeypatch.setattr(BoostedTrees, "places", again)
    assert trained_client.get("/model/places").data == body


def test_a_stub_compares_with_no_sales(stub_client: FlaskClient) -> None:
    assert stub_client.get("/model/places").get_json()["cells"] == []


def test_a_stub_explains_nothing(stub_client: FlaskClient) -> None:
    told = stub_client.post("/estimate?explain=true", json={"1": HOUSE}).get_json()["1"]
    assert told["base"] == told["estimated_price"] == 7_515_000
    assert (told["contributions"], told["comparables"]) == ({}, [])


def test_drift_is_told_once_somebody_has_looked(
    api_container: Container, trained_client: FlaskClient
) -> None:
    version = trained_client.get("/model").get_json()["model_version"]
    log = api_container.drift_log()
    log.record(drift_report())
    answer = trained_client.get("/model/drift")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert problem["type"] == "urn:ree:problem:no-drift-report"
    assert problem["detail"] == f'No drift report of version {version} yet. Run "ree drift".'
    log.record(drift_report(version=version))
    told = trained_client.get("/model/drift").get_json()
    assert told["model_version"] == version
    assert told["period"] == {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert told["verdict"] == "watch"
    kind, level = told["features"]
    assert kind["most_changed"] == {"bin": "leilighet", "trained": 0.5, "sold": 0.375}
    assert (kind["psi"], kind["shift"]) == (0.125, None)
    assert (level["psi"], level["distance"], level["shift"]) == (None, None, -0.0125)


def test_a_damaged_report_is_not_shown(
    api_container: Container, trained_client: FlaskClient
) -> None:
    folder = Path(api_container.settings().storage_path) / "ree-models" / "models"
    next(folder.glob("*/report.html")).write_text("<script>")
    answer = trained_client.get("/model/report")
    assert answer.status_code == 503
    assert "report.html" in answer.text
    assert "<script>" not in answer.text


def test_a_stub_says_that_it_is_one(stub_client: FlaskClient) -> None:
    answer = stub_client.get("/model").json
    assert answer is not None
    assert (answer["type"], answer["metrics"], answer["trained_on"]) == ("stub", None, None)
    segments = ("by_realestate_type", "by_municipality", "by_price_fifth", "by_reach")
    assert answer["segments"] == {name: {} for name in segments}


@pytest.mark.parametrize("given", ["abc", "A.b-c_1", "x" * 64])
def test_a_request_id_is_echoed(client: FlaskClient, given: str) -> None:
    answer = client.get("/ready", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert answer.json is not None
    assert answer.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a,b", "å", "a/b", "<script>"])
def test_a_bad_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/health", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_every_answer_has_the_headers(stub_client: FlaskClient) -> None:
    for path in ("/health", "/ready", "/model", "/nowhere", "/docs", "/openapi.json"):
        headers = stub_client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Request-Id"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/estimates", "/metrics/", "/estimate/"])
def test_an_unknown_route_is_a_problem(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/estimate", {"POST", "OPTIONS"}),
        ("DELETE", "/estimate", {"POST", "OPTIONS"}),
        ("POST", "/health", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/model", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_a_problem(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_head_and_options_have_no_body(client: FlaskClient) -> None:
    head = client.head("/health")
    assert (head.status_code, head.data) == (200, b"")
    options = client.options("/estimate")
    assert (options.status_code, options.data) == (200, b"")
    assert set(options.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.usefixtures("restored_logs")
@pytest.mark.parametrize("error", [RuntimeError("the password is hunter2"), StorageError("at /x")])
def test_a_defect_tells_nothing_and_is_logged(
    api_container: Container, api_app: Flask, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    class Broken:
        max_batch = 10

        def columns(self, *_: Any, **__: Any) -> Any:
            raise error

    configure_logs("INFO")
    api_container.serve_batch.override(providers.Object(Broken()))
    answer = api_app.test_client().post("/estimate", json={"secret-id": HOUSE})
    assert answer.status_code == (500 if isinstance(error, RuntimeError) else 503)
    assert answer.mimetype == "application/problem+json"
    assert str(error) not in answer.text
    assert "Traceback" not in answer.text
    assert answer.json is not None
    logged = capsys.readouterr().err
    assert (str(error) in logged) == isinstance(error, StorageError)
    assert answer.json["request_id"] in logged
    assert ("Traceback" in logged) == isinstance(error, RuntimeError)
    assert "secret-id" not in logged


@pytest.mark.usefixtures("restored_logs")
def test_a_request_is_one_readable_line(
    stub_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("INFO")
    stub_client.post(
        "/estimate?on_invalid=skip&secret=1",
        json={"secret-id": HOUSE},
        headers={"X-Request-Id": "r1", "Authorization": "secret"},
    )
    stub_client.get("/%0A%1b[31mfake")
    first, second = capsys.readouterr().err.splitlines()
    assert re.search(
        r"^[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z \[info     \] request method=POST route=/estimate "
        r"status=422 ms=[0-9]+\.[0-9]{2} bytes=[1-9][0-9]* request_id=r1$",
        first,
    )
    assert "secret" not in first
    assert " route=unmatched " in second
    assert "fake" not in second


@pytest.mark.usefixtures("restored_logs")
def test_quiet_logs_have_no_request_lines(
    stub_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("WARNING")
    stub_client.get("/health")
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


@pytest.mark.usefixtures("restored_logs")
def test_an_app_on_its_own_reads_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REE_STORAGE_PATH", str(tmp_path / "store"))
    monkeypatch.setenv("REE_ENV", "staging")
    answer = create_app().test_client().get("/health").json
    assert answer is not None
    assert answer["env"] == "staging"
