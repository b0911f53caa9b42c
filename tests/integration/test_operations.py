"""What the operator and tools learn of requests: counts, lines, headers, timings, tags."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from threading import enumerate as threads
from typing import Any

import pytest
import structlog
from attrs import evolve
from dependency_injector import providers
from flask import Flask, g, request
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from ree.adapters.client_keys import entry, new_client_key, read_client_keys
from ree.container import Container
from ree.entrypoints.api import create_app
from ree.entrypoints.logs import configure_logs

from ..drift_report import drift_report
from ..metric_tables import check_with_promtool, documented, shown
from .service import Publisher
from .test_api import HOUSE

PAGES = ["/docs", "/redoc"]
STABLE = [*PAGES, "/openapi.json", "/docs/assets/page.css", "/docs/assets/swagger-ui-bundle.js"]
OF_A_MODEL = ["/model", "/model/drift", "/model/places", "/model/report"]


def samples(client: FlaskClient) -> dict[str, float]:
    """What is counted, by the name and the labels as they are written."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


@pytest.fixture
def published(api_container: Container, client: FlaskClient) -> FlaskClient:
    publisher = Publisher(api_container)
    publisher.activate(looked_at(publisher, publisher.publish(20_000)))
    api_container.watched_model().look()
    return client


def looked_at(publisher: Publisher, version: str) -> str:
    publisher.container.drift_log().record(drift_report(version=version))
    return version


@pytest.fixture
def counting(api_app: Flask) -> FlaskClient:
    """A route that tells of batches as the one of estimates does."""

    @api_app.post("/batch")
    def batch() -> str:
        asked = request.get_json()
        count = g.exchange.refused if asked.get("whole") else g.exchange.priced
        count(asked["asked"], asked["codes"], asked["path"])
        return ""

    return api_app.test_client()


# Metrics


def test_requests_are_counted_by_route_method_and_status(client: FlaskClient) -> None:
    for path in ("/health", "/health", "/ready", "/docs/assets/page.css", "/a", "/b/../c"):
        client.get(path)
    client.head("/health")
    client.post("/health")
    client.open("/health", method="PURGE")
    found = samples(client)
    counts = {
        name.removeprefix("ree_http_requests_total"): value
        for name, value in found.items()
        if name.startswith("ree_http_requests_total")
    }
    assert counts == {
        "{method=GET,route=/health,status=200}": 2,
        "{method=HEAD,route=/health,status=200}": 1,
        "{method=GET,route=/ready,status=503}": 1,
        "{method=GET,route=/docs/assets/<name>,status=200}": 1,
        "{method=GET,route=unmatched,status=404}": 2,
        "{method=POST,route=unmatched,status=405}": 1,
        "{method=other,route=unmatched,status=405}": 1,
    }
    assert found["ree_http_request_duration_seconds_count{route=/health}"] == 3
    assert found["ree_http_request_duration_seconds_bucket{le=0.0005,route=/health}"] == 3
    assert found["ree_http_requests_in_flight{}"] == 1  # the question itself


def test_properties_and_paths_are_counted(counting: FlaskClient) -> None:
    for body in (
        {"asked": 5, "codes": ["missing:lat", "out_of_domain:price"], "path": "fast"},
        {"asked": 2, "codes": [], "path": "fast"},
        {"asked": 3, "codes": ["strange:y"], "path": "complete", "whole": True},
    ):
        assert counting.post("/batch", json=body).status_code == 200
    found = samples(counting)
    assert found["ree_properties_asked_total{}"] == 10
    assert found["ree_properties_priced_total{}"] == 5
    assert found["ree_batch_size_count{}"] == 3
    assert [found[f"ree_batch_size_bucket{{le={size}.0}}"] for size in (1, 2, 5)] == [0, 1, 3]
    assert {
        name: value
        for name, value in found.items()
        if name.startswith("ree_properties_refused_total") and value
    } == {
        "ree_properties_refused_total{code=missing:lat}": 1,
        "ree_properties_refused_total{code=out_of_domain:price}": 1,
        "ree_properties_refused_total{code=other}": 1,
    }
    assert found["ree_bodies_decoded_total{path=fast}"] == 2
    assert found["ree_bodies_decoded_total{path=complete}"] == 1


