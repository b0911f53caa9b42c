"""What deploy/prometheus has, read as Prometheus and Grafana read it."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from attrs import frozen

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
DASHBOARD = FOLDER / "dashboard.json"
RUNBOOK = ROOT / "docs" / "runbook.md"
README = FOLDER / "README.md"
SUFFIXES = re.compile(r"_(?:bucket|count|sum)$")


def program(name: str) -> str:
    """Where it is; skips where it is not, but in CI."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is not installed"
        pytest.skip(f"{name} is not installed")
    return found


def read(path: Path) -> Any:
    """Every scalar as it is written: `0x20` is twenty samples, no number."""
    return yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506


def rules(name: str) -> list[dict[str, Any]]:
    """Of all groups of a file."""
    return [rule for group in read(FOLDER / name)["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}
RECORDED = {rule["record"]: rule for rule in rules("recording.yml")}


@frozen
class Used:
    """A metric that an expression selects, and the labels that it says of it."""

    metric: str
    labels: frozenset[str]

    @property
    def family(self) -> str:
        """As an exposition's TYPE line names it, but that counters have their `_total`."""
        return SUFFIXES.sub("", self.metric)


def used(expression: str) -> set[Used]:
    """ValueError if it is not PromQL."""
    found: set[Used] = set()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            labels = frozenset(matcher.name for matcher in node.matchers.matchers)
            found.add(Used(node.name or "", labels))
        return True

    promql_parser.walk(promql_parser.parse(expression), pre_visit=visit)
    return found


def panels() -> Iterator[dict[str, Any]]:
    """Of the dashboard, without the rows' headings."""
    yield from (panel for panel in dashboard()["panels"] if panel["type"] != "row")


def dashboard() -> dict[str, Any]:
    """As it is stored."""
    return dict(json.loads(DASHBOARD.read_text()))


def panel_expressions() -> Iterator[tuple[str, str]]:
    """Title and expression, with what Grafana puts in place of its variables."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")


def all_used() -> set[Used]:
    """By alerts, recordings and panels."""
    expressions = [rule["expr"] for rule in [*ALERTS.values(), *RECORDED.values()]]
    expressions += [expression for _, expression in panel_expressions()]
    return {each for expression in expressions for each in used(expression)}


def limits(alert: str) -> list[str]:
    """What its expression compares with, as it is written."""
    return COMPARISON.findall(ALERTS[alert]["expr"])


COMPARISON = re.compile(r"(?:[<>]=?|==) (\d[\d.]*(?: \* \d+)?)")
