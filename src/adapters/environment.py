"""What a model was made with, as far as it can change the numbers."""

import os
import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

DISTRIBUTION = "ree-norway"


@cache
def code_version() -> str:
    """The version of the distribution and 8 hex of the source of this package."""
    root = Path(__file__).parent.parent
    source = sha256()
    for path in sorted(root.rglob("*.py")):
        source.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{version(DISTRIBUTION)}+{source.hexdigest()[:8]}"


@cache
def key_environment() -> dict[str, str]:
    """What enters the key of a run."""
    return {
        "code": code_version(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scikit-learn": version("scikit-learn"),
    }


def threads() -> str:
    """How many threads a fit may use, as it is written in the training manifest."""
    return os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count() or 1)