@pytest.mark.parametrize("path", ["fast", "complete"])
def test_only_what_is_priced_counts_as_near_the_edge(
    api_container: Container, api_app: Flask, trained: Any, path: str
) -> None:
    """A home that is refused for one reason is near the edge in others."""
    registry = api_container.registry()
    registry.activate(registry.publish(*trained).version, expected=None, by="test", why="test")
    api_container.watched_model().look()
    usual = {**HOUSE, "municipality_number": "0301", "lat": 60, "lon": 10}
    usual |= {"bra": 100, "total_area": 120, "built_year": 1960, "floor": 2}
    old, older = {**usual, "built_year": 1890}, {**usual, "built_year": 1700}
    answer = api_app.test_client().post(
        "/estimate?valuation_date=2025-12-31&on_invalid=skip"
        + ("&explain=true" if path == "complete" else ""),
        json={"usual": usual, "old": old, "again": old, "older": older},
    )
    told = answer.get_json()
    assert told["older"]["error"]["code"] == "out_of_domain:age"
    assert [told[name]["warnings"] for name in ("usual", "old")] == [[], ["near_edge:age"]]
    found = samples(api_app.test_client())
    assert found["ree_estimates_near_edge_total{respect=age}"] == 2
    assert found["ree_properties_refused_total{code=out_of_domain:age}"] == 1
    assert found[f"ree_bodies_decoded_total{{path={path}}}"] == 1


def test_the_model_is_told_with_its_age(api_container: Container, client: FlaskClient) -> None:
    assert samples(client)["ree_model_ready{}"] == 0
    assert not [name for name in samples(client) if name.startswith("ree_model_info")]
    version = api_container.bootstrap()(by="test")
    api_container.watched_model().look()
    found = samples(client)
    assert found["ree_model_ready{}"] == 1
    labels = f"sequence=1,trained_until=,type=stub,version={version.version}"
    assert found[f"ree_model_info{{{labels}}}"] == 1
    assert found["ree_model_age_seconds{}"] == 0
    assert "ree_model_data_age_seconds{}" not in found
    now = datetime(2026, 2, 9, 22, 30, tzinfo=UTC)
    assert found["ree_start_time_seconds{}"] == now.timestamp()


def test_the_age_of_a_trained_model_s_data_is_told(
    api_container: Container, client: FlaskClient, trained: Any
) -> None:
    registry = api_container.registry()
    registry.activate(registry.publish(*trained).version, expected=None, by="test", why="test")
    api_container.watched_model().look()
    found = samples(client)
    assert found["ree_model_data_age_seconds{}"] == (40 * 24 + 22.5) * 3_600
    assert [name for name in found if "trained_until=2025-12-31" in name]


