"""Look at everything that ree is deployed with, without a cluster or an engine.

`python deploy/check [--only PART]... [ROOT]` prints what is wrong, part by part, and
ends with 1 if anything is.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from yaml import YAMLError

import chart
import compose
import image
import monitoring
import workflows
from tools import Missing

PARTS: dict[str, Callable[[Path], Iterable[str]]] = {
    "image": image.faults,
    "compose": compose.faults,
    "chart": chart.faults,
    "workflows": workflows.faults,
    "monitoring": monitoring.faults,
}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Look at everything that ree is deployed with.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; repeatable")
    asked = parser.parse_args()
    wrong = []
    for name in asked.only or PARTS:
        found = list(dict.fromkeys(_faults(name, asked.root.resolve())))
        print(f"{'✗' if found else '✓'}  {name}")
        for fault in found:
            print(f"     {fault}")
        wrong += [name] if found else []
    if wrong:
        print(f"to mend: {', '.join(wrong)}")
    return 1 if wrong else 0


def _faults(name: str, root: Path) -> Iterable[str]:
    try:
        yield from PARTS[name](root)
    except (Missing, RuntimeError, OSError, ValueError, YAMLError) as error:
        yield str(error)
    except (KeyError, TypeError, AttributeError) as error:
        yield f"a file is not built as it must be, the rest was not looked at: {error!r}"


if __name__ == "__main__":
    sys.exit(main())
