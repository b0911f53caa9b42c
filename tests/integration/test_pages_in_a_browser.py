"""Both pages of the documentation in a real browser, under the policy that they are served with."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from attrs import frozen
from pytest_httpserver import HTTPServer

from .service import DEADLINE, Publisher, Service

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--disable-quic", "--disable-extensions", "--disable-default-apps", "--dump-dom"]
FLAGS += ["--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]
SUMMARIES = (
    "What are these homes worth?",
    "The model in use",
    "The report of the model in use, as HTML",
    "Is the process alive?",
    "Can homes be priced?",
)
SIZES = {"desktop": "1280,900", "phone": "390,844"}


@frozen
class Seen:
    """What a page showed, what its console said, which URLs it asked for, and its picture."""

    text: str
    console: list[str]
    urls: set[str]
    picture: bytes

    def hosts(self) -> set[str]:
        """Of all requests."""
        return {urlsplit(url).netloc for url in self.urls}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.silent = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.silent = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.silent = False

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


@frozen
class Browser:
    """Chromium, with a profile of its own for each page."""

    program: str
    folder: Path

    def see(self, url: str, size: str) -> Seen:
        """Load a page and let it settle."""
        number = len(list(self.folder.iterdir()))
        profile = self.folder / str(number)
        profile.mkdir()
        log, picture = profile / "net.json", profile / "page.png"
        places = [f"--user-data-dir={profile}", f"--log-net-log={log}", f"--screenshot={picture}"]
        ended = subprocess.run(
            [self.program, *FLAGS, *places, f"--window-size={size}", url],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=True,
        )
        text = _Text()
        text.feed(ended.stdout)
        console = re.findall(r":CONSOLE[:(][^\n]*", ended.stderr)
        origin = url.removesuffix(urlsplit(url).path)
        lines = [line for line in log.read_text().splitlines() if '"initiator"' in line]
        asked = [json.loads(line.removesuffix(","))["params"] for line in lines]
        # What Chromium asks for by itself has no origin.
        urls = {request["url"] for request in asked if request["initiator"] == origin}
        words = unescape(" ".join(" ".join(text.parts).split()))
        return Seen(words, console, urls, picture.read_bytes())


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing = "none of " + ", ".join(NAMES) + " is installed"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return Browser(program, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("pages")
    Publisher.of(storage_path=folder / "store").container.bootstrap()(by="test")
    with Service(folder, {"REE_STORAGE_PATH": str(folder / "store")}, workers=1) as service:
        yield service


def policy(service: Service) -> str:
    """That the pages are served with."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=DEADLINE)
    connection.request("GET", "/docs")
    found = connection.getresponse().getheader("Content-Security-Policy")
    connection.close()
    assert found
    return found


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("page", ["docs", "redoc"])
def test_a_page_shows_every_operation_and_breaks_no_rule(
    browser: Browser, service: Service, page: str, size: str
) -> None:
    seen = browser.see(f"http://127.0.0.1:{service.port}/{page}", size)
    assert [summary for summary in SUMMARIES if summary not in seen.text] == []
    assert seen.console == []
    assert seen.hosts() == {f"127.0.0.1:{service.port}"}
    assert f"http://127.0.0.1:{service.port}/openapi.json" in seen.urls
    assert len(seen.picture) > 30_000, "a page that shows nothing is a small picture"


def test_the_browser_tells_of_what_the_policy_forbids(
    browser: Browser, service: Service, httpserver: HTTPServer
) -> None:
    """So that its silence means something."""
    picture = "<img src='http://localhost:9/x.png'>"
    page = f"<h1>hello</h1><script>void 1</script>{picture}"
    headers = {"Content-Security-Policy": policy(service)}
    httpserver.expect_request("/bad").respond_with_data(page, 200, headers, "text/html")
    httpserver.expect_request("/free").respond_with_data(picture, 200, {}, "text/html")
    seen = browser.see(httpserver.url_for("/bad"), SIZES["phone"])
    assert "hello" in seen.text
    told = "\n".join(seen.console)
    assert "script" in told
    assert "x.png" in told
    assert "Content Security Policy" in told
    assert "localhost:9" not in seen.hosts()
    assert "localhost:9" in browser.see(httpserver.url_for("/free"), SIZES["phone"]).hosts()
    httpserver.clear()
