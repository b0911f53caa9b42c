"""The alerts: that they fire where they should and only there, and that the runbook knows them."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from attrs import frozen

from ree.entrypoints.cli import cli

from .shipped import ALERTS, COMPARISON, FOLDER, RECORDED, RUNBOOK, program, read, used

TESTS = sorted(FOLDER.glob("tests/*.yml"))
SECTION = re.compile(r"^## (Ree\w+)$", re.MULTILINE)


def run(*command: str | Path, folder: Path = FOLDER) -> "subprocess.CompletedProcess[str]":
    name, *rest = map(str, command)
    words = [program(name), *rest]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "config", "prometheus.yml"),
        ("promtool", "check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml"),
        ("promtool", "test", "rules", *TESTS),
        ("amtool", "check-config", "alertmanager.yml"),
    ],
    ids=lambda command: " ".join(command[:3]),
)
def test_the_tools_find_nothing_to_say(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("severity", "receiver"), [("page", "pager"), ("ticket", "tickets"), ("info", "news")]
)
def test_an_alert_goes_where_its_severity_says(severity: str, receiver: str) -> None:
    labels = f"severity={severity}"
    done = run("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", labels)
    assert done.stdout.strip() == receiver


def test_every_alert_says_what_it_is() -> None:
    for name, rule in ALERTS.items():
        assert rule["labels"]["severity"] in {"page", "ticket", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_inhibition_names_alerts_that_there_are() -> None:
    inhibition = read(FOLDER / "alertmanager.yml")["inhibit_rules"]
    named = set(re.findall(r"\bRee\w+", str(inhibition)))
    assert named
    assert named <= set(ALERTS)


def test_the_runbook_has_a_section_for_each_alert() -> None:
    assert SECTION.findall(RUNBOOK.read_text()) == list(ALERTS)


def test_each_section_tells_what_it_means_how_to_see_it_and_what_to_do() -> None:
    sections = SECTION.split(RUNBOOK.read_text())[1:]
    for name, text in zip(sections[::2], sections[1::2], strict=True):
        parts = re.findall(r"^\*\*(\w+)\.\*\*\s", text, re.MULTILINE)
        assert parts == ["Means", "See", "Do"], name


def test_the_runbook_gives_commands_that_there_are() -> None:
    lines = re.findall(r"`ree ([^`]+)`", RUNBOOK.read_text())
    assert len(lines) > 10
    for line in lines:
        command: click.Command | None = cli
        words = iter(line.split())
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), next(words))
        assert command is not None, line
        options = {name for option in command.params for name in option.opts}
        assert {word for word in words if word.startswith("-")} <= options, line


# The tests of the rules hold the rules


@frozen(eq=False)
class Mutant:
    """An alert that was changed in one place."""

    alert: str
    change: str
    rule: dict[str, Any]


def mutants() -> Iterator[Mutant]:
    for name, rule in ALERTS.items():
        expression = rule["expr"]
        for match in COMPARISON.finditer(expression):
            for limit in others(match[1]):
                changed = expression[: match.start(1)] + limit + expression[match.end(1) :]
                yield Mutant(name, f"{match[0]}: {limit}", rule | {"expr": changed})
        if not COMPARISON.search(expression):  # of one figure with another
            for match in re.finditer(" > ", expression):
                changed = expression[: match.start()] + " < " + expression[match.end() :]
                yield Mutant(name, "> to <", rule | {"expr": changed})
        if "for" in rule:
            for times in (0.5, 2):
                seconds = f"{int(times * duration(rule['for']))}s"
                yield Mutant(name, f"for: {seconds}", rule | {"for": seconds})


def others(limit: str) -> list[str]:
    """A tenth more and less, or one more and less of a small count."""
    if limit.isdecimal() and int(limit) < 10:
        return [str(int(limit) + 1), str(int(limit) - 1)]
    return [f"1.1 * {limit}", f"0.9 * {limit}"]


def duration(text: str) -> int:
    number, unit = int(text[:-1]), text[-1]
    return number * {"s": 1, "m": 60, "h": 3600}[unit]


@cache
def cases(alert: str) -> dict[str, Any]:
    """Those of all files that ask for it, and nothing else of them."""
    kept = []
    for path in TESTS:
        for case in read(path)["tests"]:
            asked = [each for each in case["alert_rule_test"] if each["alertname"] == alert]
            if asked:
                kept.append({**case, "alert_rule_test": asked, "promql_expr_test": []})
    return {**read(TESTS[0]), "rule_files": ["recording.yml", "alerts.yml"], "tests": kept}


def set_up(rule: dict[str, Any], folder: Path) -> Path:
    """The tests of an alert, for this rule in its place; only what they need is there."""
    folder.mkdir()
    names = {each.metric for each in used(rule["expr"])}
    needed = [*RECORDED.values()] if any(":" in name for name in names) else []
    groups = {"recording.yml": ("ree_recorded", needed), "alerts.yml": ("ree", [rule])}
    for name, (group, found) in groups.items():
        write(folder / name, {"groups": [{"name": group, "rules": found}]})
    tests = cases(rule["alert"]) | {"group_eval_order": ["ree_recorded", "ree"]}
    write(folder / "tests.yml", tests)
    return folder / "tests.yml"


def write(path: Path, content: Any) -> None:
    path.write_text(yaml.dump(content))


def test_every_alert_is_seen_to_fire_and_not_to() -> None:
    for alert in ALERTS:
        asked = [each for case in cases(alert)["tests"] for each in case["alert_rule_test"]]
        assert {bool(each.get("exp_alerts")) for each in asked} == {True, False}, alert


def test_no_limit_can_be_changed_without_a_test_that_fails(tmp_path: Path) -> None:
    same = [Mutant(name, "nothing", rule) for name, rule in ALERTS.items()]
    changed = list(mutants())
    assert {mutant.alert for mutant in changed} == set(ALERTS)
    tried = {set_up(each.rule, tmp_path / str(n)): each for n, each in enumerate(changed + same)}
    told = run("promtool", "test", "rules", *tried).stdout
    outcomes = dict(re.findall(r"^Unit Testing:  (.+)\n(?:  (SUCCESS))?", told, re.MULTILINE))
    passed = [mutant for path, mutant in tried.items() if outcomes[str(path)]]
    assert [mutant.alert for mutant in passed if mutant in same] == [*ALERTS]
    assert [(mutant.alert, mutant.change) for mutant in passed if mutant in changed] == []
