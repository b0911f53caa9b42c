import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Ree = Callable[..., Result]


@pytest.fixture
def rejected(several: Path) -> str:
    return next((several / "ree-models" / "rejected").iterdir()).name


def active(ree: Ree) -> str:
    return str(json.loads(ree("models", "list", "--json").stdout)["active"])


def test_an_empty_registry(ree: Ree, storage: Path) -> None:
    assert ree("models", "list").stdout.startswith("There is no version yet.")
    assert json.loads(ree("models", "list", "--json").stdout) == {"active": None, "versions": []}
    assert ree("models", "show").exit_code == 1
    assert ree("runs", "list").stdout.startswith("There was no retrain yet.")
    assert not storage.exists()


def test_the_list_has_every_version(ree: Ree, first: str, second: str, rejected: str) -> None:
    told = json.loads(ree("models", "list", "--json").stdout)
    assert told["active"] == second
    assert {version["model_version"]: version["status"] for version in told["versions"]} == {
        rejected: "rejected",
        second: "active",
        first: "published",
    }
    oldest = told["versions"][-1]
    assert oldest["period"] == {"start_date": "2025-01-01", "end_date": "2025-04-30"}
    assert oldest["metrics"]["n"] > 30
    lines = ree("models", "list").stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].split() == [
        "version", "status", "type", "trained", "on", "until", "MAE,", "kr", "MdAPE", "n"
    ]  # fmt: skip
    assert any(line.startswith(f"{second}  active") for line in lines)


def test_a_version_in_full(ree: Ree, first: str, second: str) -> None:
    told = json.loads(ree("models", "show", first, "--json").stdout)
    assert told["status"] == "published"
    assert told["verdict"]["passed"] is True
    assert told["activations"][0]["version"] == first
    assert "model.npz" in told["objects"]
    out = ree("models", "show").stdout
    for words in (second, first, "trained until", "Errors on the holdout", "Gate passed",
                  "Activations"):  # fmt: skip
        assert words in out


def test_activate_and_roll_back(ree: Ree, first: str, second: str) -> None:
    went = ree("models", "activate", first, "--why", "the newer one\nis odd")
    assert went.exit_code == 0
    assert went.stdout == f"Version {first} is active.\nBefore it was {second}.\n"
    assert active(ree) == first
    back = ree("models", "activate", second, "--why", "it was fine", "--json")
    assert json.loads(back.stdout)["activated_by"].startswith("cli:")
    rolled = ree("models", "rollback", "--why", "prices jumped", "--json")
    assert json.loads(rolled.stdout)["version"] == first
    assert active(ree) == first
    assert "the newer one is odd" in ree("models", "show", first).stdout


def test_a_rejected_version_is_never_active(ree: Ree, second: str, rejected: str) -> None:
    result = ree("models", "activate", rejected, "--why", "I want it")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The gate refused version")
    assert active(ree) == second
    assert "Gate refused" in ree("models", "show", rejected).stdout


def test_bootstrap_once(ree: Ree) -> None:
    told = json.loads(ree("models", "bootstrap", "--json").stdout)
    assert told == {"model_version": active(ree), "type": "stub", "activated": True}
    assert "stub" in ree("models", "show").stdout
    again = ree("models", "bootstrap")
    assert again.exit_code == 1
    assert "a stub is only for an empty registry" in again.stderr


def test_bootstrap_says_that_it_is_a_stub(ree: Ree) -> None:
    assert "It is a stub" in ree("models", "bootstrap").stdout


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("models", "activate", "nope", "--why", "x"), 1, "No version 'nope'"),
        (("models", "activate", "../x", "--why", "x"), 1, "../x"),
        (("models", "activate", "nope"), 2, "Missing option '--why'"),
        (("models", "activate", "nope", "--why", " "), 2, "say why"),
        (("models", "rollback"), 2, "Missing option '--why'"),
        (("models", "rollback", "--why", "x"), 1, "No earlier version was active"),
        (("models", "show", "nope"), 1, "No version 'nope'"),
        (("models", "list", "x"), 2, "unexpected extra argument"),
        (("runs", "show", "nope"), 1, "No run 'nope'"),
        (("runs", "show"), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    ree: Ree, published: Path, args: tuple[str, ...], code: int, words: str,
    files: Callable[[Path], dict[str, bytes]],
) -> None:  # fmt: skip
    before = files(published)
    result = ree(*args)
    assert result.exit_code == code
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr
    assert files(published) == before


def test_runs_are_listed_and_shown(
    ree: Ree, several: Path, first: str, second: str, rejected: str
) -> None:
    told = json.loads(ree("runs", "list", "--json").stdout)["runs"]
    assert [run["model_version"] for run in told] == [rejected, second, first]
    assert told[0]["asked_by"].startswith("cli:")
    run_id = told[-1]["run_id"]
    assert run_id in ree("runs", "list").stdout
    shown = json.loads(ree("runs", "show", run_id, "--json").stdout)
    assert shown["verdict"]["passed"] is True
    assert "Gate passed" in ree("runs", "show", run_id).stdout


def test_a_damaged_pointer_is_one_line(ree: Ree, published: Path) -> None:
    (published / "ree-models" / "latest.json").write_text("{")
    result = ree("models", "list")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_an_active_version_that_cannot_be_read_is_told(
    ree: Ree, several: Path, second: str
) -> None:
    (several / "ree-models" / "models" / second / "training_manifest.json").unlink()
    result = ree("models", "list")
    assert result.exit_code == 0
    assert second not in result.stdout
    assert f"the active version {second} cannot be read" in result.stderr
