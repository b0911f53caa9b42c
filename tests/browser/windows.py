"""Windows of a browser whose every complaint is kept."""

import re
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from .chromium import SIZES

DEADLINE = 20_000  # ms
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""


@define(eq=False)
class Window:
    """One page, with what its console said, what failed and which hosts it asked."""

    context: BrowserContext
    page: Page
    host: str
    complaints: list[str] = field(factory=list)
    asked: list[str] = field(factory=list)
    _expected: list[str] = field(factory=list)

    @classmethod
    def open(cls, browser: Browser, url: str, *, size: str = "desktop", **options: Any) -> "Window":
        """At a URL, with the cookies, the storage and the cache of nobody."""
        context = browser.new_context(**{"viewport": SIZES[size], "locale": "nb-NO", **options})
        context.set_default_timeout(DEADLINE)
        context.add_init_script(REPORT_VIOLATIONS)
        window = cls(context, context.new_page(), urlsplit(url).netloc)
        window._listen()
        window.page.goto(url)
        return window

    def expect(self, pattern: str) -> None:
        """A complaint that the test is about: it has to come, and may."""
        self._expected.append(pattern)

    def close(self) -> None:
        """AssertionError if it complained, or asked another host."""
        self.context.close()
        untold = [each for each in self._expected if not self._told(each)]
        assert not untold, f"expected of the browser, but not told: {untold}"
        faults = [told for told in self.complaints if not self._is_expected(told)]
        assert not faults, f"the browser complained: {faults}"
        elsewhere = [url for url in self.asked if self._is_elsewhere(url)]
        assert not elsewhere, f"other hosts were asked: {elsewhere}"

    def _told(self, pattern: str) -> bool:
        return any(re.search(pattern, told) for told in self.complaints)

    def _is_expected(self, told: str) -> bool:
        return any(re.search(pattern, told) for pattern in self._expected)

    def _is_elsewhere(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme not in ("data", "blob") and parts.netloc != self.host

    def _listen(self) -> None:
        def said(message: ConsoleMessage) -> None:
            self.complaints.append(f"{message.type}: {message.text} {message.location['url']}")

        def failed(request: Request) -> None:
            self.complaints.append(f"failed: {request.url} {request.failure}")

        self.context.on("console", said)
        self.context.on("weberror", lambda error: self.complaints.append(f"thrown: {error.error}"))
        self.context.on("requestfailed", failed)
        self.context.on("request", lambda request: self.asked.append(request.url))