def test_failures_to_refresh_are_counted(
    api_container: Container, published: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert samples(published)["ree_model_refresh_failures_total{}"] == 0
    model = api_container.watched_model()
    monkeypatch.setattr(model, "registry", None)
    for _ in range(2):
        model.look()
    assert samples(published)["ree_model_refresh_failures_total{}"] == 2


def test_a_scraper_may_ask_for_openmetrics(client: FlaskClient) -> None:
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer.mimetype == "application/openmetrics-text"
    assert answer.text.endswith("# EOF\n")


def test_calls_of_the_storage_are_counted(published: FlaskClient) -> None:
    found = samples(published)
    assert found["ree_storage_requests_total{operation=get,outcome=ok}"] > 0
    assert found["ree_storage_request_duration_seconds_count{operation=get}"] > 0
    assert found["ree_storage_requests_total{operation=get,outcome=failed}"] == 0


def test_records_are_read_after_a_look_for_a_newer_model(
    api_container: Container, client: FlaskClient
) -> None:
    storage = api_container.settings().storage_path
    storage.mkdir()
    (storage / "ree-models").write_text("not a folder")
    api_container.watched_model().look()
    for thread in threads():
        if thread.name == "ree-records":
            thread.join()
    found = samples(client)
    assert found["ree_records_read_failures_total{}"] == 2  # retrains and the track record
    assert "ree_gate_refusals_in_a_row{}" not in found


def test_everything_is_documented(api_container: Container, trained: Any) -> None:
    key = new_client_key()
    settings = evolve(api_container.settings(), client_keys=read_client_keys(entry("web", key)))
    api_container.settings.override(providers.Object(settings))
    registry = api_container.registry()
    registry.activate(registry.publish(*trained).version, expected=None, by="test", why="test")
    client = create_app(api_container).test_client()
    client.get("/ready")
    for thread in threads():
        if thread.name == "ree-records":
            thread.join()
    text = client.get("/metrics", headers={"X-Api-Key": key}).text
    no_labels: set[str] = set()
    assert shown(text) == documented("The API", "All of them") | {
        "ree_records_read_failures_total": no_labels,
        "ree_gate_refusals_in_a_row": no_labels,
    }
    check_with_promtool(text)


# The access log


@pytest.fixture
def stream() -> Iterator[StringIO]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield StringIO()
    root.handlers[:] = handlers
    structlog.reset_defaults()


def test_a_line_tells_whose_request_it_was_and_how_much(
    counting: FlaskClient, stream: StringIO
) -> None:
    configure_logs("INFO", stream=stream)
    body = {"asked": 5, "codes": [], "path": "fast"}
    answer = counting.post("/batch", json=body, headers={"X-Request-Id": "r1"})
    [line] = stream.getvalue().splitlines()
    assert re.fullmatch(
        r"\S+Z \[info     \] request method=POST route=/batch status=200 ms=\d+\.\d\d "
        rf"properties=5 bytes={len(answer.data)} request_id=r1",
        line,
    )


def test_json_lines_are_objects_with_the_same_facts(
    counting: FlaskClient, stream: StringIO
) -> None:
    configure_logs("INFO", "json", stream=stream)
    body = {"asked": 5, "codes": [], "path": "fast"}
    counting.post("/batch?q=secret", json=body, headers={"X-Request-Id": "r1"})
    counting.open('/a"b\\c\u2028', method='GE"T')
    structlog.get_logger().warning("other", key="v\n")
    logging.getLogger("gunicorn.error").info("Booting %s", "x")
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    first, second, third, fourth, fifth = map(json.loads, stream.getvalue().splitlines())
    assert datetime.fromisoformat(first.pop("timestamp")).tzinfo is not None
    assert first.pop("ms") >= 0
    assert first == {
        "event": "request", "level": "info", "logger": "ree.entrypoints.api.access_log",
        "method": "POST", "route": "/batch", "status": 200,
        "request_id": "r1", "properties": 5, "bytes": 0,
    }  # fmt: skip
    assert (second["method"], second["route"]) == ("other", "unmatched")
    assert (third["event"], third["key"], third["level"]) == ("other", "v\n", "warning")
    assert (fourth["event"], fourth["level"]) == ("Booting x", "info")
    assert fifth["exception"].endswith("\nRuntimeError")
    assert "request_id" not in third


def test_a_path_that_is_no_route_is_not_told(client: FlaskClient, stream: StringIO) -> None:
    configure_logs("INFO", stream=stream)
    client.get("/ola@nordmann.example/59.91/10.75")
    [line] = stream.getvalue().splitlines()
    assert " route=unmatched " in line
    assert "ola" not in line


def test_what_else_is_logged_meanwhile_has_the_request_s_id(
    api_app: Flask, stream: StringIO
) -> None:
    @api_app.get("/talks")
    def talks() -> str:
        structlog.get_logger().warning("inside")
        return ""

    configure_logs("INFO", stream=stream)
    api_app.test_client().get("/talks", headers={"X-Request-Id": "r1"})
    structlog.get_logger().warning("outside")
    inside, _, outside = stream.getvalue().splitlines()
    assert inside.endswith("inside request_id=r1")
    assert outside.endswith("outside")


def test_a_closed_stream_fails_no_request(client: FlaskClient, stream: StringIO) -> None:
    configure_logs("INFO", stream=stream)
    stream.close()
    assert client.get("/health").status_code == 200


# Headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("OPTIONS", "/estimate", 200),
        ("GET", "/nowhere", 404),
        ("TRACE", "/estimate", 405),
        ("POST", "/estimate", 415),
        ("GET", "/docs", 200),
        ("GET", "/docs/assets/page.css", 200),
        ("GET", "/metrics", 200),
        ("GET", "/model", 200),
    ],
)
def test_every_answer_is_guarded(
    stub_client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = stub_client.open(path, method=method)
    assert answer.status_code == status
    answers = [answer]
    if tag := answer.headers.get("ETag"):
        answers.append(stub_client.get(path, headers={"If-None-Match": tag}))
        assert answers[1].status_code == 304
    for each in answers:
        names = [name.lower() for name, _ in each.headers]
        assert len(names) == len(set(names))
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert each.headers["Referrer-Policy"] == "no-referrer"
        assert each.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert each.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "geolocation=()" in each.headers["Permissions-Policy"]
        policy = each.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert each.headers["Cache-Control"] == ("no-cache" if tag else "no-store")
        assert "Strict-Transport-Security" not in each.headers
        assert re.fullmatch("[0-9a-f]{32}", each.headers["X-Request-Id"])


@pytest.mark.parametrize("path", [*STABLE, *OF_A_MODEL])
def test_what_is_stable_has_a_strong_tag(published: FlaskClient, path: str) -> None:
    first, again = published.get(path), published.get(path)
    tag = first.headers["ETag"]
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    assert again.headers["ETag"] == tag
    assert again.data == first.data
    for given in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        kept = published.get(path, headers={"If-None-Match": given})
        assert (kept.status_code, kept.data) == (304, b"")
        assert kept.headers["ETag"] == tag
        assert kept.headers["Cache-Control"] == "no-cache"
    assert published.get(path, headers={"If-None-Match": '"other"'}).data == first.data
    head = published.head(path)
    assert (head.status_code, head.headers["ETag"], head.data) == (200, tag, b"")


@pytest.mark.parametrize("path", OF_A_MODEL)
def test_another_model_has_another_tag(
    api_container: Container, published: FlaskClient, path: str
) -> None:
    tag = published.get(path).headers["ETag"]
    publisher = Publisher(api_container)
    version = looked_at(publisher, publisher.publish(90_000))
    publisher.activate(version)
    api_container.watched_model().look()
    answer = published.get(path, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert version in answer.text


def test_a_report_is_read_once_a_version(api_container: Container, published: FlaskClient) -> None:
    page = published.get("/model/report").data

    class Gone:
        def artifact(self, *_: Any) -> bytes:
            raise AssertionError("asked again")

    api_container.registry.override(providers.Object(Gone()))
    assert published.get("/model/report").data == page


@pytest.mark.parametrize("path", ["/estimate", "/health", "/ready", "/metrics"])
def test_what_changes_is_not_kept(stub_client: FlaskClient, path: str) -> None:
    method = "POST" if path == "/estimate" else "GET"
    answer = stub_client.open(path, method=method, json={"1": HOUSE} if method == "POST" else None)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_an_estimate_tells_what_took_how_long(
    stub_client: FlaskClient, api_container: Container, api_app: Flask
) -> None:
    whole = stub_client.post("/estimate", json={"1": HOUSE}).headers["Server-Timing"]
    parts = r"decode;dur=\d+\.\d{3}, value;dur=\d+\.\d{3}, encode;dur=\d+\.\d{3}, "
    assert re.fullmatch(parts + r"total;dur=\d+\.\d{3}", whole)
    assert "Server-Timing" not in stub_client.get("/health").headers

    class Slow:
        max_batch = 10

        def __call__(self, *_: Any, **__: Any) -> Any:
            g.timings += [("first", 0.00002), ("second", 1.5)]
            return []

    api_container.serve_batch.override(providers.Object(Slow()))
    explained = api_app.test_client().post("/estimate?explain=true", json={"1": HOUSE})
    told = explained.headers["Server-Timing"]
    assert "first;dur=0.020, second;dur=1500.000, total;dur=" in told


# Defects


@pytest.mark.parametrize("where", ["view", "before", "after", "handler", "gate"])
@pytest.mark.parametrize("as_configured", ["plain", "debug", "testing"])
def test_a_defect_anywhere_is_a_problem_that_tells_nothing(
    api_container: Container,
    monkeypatch: pytest.MonkeyPatch,
    stream: StringIO,
    where: str,
    as_configured: str,
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("at /srv/ree the password is hunter2")

    configure_logs("INFO", stream=stream)
    app = create_app(api_container)
    app.debug = as_configured == "debug"
    app.testing = as_configured == "testing"
    if where == "gate":
        monkeypatch.setattr("ree.entrypoints.api.port_gate", lambda _: broken)
        settings = api_container.settings()
        object.__setattr__(settings, "metrics_port", 9_100)
        app = create_app(api_container)
    elif where == "before":
        app.before_request(broken)
    elif where == "after":
        app.after_request(broken)
    elif where == "handler":
        app.register_error_handler(404, broken)
    else:
        app.view_functions["ree.health"] = broken
    answer = app.test_client().get("/nowhere" if where == "handler" else "/health")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json(force=True) == {
        "type": "urn:ree:problem:internal",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong in the service; its log tells what, under the request id.",
        "request_id": answer.headers["X-Request-Id"],
    }
    assert answer.headers["Content-Security-Policy"]
    logged = stream.getvalue()
    assert f"request_id={answer.headers['X-Request-Id']}" in logged
    assert "in broken" in logged
    assert "RuntimeError" in logged
    assert "hunter2" not in logged.replace(
        'raise RuntimeError("at /srv/ree the password is hunter2")', ""
    )
