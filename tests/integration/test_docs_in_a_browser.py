"""Both pages of the documentation, in a browser that keeps to their policies."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    *("--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"),
)


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        assert not os.environ.get("CI"), "no Chromium is installed"
        pytest.skip("no Chromium is installed")
    return found


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(tmp_path, {"REE_STORAGE_PATH": str(tmp_path / "store")}, workers=1) as service:
        yield service


def test_the_pages_are_drawn_and_break_no_rule(
    browser: str, service: Service, tmp_path: Path
) -> None:
    for path, drawn in (("docs", "operation-tag-content"), ("redoc", "What are these homes worth")):
        shown = subprocess.run(
            [
                browser,
                *QUIET,
                f"--user-data-dir={tmp_path / path}",
                f"http://127.0.0.1:{service.port}/{path}",
            ],
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        assert drawn in shown.stdout
        assert "/estimate" in shown.stdout
        assert re.findall("^.*CONSOLE.*$", shown.stderr, re.MULTILINE) == []
