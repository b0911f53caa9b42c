"""Shell scripts, and the commands of workflows."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools import complaints

HERE_DOCUMENT = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?\n.*?\n\s*\1$", re.DOTALL | re.MULTILINE)
TELLS_ALL = re.compile(
    r"(?:^|[;&|({`]|\b(?:do|then|else|sudo)\s|\b\w+=\S*\s)\s*"  # where a command begins
    r"(?:(?:(?:/usr/bin/)?env|printenv(?: \w+)?|export(?: -p)?|declare -[px]|set)"
    r"\s*(?:$|[|;&>)}`#]|\d>)"
    r"|(?:set|bash|sh)(?: -\w+)* (?:-[a-wyz]*x|-o xtrace)\b)",
    re.MULTILINE,
)


def faults(root: Path) -> Iterator[str]:
    """What shellcheck says, and what would print secrets."""
    own = sorted((root / ".ci").iterdir()) + sorted((root / "deploy").rglob("*.sh"))
    yield from complaints("shellcheck", *own, root=root)
    for script in own:
        if tells_all(script.read_text("utf-8")):
            yield f"{script.relative_to(root)} prints its environment, or each command"


def tells_all(commands: str) -> bool:
    """Whether they print all of their environment, or each command with what is in it."""
    return bool(TELLS_ALL.search(HERE_DOCUMENT.sub("", commands)))
