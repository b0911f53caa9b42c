"""What fits into the terminal that most people have, and what does not."""

import pytest
from rich.console import Console

from ree.entrypoints.cli import rendering
from ree.entrypoints.cli.rendering import show, table, version_name

VERSION = "20261201-030512-18bb818d"


@pytest.fixture(params=[80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    def console() -> Console:
        return Console(force_terminal=True, width=request.param, color_system=None)

    monkeypatch.setattr(rendering, "console", console)
    return int(request.param)


def test_a_sentence_ends_its_lines_between_words(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"training{number}" for number in range(30)]
    show(" ".join(words))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == words


def test_a_word_that_is_longer_than_a_line_stays_in_one_piece(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/" + "x" * width
    show(f"The report is {path}")
    assert path in capsys.readouterr().out


def test_a_version_is_told_apart_where_there_is_no_room_for_its_name(width: int) -> None:
    assert version_name(VERSION) == (VERSION if width > 100 else "…18bb818d")


def test_a_table_with_versions_has_lines_of_80_characters(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    made = table("run", "sales of", "ending", "took>", "version")
    for column in made.columns:
        column.no_wrap = True
    made.add_row(VERSION, "2025-12 – 2026-11", "activated", "1234 s", version_name(VERSION))
    show(made)
    head, row = capsys.readouterr().out.splitlines()
    assert VERSION in row
    assert "18bb818d" in row.split()[-1]
    assert max(len(head), len(row)) <= width
