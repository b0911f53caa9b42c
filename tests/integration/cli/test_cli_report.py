"""`ree models report`: the report that every version has."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from ...report_page import Page, wrong_numbers

Ree = Callable[..., Result]


def versions(storage: Path) -> Iterator[Path]:
    for folder in ("models", "rejected"):
        yield from sorted((storage / "ree-models" / folder).iterdir())


def test_the_reports_of_trained_versions_say_what_their_metrics_say(several: Path) -> None:
    """Published first, published beside another, refused beside that one: as they were stored."""
    beginnings = []
    for folder in versions(several):
        page = Page((folder / "report.html").read_text("utf-8"))
        document = json.loads((folder / "metrics.json").read_text("utf-8"))
        assert list(wrong_numbers(page, document)) == []
        assert page.stray == []
        assert len(page.figures) > 300
        assert page.html.count("<svg") >= 16
        assert len(page.html.encode()) < 500_000
        beginnings.append(page.text)
    passed, later, refused = beginnings
    assert "Passed the gate and was published." in passed
    assert "No version before it to compare with" in passed
    assert "Compared with 2" in later
    assert "Refused by the gate and kept out of use: " in refused
    assert "what was in use stayed in use" in refused


def test_the_active_versions_report_is_written_here(
    ree: Ree, tmp_path: Path, several: Path, second: str
) -> None:
    result = ree("models", "report")
    assert result.exit_code == 0
    assert result.stdout == f"The report of {second} is report-{second}.html.\n"
    kept = several / "ree-models" / "models" / second / "report.html"
    assert (tmp_path / f"report-{second}.html").read_bytes() == kept.read_bytes()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_refused_versions_report_goes_where_it_should(
    ree: Ree, tmp_path: Path, several: Path
) -> None:
    *_, refused = versions(several)
    (tmp_path / "page.html").write_text("an older one")
    assert ree("models", "report", refused.name, "--output", "page.html").exit_code == 0
    assert (tmp_path / "page.html").read_bytes() == (refused / "report.html").read_bytes()


def test_standard_output_has_the_page_and_nothing_else(
    ree: Ree, tmp_path: Path, several: Path, first: str
) -> None:
    result = ree("models", "report", first, "--output", "-")
    kept = several / "ree-models" / "models" / first / "report.html"
    assert result.stdout_bytes == kept.read_bytes()
    assert list(tmp_path.glob("*.html")) == []


def test_a_stub_has_a_report(ree: Ree, tmp_path: Path) -> None:
    assert ree("models", "bootstrap").exit_code == 0
    assert ree("models", "report", "--output", "stub.html").exit_code == 0
    assert "A stub: its estimates are placeholders" in (tmp_path / "stub.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ((), 1, "No active model."),
        (("20260101-000000-deadbeef",), 1, "No version '20260101-000000-deadbeef'."),
        (("--open", "--output", "-"), 2, "--open needs a file"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_line(
    ree: Ree, args: tuple[str, ...], code: int, words: str
) -> None:
    result = ree("models", "report", *args)
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


@pytest.mark.parametrize(
    ("output", "words"), [("no/where.html", "No such file"), (".", "Is a folder, not a file")]
)
def test_a_place_that_cannot_be_written_to(
    ree: Ree, published: Path, output: str, words: str
) -> None:
    result = ree("models", "report", "--output", output)
    assert result.exit_code == 1
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_report_that_was_changed_is_not_shown(ree: Ree, tmp_path: Path, published: Path) -> None:
    (version,) = (published / "ree-models" / "models").iterdir()
    (version / "report.html").write_text("<h1>Excellent</h1>")
    result = ree("models", "report")
    assert result.exit_code == 1
    assert "the SHA-256 of report.html differs" in result.stderr
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.skipif(sys.platform != "linux", reason="browsers are started otherwise there")
@pytest.mark.parametrize("there", [True, False])
def test_it_is_opened_in_the_browser(tmp_path: Path, published: Path, there: bool) -> None:
    """By xdg-open, of which a double notes what it is asked for.

    Nobody waits for that but who reads the pipe that it has inherited, as `run` does.
    """
    tools = tmp_path / "tools"
    tools.mkdir()
    if there:
        opener = tools / "xdg-open"
        opener.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/asked"\n')
        opener.chmod(opener.stat().st_mode | stat.S_IXUSR)
    program = "from ree.entrypoints.cli import main; main()"
    done = subprocess.run(
        (sys.executable, "-c", program, "models", "report", "--output", "a.html", "--open"),
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("REE_")}
        | {"PATH": str(tools), "REE_STORAGE_PATH": str(published)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "a.html").exists()
    if there:
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "asked").read_text().strip() == str(tmp_path / "a.html")
    else:
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == (
            "Error: no browser could be started; open a.html yourself"
        )
