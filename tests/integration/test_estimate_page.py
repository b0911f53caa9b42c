"""The estimate page over HTTP: its language, what it loads, and that it is always there."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import evolve
from dependency_injector import providers
from flask.testing import FlaskClient

from ree.adapters.client_keys import entry, new_client_key, read_client_keys
from ree.domain.property import RealEstateType
from ree.entrypoints.api import create_app
from ree.entrypoints.api.estimate_page import assets

from .conftest import container_in

TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class Elements(HTMLParser):
    """The elements of a page: their names and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [given[name] for _, given in self.found if name in given]


def language_of(client: FlaskClient, url: str = "/", accepted: str | None = None) -> str:
    headers = {} if accepted is None else {"Accept-Language": accepted}
    found = re.search('<html lang="(.+?)">', client.get(url, headers=headers).text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "nb"),
        ("", "nb"),
        ("nb", "nb"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("nn;q=0.5,en;q=0.4", "nb"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("en-US,en;q=0.9,nb;q=0.8", "en"),
        ("en;q=0.2,nb;q=0.9", "nb"),
        ("de", "nb"),
        ("de,en;q=0.3", "en"),
        ("*", "nb"),
        ("en;q=0", "nb"),
        ("\x7f;;q=,=", "nb"),
    ],
)
def test_the_browser_says_which_language(
    client: FlaskClient, accepted: str | None, language: str
) -> None:
    assert language_of(client, accepted=accepted) == language


@pytest.mark.parametrize(
    ("url", "language"),
    [("/?lang=nb", "nb"), ("/?lang=en", "en"), ("/?lang=de", "nb"), ("/?lang=", "nb")],
)
def test_the_address_says_it_more_strongly(client: FlaskClient, url: str, language: str) -> None:
    assert language_of(client, url) == language
    if language == "nb" and "nb" in url:
        assert language_of(client, url, "en") == "nb"


def test_caches_are_told_that_languages_differ(client: FlaskClient) -> None:
    for url in ("/", "/?lang=en"):
        answer = client.get(url)
        assert answer.vary.as_set() == {"accept-language"}
        assert answer.headers["Cache-Control"] == "no-cache"
        again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.vary.as_set() == {"accept-language"}
    norwegian, english = (client.get(f"/?lang={each}").headers["ETag"] for each in ("nb", "en"))
    assert norwegian != english


def test_the_page_may_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_page_keeps_its_own_policy_and_works_below_a_prefix(
    client: FlaskClient, language: str
) -> None:
    page = client.get(f"/?lang={language}")
    assert page.mimetype == "text/html"
    assert "//" not in page.text
    elements = Elements(page.text)
    assert not [name for _, given in elements.found for name in given if name.startswith("on")]
    assert elements.all("style") == []
    assert [tag for tag, _ in elements.found if tag == "style"] == []
    assert [given["src"] for tag, given in elements.found if tag == "script"] == ["assets/page.js"]
    for url in elements.all("href") + elements.all("src"):
        assert not url.startswith("/")
        assert url[0] in "#?" or client.get(f"/{url}").status_code in (200, 503), url


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_field_has_a_label_and_a_place_for_its_fault(
    client: FlaskClient, language: str
) -> None:
    elements = Elements(client.get(f"/?lang={language}").text)
    ids = elements.all("id")
    assert len(ids) == len(set(ids))
    labelled = set(elements.all("for"))
    fields = {
        given["id"]: given
        for tag, given in elements.found
        if tag in ("input", "select") and given.get("type") != "radio"
    }
    assert {"municipality_number", "lat", "lon", "usable_area", "floor", "coverage"} <= set(fields)
    assert set(fields) == labelled
    for name, given in fields.items():
        described = given["aria-describedby"].split()
        assert f"{name}-error" in described
        assert set(described) <= set(ids)
    kinds = {given["value"] for _, given in elements.found if given.get("type") == "radio"}
    assert kinds == {kind.value for kind in RealEstateType}


def test_a_page_without_scripts_says_what_to_do(client: FlaskClient) -> None:
    text = client.get("/?lang=en").text
    notice = text[text.index("<noscript>") : text.index("</noscript>")]
    assert "needs JavaScript" in notice
    assert 'href="docs"' in notice
    assert 'href="?lang=nb"' in text


def test_municipalities_are_offered_by_name(client: FlaskClient) -> None:
    text = client.get("/").text
    assert '<option value="Skien">Telemark · 4003</option>' in text
    listed = client.get("/assets/municipalities.json").get_json()
    assert len(listed) == text.count("<option value=") - 3
    [oslo] = [place for place in listed if place["number"] == "0301"]
    assert oslo["name"] == oslo["label"] == "Oslo"


@pytest.mark.parametrize("name", sorted(assets()))
def test_an_asset_has_its_type_and_is_revalidated(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert answer.status_code == 200
    assert answer.data
    assert answer.mimetype == TYPES[name.rpartition(".")[2]]
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/assets/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_scripts_load_only_what_is_served(client: FlaskClient) -> None:
    for name in assets():
        if name.endswith(".js"):
            source = client.get(f"/assets/{name}").text
            imported = re.findall(r'^import [^;]*?"([^"]+)";', source, re.MULTILINE | re.DOTALL)
            assert {url.removeprefix("./") for url in imported} <= assets()
            assert all(url.startswith("./") for url in imported)


@pytest.mark.parametrize(
    "name",
    [
        *("page.html.j2", "nothing.js", "../estimate_page.py", "%2e%2e/estimate_page.py"),
        *(
            "..%2festimate_page.py",
            "..",
            "%2e%2e",
            "page.js/",
            "page.js%00",
            "PAGE.JS",
            "/etc/passwd",
        ),
        *("....//routes.py", "page\\..\\..\\routes.py", "LICENSE", "%252e%252e%252froutes.py"),
    ],
)
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_the_page_is_there_without_a_model(client: FlaskClient) -> None:
    assert client.get("/ready").status_code == 503
    assert client.get("/").status_code == 200


def test_the_page_asks_for_a_key_only_where_there_are_some(
    client: FlaskClient, tmp_path: Path
) -> None:
    assert "client_key" not in client.get("/").text
    container = container_in(tmp_path)
    keys = read_client_keys(entry("web", new_client_key()))
    settings = evolve(container.settings(), client_keys=keys)
    container.settings.override(providers.Object(settings))
    page = create_app(container).test_client().get("/").text
    [field] = [given for _, given in Elements(page).found if given.get("id") == "client_key"]
    assert field["type"] == "password"
    assert field["autocomplete"] == "off"
    assert "name" not in field, "a form that is sent without scripts would send it"
    assert 'href="model/report"' not in page
    container.watched_model().stop()


def test_requests_for_the_page_are_counted_by_route(client: FlaskClient) -> None:
    client.get("/?lang=en")
    client.get("/assets/page.js")
    metrics = client.get("/metrics").text
    assert 'ree_http_requests_total{method="GET",route="/",status="200"} 1.0' in metrics
    assert 'route="/assets/<name>",status="200"} 1.0' in metrics


def test_texts_are_sent_as_they_are_kept(client: FlaskClient) -> None:
    for language in ("nb", "en"):
        sent = json.loads(client.get(f"/assets/{language}.json").data)
        assert sent["page.title"] in client.get(f"/?lang={language}").text
