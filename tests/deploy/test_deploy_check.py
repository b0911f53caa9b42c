"""What `make deploy-check` notices: each of the breaks breaks something that ships ree."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from . import chart_breaks, compose_breaks, image_breaks, monitoring_breaks, workflow_breaks
from .tools import ROOT, TOOLS, checked

SHIPPED = (
    *(".ci", ".env.example", ".github", "deploy", "pyproject.toml"),
    *("LICENSE", "README.md", "requirements", "src"),
)
BREAKS = {
    name: each
    for part in (
        *(image_breaks, compose_breaks, chart_breaks),
        *(workflow_breaks, monitoring_breaks),
    )
    for name, each in part.BREAKS.items()
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """All that is looked at."""
    return copied(tmp_path)


def copied(folder: Path) -> Path:
    for name in SHIPPED:
        source, there = ROOT / name, folder / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".env.*")
            shutil.copytree(source, there, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, there)
    return folder


@pytest.mark.timeout(300)
def test_what_is_shipped_passes(python: str, copy: Path) -> None:
    code, said = checked("make", "deploy-check", f"ROOT={copy}")
    assert code == 0, said
    assert said.count("✓") == 5


@pytest.mark.timeout(300)
def test_make_is_red_and_tells_everything(python: str, copy: Path) -> None:
    """In one run: the Dockerfile, the compose file, the chart, a workflow and a rule."""
    broken = {each.part: each for each in BREAKS.values()}
    for each in broken.values():
        each.put(copy)
    code, said = checked("make", "deploy-check", f"ROOT={copy}")
    assert code == 2, said
    assert said.count("✗") == 5
    for each in broken.values():
        assert each.said in said


@pytest.fixture(scope="session")
def said_of(python: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What is said once a thing is broken, with all of its part that hide each other not."""

    @cache
    def of_breaks(names: tuple[str, ...]) -> str:
        root = copied(tmp_path_factory.mktemp("broken"))
        for name in names:
            BREAKS[name].put(root)
        part = ROOT / "deploy" / "check", "--only", BREAKS[names[0]].part
        code, said = checked(python, *part, root)
        assert code == 1, said
        assert "Traceback" not in said
        return said

    def of(name: str) -> str:
        one = BREAKS[name]
        together = [n for n, each in BREAKS.items() if each.part == one.part and not each.apart]
        return of_breaks((name,) if one.apart else tuple(together))

    return of


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_named(said_of: Callable[[str], str], name: str) -> None:
    """Nothing is said of what is shipped, so what is said comes of the break."""
    assert BREAKS[name].said in said_of(name)


def test_a_program_that_is_missing_is_named(copy: Path) -> None:
    """With a Python that has the packages and a path without the programs."""
    if not (TOOLS / ".installed").exists():
        pytest.skip("make deploy-tools")
    done = subprocess.run(
        [TOOLS / "bin" / "python", ROOT / "deploy" / "check", "--only", "monitoring", copy],
        env={"PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "promtool is not installed" in done.stdout
