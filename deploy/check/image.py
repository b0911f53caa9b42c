"""The Dockerfile, and the scripts beside it."""

import re
from collections.abc import Iterator
from pathlib import Path

import scripts
from documents import settings
from tools import complaints

SECRETIVE = re.compile("^ENV .*(PASS|SECRET|TOKEN|_KEY)", re.MULTILINE)

LAST = {
    "the chart's user": r"^USER 10001:10001$",
    "a user of the chart's number": r"useradd --uid 10001\b",
    "its dependencies": r"^COPY --from=slim /opt/ree /opt/ree$",
    "the program": r"^COPY --from=application /application/opt/ree /opt/ree$",
    "an address that others can reach": r"\bREE_HOST=0\.0\.0\.0\b",
    "its storage below /data": r"\bREE_STORAGE_PATH=/data\b",
    "the volume /data": r"^VOLUME /data$",
    "the command ree serve": r'^CMD \["ree", "serve"\]$',
    "a health check that asks /health": r"^HEALTHCHECK .*/health\b",
}


def faults(root: Path) -> Iterator[str]:
    """What hadolint says, what it does not look at, and the scripts."""
    yield from complaints("hadolint", "--no-color", root / "deploy" / "Dockerfile", root=root)
    text = (root / "deploy" / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    if not re.search("^HEALTHCHECK .*CMD", text, re.MULTILINE):
        yield "Dockerfile has no HEALTHCHECK"
    if not re.search(r"^ARG PYTHON_IMAGE=python:3\.1[1-3]\S*$", text, re.MULTILINE):
        yield "Dockerfile begins from no Python of a version that ree is for"
    if SECRETIVE.search(text):
        yield "Dockerfile puts a secret into the image"
    if re.search(r"^ADD \S*://", text, re.MULTILINE):
        yield "Dockerfile adds what nobody verifies"
    yield from _stages(text, root)
    yield from _last(text[text.rindex("\nFROM ") :], set(settings(root)))
    yield from scripts.faults(root)


def _stages(text: str, root: Path) -> Iterator[str]:
    """What is copied is there, and what is installed is what was pinned."""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            for source in words[1:-1]:
                if not (root / source).exists():
                    yield f"Dockerfile copies {source}, which is not there"
        for command in line.split("&&"):
            if "pip install" in command and " -r " in command and "--require-hashes" not in command:
                yield "Dockerfile installs requirements without their hashes"


def _last(stage: str, known: set[str]) -> Iterator[str]:
    """The image itself: who it is run as, what it runs, keeps and is asked."""
    for what, pattern in LAST.items():
        if not re.search(pattern, stage, re.MULTILINE):
            yield f"Dockerfile: the image has not {what}"
    if re.search(r"^COPY --from=dependencies", stage, re.MULTILINE):
        yield "Dockerfile: the image has dependencies that were not made slim"
    if re.search(r"\b(apt-get|apk) \S*\s*(install|add)\b|\bpip install\b", stage):
        yield "Dockerfile: the image is installed into; that is for the stages before"
    if re.search("^ENTRYPOINT", stage, re.MULTILINE):
        yield "Dockerfile: the image has an ENTRYPOINT, where commands are told whole"
    for name in sorted(set(re.findall(r"\b(REE_\w+)=", stage)) - known):
        yield f"Dockerfile sets {name}, which is not a setting"
