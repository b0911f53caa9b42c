"""Node, with the scripts of the estimate page."""

import os
import shutil
from pathlib import Path

import pytest

from ree.entrypoints.api.estimate_page import FOLDER


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Node and a folder in which it takes the scripts for modules."""
    program = shutil.which("node")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("node is not installed")
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("scripts")
    for file in FOLDER.iterdir():
        if file.name.endswith(".js"):
            (folder / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    return program, folder
