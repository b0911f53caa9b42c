"""The programs that are asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class Missing(Exception):
    """A program that is not installed."""


BESIDE = Path(sys.executable).parent


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
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return [f"{name}: {line}" for line in said] or [f"{name} ended with {done.returncode}"]


def output(name: str, *arguments: object, root: Path) -> str:
    """What it prints; RuntimeError with what it complains about."""
    done = _done(name, *arguments, root=root)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


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
