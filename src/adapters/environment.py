"""What a model was made with, as far as it can change the numbers."""

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
        "scipy": version("scipy"),
    }
