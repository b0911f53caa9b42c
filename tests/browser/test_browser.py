"""What the windows tell of, so that their silence means something."""

from http.client import HTTPConnection

import pytest
from playwright.sync_api import Browser
from pytest_httpserver import HTTPServer

from ..integration.service import DEADLINE, Service
from .accessibility import violations
from .windows import Window

ELSEWHERE = "<img src='http://localhost:9/x.png' alt=''>"


def policy(service: Service) -> str:
    """That the pages are served with."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=DEADLINE)
    connection.request("GET", "/docs")
    found = connection.getresponse().getheader("Content-Security-Policy")
    connection.close()
    assert found
    return found


def opened(browser: Browser, server: HTTPServer, body: str, **headers: str) -> Window:
    """A page of the body."""
    page = f"<!doctype html><title>a page</title><link rel=icon href='data:,'>{body}"
    server.expect_request("/page").respond_with_data(page, 200, headers, "text/html")
    window = Window.open(browser, server.url_for("/page"))
    window.page.wait_for_load_state("networkidle")
    return window


def complaints(window: Window) -> str:
    """That end a test."""
    with pytest.raises(AssertionError):
        window.close()
    return "\n".join(window.complaints)


def test_what_the_policy_forbids_is_told(
    browser: Browser, empty_service: Service, httpserver: HTTPServer
) -> None:
    body = f"<script>void 1</script>{ELSEWHERE}<p style='color: red'>hello</p>"
    headers = {"Content-Security-Policy": policy(empty_service)}
    window = opened(browser, httpserver, body, **headers)
    told = complaints(window)
    assert "policy: script-src-elem forbids inline" in told
    assert "policy: style-src-attr forbids inline" in told
    assert "policy: img-src forbids http://localhost:9/x.png" in told


def test_a_request_to_another_host_is_told(browser: Browser, httpserver: HTTPServer) -> None:
    window = opened(browser, httpserver, ELSEWHERE)
    window.expect("x.png")
    with pytest.raises(AssertionError, match="localhost:9"):
        window.close()


def test_no_other_host_can_be_reached(browser: Browser, httpserver: HTTPServer) -> None:
    window = opened(browser, httpserver, ELSEWHERE.replace("localhost:9", "example.org"))
    assert "ERR_NAME_NOT_RESOLVED" in complaints(window)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("console.warn('beware')", "warning: beware"),
        ("throw new Error('oops')", "thrown: oops"),
        ("Promise.reject(new Error('oops'))", "thrown: oops"),
        ("fetch('/missing')", "404"),
    ],
)
def test_what_goes_wrong_in_a_script_is_told(
    browser: Browser, httpserver: HTTPServer, script: str, told: str
) -> None:
    httpserver.expect_request("/missing").respond_with_data("", 404)
    assert told in complaints(opened(browser, httpserver, f"<script>{script}</script>"))


def test_what_was_expected_and_did_not_come_is_told(
    browser: Browser, httpserver: HTTPServer
) -> None:
    window = opened(browser, httpserver, "<p>hello")
    window.expect("a refusal")
    with pytest.raises(AssertionError, match="a refusal"):
        window.close()


def test_what_shuts_people_out_is_told(browser: Browser, httpserver: HTTPServer) -> None:
    body = "<main><h1>A page</h1><input><p style='color: #aaa'>faint</p></main>" + "<p>x</p>" * 9
    window = opened(browser, httpserver, body)
    told = "\n".join(violations(window.page))
    window.close()
    for rule in ("label", "color-contrast", "html-has-lang", "region"):
        assert f"{rule}: " in told
