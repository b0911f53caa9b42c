"""A real browser before real services."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from threadpoolctl import threadpool_limits

from ..integration.service import Service
from .chromium import NoChromium, chromium, or_skip
from .town import SETTINGS, trained_store
from .windows import Window

CLIENT_KEY = "a-key-for-people-0123456789abcdef"
Visit = Callable[..., Window]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module only: while it is there, an event loop runs in the thread of all tests."""
    try:
        with chromium() as browser:
            yield browser
    except NoChromium as missing:
        or_skip(missing)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens windows; at the end none of them may have complained, or asked another host."""
    windows: list[Window] = []

    def visit(service: Service, path: str, **options: Any) -> Window:
        url = f"http://127.0.0.1:{service.port}{path}"
        windows.append(Window.open(browser, url, **options))
        return windows[-1]

    yield visit
    for window in windows:
        window.close()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a trained model."""
    with threadpool_limits(1):  # threads that wait for each other are slow where cores are shared
        return trained_store(tmp_path_factory.mktemp("trained") / "store")


@pytest.fixture(scope="session")
def service(store: Path) -> Iterator[Service]:
    """Open to all, with the trained model."""
    with Service(store.parent, {"REE_STORAGE_PATH": str(store), **SETTINGS}, workers=1) as service:
        yield service


@pytest.fixture(scope="session")
def closed_service(store: Path) -> Iterator[Service]:
    """The same, for who has the client key."""
    entry = f"people:{sha256(CLIENT_KEY.encode()).hexdigest()}"
    settings = {"REE_STORAGE_PATH": str(store), "REE_CLIENT_KEYS": entry, **SETTINGS}
    with Service(store.parent, settings, workers=1) as service:
        yield service


@pytest.fixture(scope="session")
def empty_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Without a model."""
    folder = tmp_path_factory.mktemp("empty")
    with Service(folder, {"REE_STORAGE_PATH": str(folder / "store")}, workers=1) as service:
        yield service
