"""Pictures of every page, and what is printed of them: `make screenshots`.

It trains the demo's model, serves it on loopback, and puts the pictures into a folder; what it
started, it ends, and the model it removes.
"""

import shutil
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from ree.entrypoints.cli.demo import TURNOVERS_PER_MONTH

from ..integration.service import Service
from .chromium import SCHEMES, SIZES, NoChromium, chromium
from .estimate_form import FLAT, HOUSE, LOCALES, Form
from .pages import PAGES
from .town import SETTINGS, trained_store
from .windows import Window

FOLDER = Path("screenshots")
WAYS = list(product(SIZES, SCHEMES))


def main() -> int:
    """The exit code."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    try:
        with chromium() as browser, TemporaryDirectory() as temporary:
            print("training the demo's model", flush=True)
            store = trained_store(Path(temporary) / "store", a_month=TURNOVERS_PER_MONTH)
            settings = {"REE_STORAGE_PATH": str(store), **SETTINGS}
            with Service(store.parent, settings, workers=1) as service:
                take(browser, f"http://127.0.0.1:{service.port}")
    except NoChromium as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"{len(list(FOLDER.iterdir()))} files in {FOLDER}/")
    return 0


def take(browser: Browser, url: str) -> None:
    """All of them."""
    for size, scheme in WAYS:
        for language in LOCALES:
            for name, page in estimates(browser, url, size, scheme, language):
                shoot(page, f"estimate-{name}", size, scheme, language)
        for path in ("/model/report", "/docs", "/redoc"):
            with_page(browser, url, path, size, scheme)
        print(f"taken: {SIZES[size]['width']} pixels, {scheme}", flush=True)
    printed(browser, url)


def estimates(
    browser: Browser, url: str, size: str, scheme: str, language: str
) -> Iterator[tuple[str, Page]]:
    """The estimate page in each of its states."""
    window = opened(browser, f"{url}/", size, scheme, locale=LOCALES[language])
    form = Form(window.page, language)
    yield "empty", window.page
    for name, home in (("house", HOUSE), ("flat", FLAT)):
        form.fill(home)
        form.submit()
        form.price()
        yield f"answer-{name}", window.page
    form.fill({"total_area": 10, "floor": ""})
    form.submit()
    form.summary().wait_for()
    yield "errors", window.page
    window.context.close()


def with_page(browser: Browser, url: str, path: str, size: str, scheme: str) -> None:
    """Its first screen, and all of the report."""
    window = opened(browser, url + path, size, scheme)
    name = path.rpartition("/")[2]
    shoot(window.page, name, size, scheme, whole=False)
    if name == "report":
        shoot(window.page, f"{name}-full", size, scheme)
    window.context.close()


def printed(browser: Browser, url: str) -> None:
    """As PDF: an answer in each language, and the report."""
    for language, locale in LOCALES.items():
        window = opened(browser, f"{url}/", "desktop", "light", locale=locale)
        form = Form(window.page, language)
        form.fill(FLAT)
        form.submit()
        form.price()
        window.page.pdf(path=FOLDER / f"estimate-answer-{language}.pdf", format="A4")
        window.context.close()
    window = opened(browser, f"{url}/model/report", "desktop", "light")
    window.page.pdf(path=FOLDER / "report.pdf", format="A4")
    window.context.close()


def opened(browser: Browser, url: str, size: str, scheme: str, **options: str) -> Window:
    """A page that is drawn."""
    window = Window.open(
        browser, url, size=size, color_scheme=scheme, reduced_motion="reduce", **options
    )
    PAGES["/" + url.split("/", 3)[3]](window.page)
    return window


def shoot(
    page: Page, name: str, size: str, scheme: str, language: str = "", *, whole: bool = True
) -> None:
    """Into a file that is named after all of it."""
    parts = (name, str(SIZES[size]["width"]), scheme, language)
    file = "-".join(filter(None, parts)) + ".png"
    page.screenshot(path=FOLDER / file, full_page=whole)


if __name__ == "__main__":
    sys.exit(main())
