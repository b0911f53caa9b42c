"""What Prometheus scrapes, records and alerts on, and whom Alertmanager tells."""

import json
from collections.abc import Iterator
from pathlib import Path

from tools import complaints


def faults(root: Path) -> Iterator[str]:
    """What promtool and amtool say; the rules are tested, too."""
    there = root / "deploy" / "prometheus"
    yield from complaints("promtool", "check", "config", there / "prometheus.yml", root=root)
    tests = sorted((there / "tests").glob("*.yml"))
    yield from complaints("promtool", "test", "rules", *tests, root=root)
    yield from complaints("amtool", "check-config", there / "alertmanager.yml", root=root)
    try:
        json.loads((there / "dashboard.json").read_text("utf-8"))
    except ValueError as error:
        yield f"dashboard.json is no JSON: {error}"
