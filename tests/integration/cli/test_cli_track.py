"""`ree track`: as a user has it."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Ree = Callable[..., Result]


def test_before_the_first_month(ree: Ree, storage: Path) -> None:
    assert ree("track").stdout.startswith("No month to show.")
    assert json.loads(ree("track", "--json").stdout) == {"months": []}
    assert not storage.exists()


def test_each_version_on_the_month_after_it(ree: Ree, first: str, second: str) -> None:
    months = json.loads(ree("track", "--json").stdout)["months"]
    assert [(month["month"], month["model_version"]) for month in months] == [
        ("2025-06", second),
        ("2025-05", first),
    ]
    for month in months:
        promised = json.loads(ree("models", "show", month["model_version"], "--json").stdout)
        assert month["holdout"] == promised["metrics"]["overall"]
        assert month["trained_until"] == promised["trained_until"]
        assert month["trained_until"] < month["month"] + "-01"
        assert month["metrics"]["n"] > 100
        by_type = month["segments"]["by_realestate_type"]
        assert sum(kind["n"] for kind in by_type.values()) == month["metrics"]["n"]
        assert month["metrics"]["mdape"] < 0.2


def test_the_table_has_what_was_promised_beside_what_came(
    ree: Ree, first: str, second: str
) -> None:
    newest, _ = json.loads(ree("track", "--json").stdout)["months"]
    lines = ree("track").stdout.splitlines()
    header = " ".join(f"{lines[1]} {lines[2]}".split())
    assert header == (
        "at the within within inside month sales MdAPE gate 10 % 20 % 90 % COD PRD version"
    )
    shown = lines[3].replace("\u202f", " ").split("  ")
    cells = [cell.strip() for cell in shown if cell.strip()]
    shares = [newest["metrics"]["mdape"], newest["holdout"]["mdape"]]
    assert cells[0] == "2025-06"
    assert cells[2:4] == [f"{100 * share:.1f} %" for share in shares]
    assert cells[-1] == second
    assert lines[4].startswith("2025-05")
    assert lines[4].endswith(first)
    assert f"2025-06 by type  {second}" in lines
    assert any(line.startswith("leilighet") for line in lines)
    assert lines[-1].startswith("Left out of 2025-06: ")


def test_one_version(ree: Ree, first: str) -> None:
    (month,) = json.loads(ree("track", "--version", first, "--json").stdout)["months"]
    assert month["model_version"] == first
    assert "2025-06" not in ree("track", "--version", first).stdout


def test_a_version_that_is_not_there(ree: Ree, several: Path) -> None:
    result = ree("track", "--version", "20260101-000000-00000000")
    assert result.exit_code == 1
    assert "No version" in result.stderr


def test_a_version_that_was_never_in_use(ree: Ree, several: Path) -> None:
    rejected = next((several / "ree-models" / "rejected").iterdir()).name
    result = ree("track", "--version", rejected)
    assert result.exit_code == 0
    assert result.stdout.startswith("No month to show.")


def test_a_report_has_the_months_before_its_version(ree: Ree, second: str) -> None:
    """The version of May tells how the one before it did in May."""
    page = ree("models", "report", second, "--output", "-").stdout
    assert '<section id="track">' in page
    assert '<time datetime="2025-05">May 2025</time>' in page
    assert "2025-06" not in page
