"""The Dockerfile, and the scripts beside it."""

from collections.abc import Iterator
from pathlib import Path

from tools import complaints


def faults(root: Path) -> Iterator[str]:
    """What hadolint and shellcheck say."""
    yield from complaints("hadolint", "--no-color", root / "deploy" / "Dockerfile", root=root)
    scripts = sorted((root / "deploy").rglob("*.sh"))
    yield from complaints("shellcheck", *sorted((root / ".ci").iterdir()), *scripts, root=root)
