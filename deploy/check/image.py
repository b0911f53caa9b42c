"""The Dockerfile, and the scripts beside it."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools import complaints

SECRETIVE = re.compile("^ENV .*(PASS|SECRET|TOKEN|_KEY)", re.MULTILINE)


def faults(root: Path) -> Iterator[str]:
    """What hadolint and shellcheck say, and what they do not look at."""
    yield from complaints("hadolint", "--no-color", root / "deploy" / "Dockerfile", root=root)
    text = (root / "deploy" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    if not re.search("^HEALTHCHECK .*CMD", text, re.MULTILINE):
        yield "Dockerfile has no HEALTHCHECK"
    if not re.search(r"^ARG PYTHON_IMAGE=python:\d\S*$", text, re.MULTILINE):
        yield "Dockerfile begins from a Python of no version"
    if SECRETIVE.search(text):
        yield "Dockerfile puts a secret into the image"
    if re.search(r"^ADD \S*://", text, re.MULTILINE):
        yield "Dockerfile adds what nobody verifies"
    scripts = sorted((root / "deploy").rglob("*.sh"))
    yield from complaints("shellcheck", *sorted((root / ".ci").iterdir()), *scripts, root=root)
