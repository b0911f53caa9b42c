"""The programs that are asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Missing(Exception):
    """A program that is not installed."""


BESIDE = Path(sys.executable).parent
IN_PASSING = ("level=INFO", "==> Linting", "Use --debug", "SUCCESS")


def program(name: str) -> str:
    """Its path, from the environment of this Python or the machine; Missing."""
    found = shutil.which(name, path=_path())
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def complaints(name: str, *arguments: object, root: Path) -> list[str]:
    """What it says, if it does not end with 0."""
    done = _done(name, *arguments, root=root)
    if not done.returncode:
        return []
    said = _lines(done.stdout + done.stderr)
    return [f"{name}: {line}" for line in said] or [f"{name} ended with {done.returncode}"]


def output(name: str, *arguments: object, root: Path) -> str:
    """What it prints; RuntimeError with what it complains about."""
    done = _done(name, *arguments, root=root)
    if done.returncode:
        raise RuntimeError(f"{name}: {' '.join(_lines(done.stderr or done.stdout))}")
    return done.stdout


def _lines(said: str) -> list[str]:
    """What is a complaint in what was said: nothing in passing."""
    lines = (line.strip() for line in said.splitlines())
    return [line for line in lines if line and not line.startswith(IN_PASSING)]


def _done(name: str, *arguments: object, root: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program(name), *map(str, arguments)],
        cwd=root,
        env=os.environ | {"PATH": _path()},
        capture_output=True,
        text=True,
        check=False,
    )


def _path() -> str:
    """Programs ask each other: actionlint has shellcheck look at what a step runs."""
    return f"{BESIDE}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
