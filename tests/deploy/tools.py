"""The programs that `make deploy-tools` installs."""

import os
import subprocess
from pathlib import Path

import tzdata

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".deploy-tools"
ZONES = {"ZONEINFO": str(Path(tzdata.__file__).with_name("zoneinfo"))}
"""For Helm, which may find none on this machine."""


def checked(*command: str | Path) -> tuple[int, str]:
    """The exit code, and all that is said."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | ZONES, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
