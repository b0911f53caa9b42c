"""The documentation is true, and asks no other host."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from ree.adapters.figures import drift_figures
from ree.domain.explanation import GROUPS
from ree.domain.property import NUMBERS
from ree.entrypoints.api.documentation import ASSETS

from ..drift_report import drift_report

HOUSE = {
    "realestate_type": "enebolig",
    "municipality_number": 4003,
    "lat": 59.21,
    "lon": 9.584,
    "built_year": 2016,
    "total_area": 5_000,
    "bra": 5,
}


class Links(HTMLParser):
    """What a page loads, and whether anything stands in it that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.inline: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._script = tag == "script"
        self.urls += [value for name, value in attrs if name in ("src", "href") and value]
        self.inline += [name for name in given if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data)


@pytest.fixture
def document(stub_client: FlaskClient) -> dict[str, Any]:
    answer = stub_client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_loads_only_what_is_served_here(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert "//" not in page.text
    links = Links()
    links.feed(page.text)
    assert len(links.urls) >= 4
    assert links.inline == []
    for url in links.urls:
        asset = client.get(f"/{url}")
        assert asset.status_code == 200, url
        assert asset.data


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_may_load_nothing_from_elsewhere(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert ("style-src 'self';" in policy) == (path == "/docs")
    assert not re.search(r"https?:|\*", policy)


@pytest.mark.parametrize("name", ASSETS)
def test_an_asset_has_its_type_and_is_kept_by_browsers(client: FlaskClient, name: str) -> None:
    types = {
        "js": "text/javascript",
        "css": "text/css",
        "png": "image/png",
        "svg": "image/svg+xml",
    }
    answer = client.get(f"/docs/assets/{name}")
    assert answer.mimetype == types[name.rpartition(".")[2]]
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/docs/assets/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_bundles_are_whole(client: FlaskClient) -> None:
    assert b"SwaggerUIBundle" in client.get("/docs/assets/swagger-ui-bundle.js").data
    redoc = client.get("/docs/assets/redoc.standalone.js").data
    assert len(redoc) > 500_000
    assert b"cdn.redoc.ly" not in redoc
    assert b'"docs/assets/logo-mini.svg"' in redoc


@pytest.mark.parametrize("name", ["nothing.js", "../../settings.py", "%2e%2e/x", "LICENSE"])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/assets/{name}").status_code == 404


def references(value: Any) -> list[str]:
    """Every $ref in a document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in references(item)]
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    return []


def test_the_document_holds_together(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.0.3"
    assert document["info"]["title"] == "ree"
    assert re.fullmatch(r"[0-9.]+", document["info"]["version"])
    assert set(document["paths"]) == {
        "/estimate", "/model", "/model/drift", "/model/places", "/model/report",
        "/model/track-record", "/health", "/ready"
    }  # fmt: skip
    schemas = document["components"]["schemas"]
    assert {ref.rpartition("/")[2] for ref in references(document)} == set(schemas)
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert "200" in operation["responses"]
            for status, response in operation["responses"].items():
                assert response["description"]
                [media_type] = response["content"]
                content = response["content"][media_type]
                for example in content.get("examples", {}).values():
                    assert example["value"].get("status", 200) == int(status) or status == "200"
                assert ("examples" in content) >= (status != "200")
                assert (media_type == "application/problem+json") == (status != "200")


def test_the_problems_of_an_estimate_are_documented(document: dict[str, Any]) -> None:
    estimate = document["paths"]["/estimate"]["post"]
    statuses = {"200", "400", "401", "413", "415", "422", "429", "500", "503"}
    assert set(estimate["responses"]) == statuses
    for status in ("429", "503"):
        assert "Retry-After" in estimate["responses"][status]["headers"]
    assert "WWW-Authenticate" in estimate["responses"]["401"]["headers"]
    assert [parameter["name"] for parameter in estimate["parameters"]] == [
        "valuation_date",
        "on_invalid",
        "coverage",
        "explain",
    ]
    body = estimate["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Batch"}
    batch = document["components"]["schemas"]["Batch"]
    assert batch["additionalProperties"] == {"$ref": "#/components/schemas/Features"}


def examples(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The requests, the answers and the problems that the documentation shows."""
    estimate = document["paths"]["/estimate"]["post"]
    return (
        estimate["requestBody"]["content"]["application/json"]["examples"],
        estimate["responses"]["200"]["content"]["application/json"]["examples"],
        estimate["responses"]["422"]["content"]["application/problem+json"]["examples"],
    )


def alike(shown: Any, given: Any) -> None:
    """The same but for the figures, which are the model's."""
    assert list(given) == list(shown)
    for property_id, result in given.items():
        assert list(result) == list(shown[property_id])
        assert "error" not in result or result == shown[property_id]


@pytest.mark.parametrize("name", ["good", "mixed"])
def test_the_examples_give_what_they_show(
    stub_client: FlaskClient, document: dict[str, Any], name: str
) -> None:
    requests, answers, problems = examples(document)
    assert {*requests, "explained"} == set(answers) == {"good", "mixed", "explained"}
    body = requests[name]["value"]
    skipped = stub_client.post("/estimate?on_invalid=skip", json=body)
    assert skipped.status_code == 200
    alike(answers[name]["value"], skipped.get_json())
    answer = stub_client.post("/estimate", json=body)
    if name == "good":
        assert answer.status_code == 200
        alike(answers[name]["value"], answer.get_json())
    else:
        shown = problems[name]["value"]
        assert answer.status_code == 422
        assert answer.get_json(force=True) | {"request_id": shown["request_id"]} == shown


def test_the_explained_example_is_as_an_answer_and_adds_up(
    stub_client: FlaskClient, document: dict[str, Any]
) -> None:
    requests, answers, _ = examples(document)
    ((property_id, shown),) = answers["explained"]["value"].items()
    body = {property_id: requests["good"]["value"][property_id]}
    given = stub_client.post("/estimate?explain=true", json=body).get_json()
    alike({property_id: shown}, given)
    assert shown["base"] + sum(shown["contributions"].values()) == shown["estimated_price"]
    schemas = document["components"]["schemas"]
    contributions = schemas["Estimate"]["properties"]["contributions"]["properties"]
    assert set(shown["contributions"]) == set(contributions) == set(GROUPS)
    for comparable in shown["comparables"]:
        sale = schemas["ComparableSale"]
        assert set(comparable) == set(sale["properties"]) == set(sale["required"])
        assert comparable["sold_on"] <= shown["valuation_date"]


def test_shown_problems_are_the_real_ones(
    stub_client: FlaskClient, client: FlaskClient, document: dict[str, Any]
) -> None:
    responses = document["paths"]["/estimate"]["post"]["responses"]
    as_json = {"content_type": "application/json"}
    answers = [
        stub_client.post("/estimate", data=b"", **as_json),
        stub_client.post("/estimate", data=b"x", content_type="text/plain"),
        stub_client.post("/estimate", data=b"{}", **as_json),
        client.post("/estimate", json={"1": HOUSE}),
    ]
    for answer in answers:
        given = answer.get_json(force=True)
        content = responses[str(answer.status_code)]["content"]["application/problem+json"]
        shown = content["examples"][given["type"].rpartition(":")[2]]["value"]
        assert given | {"request_id": shown["request_id"]} == shown


def test_shown_prices_per_square_metre_are_right(document: dict[str, Any]) -> None:
    requests, answers, _ = examples(document)
    for property_id, result in answers["good"]["value"].items():
        area = requests["good"]["value"][property_id]["bra"]
        assert result["price_per_sqm"] == round(result["estimated_price"] / area)


def test_answers_have_the_documented_fields(
    stub_client: FlaskClient, document: dict[str, Any]
) -> None:
    schemas = document["components"]["schemas"]
    for path, name in (
        ("/health", "Health"),
        ("/ready", "Ready"),
        ("/model", "Model"),
        ("/model/places", "Places"),
        ("/model/track-record", "TrackRecord"),
    ):
        answer = stub_client.get(path).get_json()
        assert set(answer) == set(schemas[name]["properties"]) == set(schemas[name]["required"])
    refresh = schemas["Ready"]["properties"]["refresh"]
    given = stub_client.get("/ready").get_json()
    shown = document["paths"]["/ready"]["get"]["responses"]["200"]["content"]["application/json"]
    for ready in (given, *(example["value"] for example in shown["examples"].values())):
        assert list(ready) == list(given)
        assert set(ready["refresh"]) == set(refresh["properties"]) == set(refresh["required"])
    looked = document["paths"]["/model/drift"]["get"]["responses"]["200"]["content"]
    for shown in looked["application/json"]["examples"].values():
        found, report = shown["value"], drift_figures(drift_report())
        assert list(found) == list(report) == list(schemas["Drift"]["properties"])
        documented = list(schemas["Drift"]["properties"]["features"]["items"]["properties"])
        for one in (*found["features"], *report["features"]):
            assert list(one) == documented
    estimate = stub_client.post("/estimate", json={"1": HOUSE}).get_json()["1"]
    assert set(estimate) == set(schemas["Estimate"]["required"])
    estimate = stub_client.post("/estimate?explain=true", json={"1": HOUSE}).get_json()["1"]
    assert set(estimate) == set(schemas["Estimate"]["properties"])
    problem = stub_client.post("/estimate", json={"1": {}}).get_json(force=True)
    assert set(problem) == set(schemas["Problem"]["properties"])
    assert set(problem["errors"][0]) == set(schemas["Fault"]["properties"])


def bounds() -> list[tuple[str, str]]:
    """The bounds that a client could rely on."""
    low = [(name, "minimum") for name in NUMBERS]
    high = [(name, "maximum") for name in NUMBERS if name != "built_year"]
    return low + high


@pytest.mark.parametrize(("field", "bound"), bounds())
def test_the_documented_bounds_are_the_rules(
    stub_client: FlaskClient, document: dict[str, Any], field: str, bound: str
) -> None:
    limit = document["components"]["schemas"]["Features"]["properties"][field][bound]
    features: dict[str, Any] = HOUSE | {"floor": 1}
    if field == "usable_area":
        del features["bra"]
        features["total_area"] = 10_000

    def status(value: float) -> int:
        return stub_client.post("/estimate", json={"1": features | {field: value}}).status_code

    assert status(limit) == 200
    assert status(limit + (1e-6 if bound == "maximum" else -1e-6)) == 422


def test_every_documented_field_is_accepted_and_no_other(
    stub_client: FlaskClient, document: dict[str, Any]
) -> None:
    features = document["components"]["schemas"]["Features"]
    assert features["additionalProperties"] is False
    answer = stub_client.post("/estimate", json={"1": dict.fromkeys(features["properties"])})
    codes = [error["code"] for error in answer.get_json(force=True)["errors"]]
    missing = sorted({*features["required"], "usable_area"})
    assert codes == ["missing:" + ",".join(missing)]
    for kind in features["properties"]["realestate_type"]["enum"]:
        home = HOUSE | {"realestate_type": kind, "floor": 1}
        assert stub_client.post("/estimate", json={"1": home}).status_code == 200
