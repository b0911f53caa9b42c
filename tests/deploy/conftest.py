"""What the tests of the deployment share."""

import os

import pytest

from .tools import TOOLS


@pytest.fixture(scope="session")
def python() -> str:
    """Of the environment that has the tools."""
    found = TOOLS / "bin" / "python"
    if not (TOOLS / ".installed").exists():
        assert not os.environ.get("CI"), "make deploy-tools"
        pytest.skip("what deploy-check looks with is not installed: make deploy-tools")
    return str(found)
