"""Who may ask the API, from where, and how often."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from dependency_injector import providers
from flask.testing import FlaskClient

from ree.adapters.client_keys import entry, new_client_key, read_client_keys
from ree.adapters.settings import Settings
from ree.container import Container
from ree.entrypoints.api import create_app

from .conftest import NOW

WEB, OLD, APP = (new_client_key() for _ in range(3))
KEYS = read_client_keys(
    ",".join([entry("web", WEB) + ":60", entry("old", OLD), entry("app", APP) + ":0"])
)
OPEN = ["/", "/health", "/docs", "/redoc", "/openapi.json", "/docs/assets/page.css"]
OPEN += ["/?lang=en", "/assets/page.js", "/assets/en.json", "/assets/municipalities.json"]
CLOSED = ["/model", "/model/report", "/metrics", "/nowhere", "/docs/", "/health/x", "//health"]
CLOSED += ["/model/drift", "/model/places", "/model/track-record", "/assets", "//"]
CLOSED += ["/estimate/assets/page.js"]
HERE, THERE = "https://app.example", "https://[::1]:8443"


@define
class Hands:
    """A clock that is moved by hand."""

    seconds: float = 1_000.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def api(tmp_path: Path, clock: Hands) -> Iterator[Callable[..., FlaskClient]]:
    """Clients of APIs with a stub for a model, by settings."""
    containers = []

    def make(**settings: Any) -> FlaskClient:
        container = Container()
        folder = tmp_path / "store"
        container.settings.override(providers.Object(Settings(storage_path=folder, **settings)))
        container.clock.override(providers.Object(clock))
        if not folder.exists():
            container.bootstrap()(by="test")
        containers.append(container)
        return create_app(container).test_client()

    yield make
    for container in containers:
        container.watched_model().stop()


@pytest.fixture
def keyed(api: Callable[..., FlaskClient]) -> FlaskClient:
    return api(client_keys=KEYS)


def bearer(key: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {key}"}


@pytest.mark.parametrize("path", [*OPEN, "/ready"])
def test_what_is_open_needs_no_key(keyed: FlaskClient, path: str) -> None:
    assert keyed.get(path).status_code == 200
    assert keyed.get(path, headers=bearer("wrong")).status_code == 200
    assert keyed.head(path).status_code == 200


@pytest.mark.parametrize("path", CLOSED)
def test_all_else_needs_one(keyed: FlaskClient, path: str) -> None:
    assert keyed.get(path).status_code == 401
    assert keyed.get(path, headers=bearer(OLD)).status_code != 401
    assert keyed.post(path).status_code == 401


@pytest.mark.parametrize("folder", ["/assets/", "/docs/assets/"])
@pytest.mark.parametrize("path", ["../model", "../../model", "%2e%2e/model", "x/../../model"])
def test_nothing_is_reached_through_what_is_open(
    keyed: FlaskClient, folder: str, path: str
) -> None:
    assert keyed.get(folder + path).status_code in (401, 404)
    environ = {"PATH_INFO": folder + path.replace("%2e", ".")}
    assert keyed.get("/", environ_overrides=environ).status_code == 404


def test_without_keys_all_is_open(api: Callable[..., FlaskClient]) -> None:
    client = api(client_rate=1)
    for _ in range(3):
        assert client.get("/model").status_code == 200
        assert client.get("/model", headers=bearer("any")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        bearer(OLD),
        bearer(OLD, "bearer"),
        bearer(OLD, "BEARER "),
        {"X-Api-Key": OLD},
        {"X-Api-Key": OLD} | bearer(OLD),
        {"X-Api-Key": APP},
    ],
)
def test_any_of_the_keys_is_taken_in_either_header(
    keyed: FlaskClient, headers: dict[str, str]
) -> None:
    assert keyed.get("/model", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer("x"),
        bearer(OLD[:-1]),
        bearer(OLD + "x"),
        bearer(OLD.swapcase()),
        bearer(KEYS[1].digest.hex()),
        bearer(f"old:{OLD}"),
        bearer("x" * 4_000),
        bearer("\xf8\xff"),
        bearer(OLD, "Basic"),
        {"Authorization": OLD},
        {"X-Api-Key": OLD, "Authorization": "Basic Zm9vOmJhcg=="},
        {"X-Api-Key": OLD, "Authorization": OLD},
        {"X-Api-Key": ""},
        {"X-Api-Key": f"{OLD},{OLD}"},
        {"X-Api-Key": OLD} | bearer(APP),
        {"X-Api-Key": "x"} | bearer(OLD),
        {"X-Api-Key": OLD} | bearer("x"),
        {"X-Api-Key": OLD} | bearer(""),
    ],
)
def test_no_other_is_and_all_are_told_the_same(keyed: FlaskClient, headers: dict[str, str]) -> None:
    answer = keyed.post("/estimate", data=b"not read", headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "RateLimit" not in answer.headers
    assert answer.get_json(force=True) == {
        "type": "urn:ree:problem:client-key",
        "title": "Client key needed",
        "status": 401,
        "detail": "Send a client key of this service, as Authorization: Bearer KEY or "
        "X-Api-Key: KEY.",
        "request_id": answer.headers["X-Request-Id"],
    }


def test_every_hash_is_compared_whatever_is_sent(
    keyed: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("ree.entrypoints.api.client_keys.compare_digest", compare)
    for headers in ({}, bearer("x"), bearer("x" * 4_000), bearer(WEB), bearer(APP)):
        keyed.get("/model", headers=headers)
    assert [one for one, _ in compared] == [key.digest for key in KEYS] * 5
    assert {len(other) for _, other in compared} == {32}


def test_a_client_that_asks_too_often_is_told_when_to_ask_again(
    keyed: FlaskClient, clock: Hands
) -> None:
    answers = [keyed.get("/model", headers=bearer(WEB)) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert answers[0].headers["RateLimit-Policy"] == '"key";q=60;w=60'
    assert answers[0].headers["RateLimit"] == '"key";r=9'
    refused = answers[-1]
    assert refused.headers["RateLimit"] == '"key";r=0;t=1'
    assert refused.headers["Retry-After"] == "1"
    assert refused.mimetype == "application/problem+json"
    problem = refused.get_json(force=True)
    assert problem["type"] == "urn:ree:problem:too-many-requests"
    assert problem["request_id"] == refused.headers["X-Request-Id"]
    clock.seconds += 0.9
    assert keyed.get("/model", headers=bearer(WEB)).status_code == 429
    clock.seconds += 0.1
    assert keyed.get("/model", headers=bearer(WEB)).status_code == 200
    assert keyed.get("/health", headers=bearer(WEB)).status_code == 200


def test_other_clients_do_not_feel_it_and_have_the_common_rate_or_none(
    api: Callable[..., FlaskClient],
) -> None:
    client = api(client_keys=KEYS, client_rate=12)

    def statuses(key: str) -> list[int]:
        return [client.get("/model", headers=bearer(key)).status_code for _ in range(12)]

    assert statuses(WEB).count(200) == 10
    assert statuses(OLD).count(200) == 2
    assert statuses(APP).count(200) == 12
    assert "RateLimit" not in client.get("/model", headers=bearer(APP)).headers


def test_clients_are_counted_by_name(keyed: FlaskClient) -> None:
    for _ in range(11):
        keyed.get("/model", headers=bearer(WEB))
    keyed.get("/model")
    keyed.get("/model", headers=bearer("x"))
    keyed.get("/health")
    lines = keyed.get("/metrics", headers=bearer(OLD)).text.splitlines()
    assert 'ree_client_requests_total{client="web"} 11.0' in lines
    assert 'ree_client_requests_total{client="old"} 1.0' in lines
    assert 'ree_client_requests_total{client="app"} 0.0' in lines
    assert 'ree_client_rate_limited_total{client="web"} 1.0' in lines
    assert "ree_client_unauthorized_total 2.0" in lines
    assert 'ree_http_requests_total{method="GET",route="/model",status="401"} 2.0' in lines


def test_the_documentation_asks_for_a_key_where_one_is_needed(
    api: Callable[..., FlaskClient],
) -> None:
    with_keys, without = (
        api(client_keys=keys).get("/openapi.json").get_json() for keys in (KEYS, ())
    )
    assert "security" not in without
    assert with_keys["security"] == [{"bearer": []}, {"header": []}]
    for document in (with_keys, without):
        schemes = document["components"]["securitySchemes"]
        assert schemes["bearer"]["type"] == "http"
        assert (schemes["header"]["in"], schemes["header"]["name"]) == ("header", "X-Api-Key")
        for path, operations in document["paths"].items():
            [operation] = operations.values()
            free = path in ("/health", "/ready")
            assert (operation.get("security") == []) == free
            assert ("401" in operation["responses"]) == (not free)
            assert ("429" in operation["responses"]) == (not free)


def test_shown_problems_are_the_real_ones(keyed: FlaskClient) -> None:
    document = keyed.get("/openapi.json").get_json()
    responses = document["paths"]["/estimate"]["post"]["responses"]
    answers = [keyed.post("/estimate")]
    answers += [keyed.post("/estimate", headers=bearer(WEB)) for _ in range(11)][-1:]
    for answer, name in zip(answers, ("client-key", "too-many-requests"), strict=True):
        content = responses[str(answer.status_code)]["content"]["application/problem+json"]
        shown = content["examples"][name]["value"]
        given = answer.get_json(force=True)
        for field in ("type", "title", "status"):
            assert given[field] == shown[field]
    assert shown["detail"].replace("600", "60").replace("100 at", "10 at") == given["detail"]


# Other origins


@pytest.fixture
def shared(api: Callable[..., FlaskClient]) -> FlaskClient:
    return api(client_keys=KEYS, cors_origins=(HERE, THERE))


def preflight(client: FlaskClient, origin: str, path: str = "/estimate") -> Any:
    asked = "authorization,content-type,x-api-key,x-request-id"
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    return client.options(path, headers=headers)


@pytest.mark.parametrize("origin", [HERE, THERE])
def test_a_page_of_a_listed_origin_may_ask(shared: FlaskClient, origin: str) -> None:
    answer = preflight(shared, origin)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert set(answer.headers["Access-Control-Allow-Headers"].split(", ")) == {
        "authorization", "content-type", "x-api-key", "x-request-id"
    }  # fmt: skip
    assert "POST" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    for path, key in (("/model", OLD), ("/model", "wrong"), ("/nowhere", OLD), ("/health", "")):
        told = shared.get(path, headers={"Origin": origin} | bearer(key)).headers
        assert told.getlist("Access-Control-Allow-Origin") == [origin]
        assert set(told["Access-Control-Expose-Headers"].split(", ")) >= {
            "X-Request-Id", "Retry-After", "ETag", "Server-Timing"
        }  # fmt: skip
        assert "Origin" in told["Vary"]
        assert "Access-Control-Allow-Credentials" not in told


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        f"{HERE}.evil.example",
        f"https://evil.example/{HERE}",
        "https://appXexample",
        "http://app.example",
        f"{HERE}:444",
        "null",
        "*",
        "https://:",
    ],
)
def test_no_other_may(shared: FlaskClient, origin: str) -> None:
    for answer in (
        preflight(shared, origin),
        shared.get("/model", headers={"Origin": origin} | bearer(OLD)),
    ):
        names = [name.lower() for name, _ in answer.headers]
        assert not [name for name in names if name.startswith("access-control")]
        assert "Origin" in answer.headers["Vary"]


def test_the_list_is_not_told_to_who_does_not_ask(shared: FlaskClient) -> None:
    answer = shared.get("/health")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_without_a_list_nothing_is_shared(keyed: FlaskClient) -> None:
    answer = preflight(keyed, HERE)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert "Vary" not in answer.headers


# The metrics' port


def test_the_metrics_have_a_port_of_their_own_without_a_key(
    api: Callable[..., FlaskClient],
) -> None:
    client = api(client_keys=KEYS, metrics_port=9100)
    apart = "http://localhost:9100"
    assert client.get("/metrics", base_url=apart).status_code == 200
    for path in (*OPEN, "/ready", "/model", "/nowhere"):
        answer = client.get(path, base_url=apart, headers=bearer(OLD))
        assert answer.status_code == 404
        assert answer.mimetype == "application/problem+json"
    assert client.post("/estimate", base_url=apart, json={}).status_code == 404
    for headers in ({}, bearer(OLD), {"Host": "localhost:9100", "X-Forwarded-Port": "9100"}):
        assert client.get("/metrics", headers=headers).status_code == 404
    assert client.get("/health").status_code == 200
    assert client.get("/model").status_code == 401
