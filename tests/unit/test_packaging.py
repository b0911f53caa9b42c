"""The package list, the dependencies and their pins say the same thing."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
GROUPS = PYPROJECT["dependency-groups"]

RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
BUILD = [Requirement(line) for line in GROUPS["build"]]
DEV = [Requirement(line) for line in GROUPS["dev"] if isinstance(line, str)]
BENCHMARKS = [Requirement(line) for line in GROUPS["benchmarks"]]
PEERS = [Requirement(line) for line in GROUPS["serving-peers"]]
DEPLOY = [Requirement(line) for line in GROUPS["deploy"]]
HELM = [Requirement(line) for line in GROUPS["helm"]]
BACKEND = [Requirement(line) for line in PYPROJECT["build-system"]["requires"]]

FILES = sorted(file.name for file in (ROOT / "requirements").iterdir())

PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)(\[(?P<extras>[a-z0-9,-]+)\])?==(?P<version>[^\s;]+)"
    r"( ; (?P<marker>[^\\]+?))?"
    r"( --hash=sha256:[0-9a-f]{64})+"
)


def entries(name: str) -> list[str]:
    """The lines of a requirements file, joined and without comments."""
    text = (ROOT / "requirements" / name).read_text()
    text = re.sub(r" *\\\n *", " ", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))
    return text.splitlines()


def pins(name: str) -> set[tuple[str, str, str | None]]:
    found = [PIN.fullmatch(line) for line in entries(name)]
    return {(pin["name"], pin["version"], pin["marker"]) for pin in found if pin}


def test_packages_are_the_folders_below_src() -> None:
    src = ROOT / "src"
    folders = {module.parent.relative_to(src).parts for module in src.rglob("*.py")}

    assert sorted(PYPROJECT["tool"]["setuptools"]["packages"]) == sorted(
        ".".join(("ree", *parts)) for parts in folders
    )


def test_every_package_has_an_init() -> None:
    folders = {module.parent for module in (ROOT / "src").rglob("*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    "requirement", [*RUNTIME, *BUILD, *DEV, *BENCHMARKS, *PEERS, *DEPLOY, *HELM, *BACKEND], ids=str
)
def test_every_dependency_has_a_lower_bound(requirement: Requirement) -> None:
    assert {spec.operator for spec in requirement.specifier} & {">=", "=="}


@pytest.mark.parametrize("name", FILES)
def test_requirements_hold_hashed_pins_and_nothing_else(name: str) -> None:
    """No index, host, path or unpinned requirement has room in this grammar."""
    assert [line for line in entries(name) if not PIN.fullmatch(line)] == []
    assert "//" not in (ROOT / "requirements" / name).read_text()


@pytest.mark.parametrize("requirement", DEV, ids=str)
def test_an_extra_is_pinned_with_its_package(requirement: Requirement) -> None:
    """Else an older pip takes the newest of the package where one is asked for."""
    found = [PIN.fullmatch(line) for line in entries("dev.txt")]
    extras = {pin["name"]: set((pin["extras"] or "").split(",")) for pin in found if pin}
    assert requirement.extras <= extras[canonicalize_name(requirement.name)]


@pytest.mark.parametrize(
    ("name", "direct"),
    [
        ("runtime.txt", RUNTIME + BUILD),
        ("dev.txt", RUNTIME + BUILD + DEV),
        ("benchmarks.txt", RUNTIME + BENCHMARKS),
        ("serving-peers.txt", PEERS),
        ("deploy.txt", DEPLOY),
        ("helm.txt", HELM),
    ],
)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_pins_cover_and_satisfy_every_direct_dependency(
    name: str, direct: list[Requirement], python: str
) -> None:
    here = {"python_version": python, "python_full_version": f"{python}.0"}
    pinned = {
        package: version
        for package, version, marker in pins(name)
        if marker is None or Marker(marker).evaluate(here)
    }

    unmet = [
        str(requirement)
        for requirement in direct
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert unmet == []


def test_runtime_pins_are_a_part_of_the_dev_pins() -> None:
    assert {pin[:2] for pin in pins("runtime.txt")} <= {pin[:2] for pin in pins("dev.txt")}


def test_benchmarks_are_no_dev_pins_and_change_none() -> None:
    """They can be added to the environment of the tests, which does without them."""
    versions = {(name, marker): version for name, version, marker in pins("dev.txt")}
    changed = [
        name
        for name, version, marker in pins("benchmarks.txt")
        if versions.get((name, marker), version) != version
    ]

    assert changed == []
    assert {name for name, _ in versions}.isdisjoint(requirement.name for requirement in BENCHMARKS)


@pytest.mark.parametrize("name", ["numpy", "scikit-learn", "scipy"])
def test_peers_compute_with_what_fitted_the_model(name: str) -> None:
    """A model that one scikit-learn saved does not load in another; figures would differ, too."""
    own, theirs = (
        {pin for pin in pins(file) if pin[0] == name} for file in ("dev.txt", "serving-peers.txt")
    )

    assert own == theirs != set()


def test_peers_are_nothing_of_the_product() -> None:
    versions = {name for name, _, _ in pins("dev.txt")}

    assert versions.isdisjoint({"fastapi", "mlflow", "pandas", "uvicorn"})
