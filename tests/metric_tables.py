"""The metrics that docs/monitoring.md lists, and those that somebody shows."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

DOCUMENT = Path(__file__).parents[1] / "docs" / "monitoring.md"
OF_API = ("The API", "What it reads of records", "All of them")
OF_WORKER = ("A worker", "All of them")
OF_PUSH = ("`ree retrain`", "All of them")
Metrics = dict[str, set[str]]


def documented(*sections: str) -> Metrics:
    """Labels by name, of the tables below these headings."""
    if not DOCUMENT.exists():
        pytest.skip("tests without the documents")
    found: Metrics = {}
    for part in re.split("^##+ ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE):
        if part.partition("\n")[0] in sections:
            for name, labels in re.findall(r"^\| `(ree_\w+)` \|([^|]*)\|", part, re.MULTILINE):
                assert name not in found
                found[name] = {*re.findall(r"`(\w+)`", labels)}
    return found


def shown(text: str) -> Metrics:
    """Labels by name, of families that have a sample."""
    found: Metrics = {}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        if family.samples and not name.endswith("_created"):
            found[name] = {label for each in family.samples for label in each.labels} - {"le"}
    return found


def check_with_promtool(text: str) -> None:
    """That it has nothing to say."""
    tool = shutil.which("promtool")
    if tool is None:
        assert not os.environ.get("CI"), "promtool is not installed"
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        [tool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
