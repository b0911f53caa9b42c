"""Keys, verification, reproduction: as a user has them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from dependency_injector import providers

from ree.adapters.seal import generate_keys, key_bytes
from ree.container import Container

from .conftest import FIRST, LATER, LIMITS, SHORT

Ree = Callable[..., Result]


def test_a_pair_of_keys_is_ready_for_the_environment(ree: Ree) -> None:
    result = ree("keys", "generate")
    assert result.exit_code == 0
    pair = dict(line.split("=", 1) for line in result.stdout.splitlines())
    assert list(pair) == ["REE_SIGNING_KEY", "REE_VERIFY_KEYS"]
    assert all(len(key_bytes(key)) == 32 for key in pair.values())
    assert "is a secret" in result.stderr
    assert ree("models", "bootstrap", **pair).exit_code == 0
    assert ree("models", "verify", **pair).exit_code == 0
    again = json.loads(ree("keys", "generate", "--json").stdout)
    assert set(again) == set(pair)
    assert again != pair


def test_everything_that_is_stored_is_sound(ree: Ree, several: Path) -> None:
    told = json.loads(ree("models", "verify", "--json").stdout)
    assert told["sound"] is True
    stored = {
        path.relative_to(bucket).as_posix()
        for bucket in several.iterdir()
        for path in bucket.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    subjects = {finding["subject"] for finding in told["findings"]}
    assert stored == subjects
    result = ree("models", "verify")
    assert result.exit_code == 0
    assert result.stdout == f"Sound: {len(subjects)} checked, 0 broken, 0 to look at.\n"


@pytest.mark.parametrize(
    "pattern",
    [
        "ree-models/latest.json",
        "ree-models/activations/000001-*.json",
        "ree-models/activations/000002-*.json",
        "ree-models/models/*/model.npz",
        "ree-models/models/*/model.pkl",
        "ree-models/models/*/report.html",
        "ree-models/models/*/training_manifest.json",
        "ree-models/rejected/*/metrics.json",
        "ree-models/rejected/*/training_manifest.json",
        "ree-models/runs/*.json",
        "ree-models/track_record/*/*.json",
        "ree-snapshots/datasets/*/*/dataset.parquet",
        "ree-snapshots/datasets/*/*/manifest.json",
        "ree-snapshots/snapshots/*/*/rows_raw.jsonl",
        "ree-snapshots/snapshots/*/*/manifest.json",
    ],
)
def test_one_byte_in_any_object_is_found_and_the_object_named(
    ree: Ree, several: Path, pattern: str
) -> None:
    path = sorted(several.glob(pattern))[0]
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    key = path.relative_to(several).as_posix().partition("/")[2]
    result = ree("models", "verify", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["sound"] is False
    broken = {f["subject"] for f in told["findings"] if f["soundness"] == "broken"}
    assert key in broken
    shown = ree("models", "verify")
    assert shown.exit_code == 1
    assert key in "".join(shown.stdout.split())


def test_one_version_is_verified_with_what_it_was_trained_on(
    ree: Ree, several: Path, first: str, second: str
) -> None:
    damaged = several / "ree-models" / "models" / second / "metrics.json"
    damaged.write_bytes(damaged.read_bytes() + b" ")
    assert ree("models", "verify", second).exit_code == 1
    told = json.loads(ree("models", "verify", first, "--json").stdout)
    assert told["sound"] is True
    subjects = {finding["subject"] for finding in told["findings"]}
    assert "latest.json" in subjects
    assert any(subject.endswith("dataset.parquet") for subject in subjects)
    assert not any(second in subject and "models/" in subject for subject in subjects)
    assert ree("models", "verify", "20260101-000000-00000000").exit_code == 1


def test_another_environment_is_worth_a_look(ree: Ree, published: Path) -> None:
    def told(**settings: str) -> list[dict[str, str]]:
        found = json.loads(ree("models", "verify", "--json", **settings).stdout)["findings"]
        return [finding for finding in found if finding["soundness"] == "warning"]

    assert told() == []
    (warned,) = told(REE_VERIFY_KEYS="")
    assert "REE_VERIFY_KEYS is not set" in warned["detail"]


def test_a_version_of_another_key_is_refused(ree: Ree, published: Path) -> None:
    _, public = generate_keys()
    refused = ree("models", "list", REE_VERIFY_KEYS=public)
    assert refused.exit_code == 1
    assert "not in REE_VERIFY_KEYS" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"REE_SIGNING_KEY": None}, "REE_SIGNING_KEY is not set"),
        ({"REE_SIGNING_KEY": generate_keys()[0]}, "is not in REE_VERIFY_KEYS"),
    ],
    ids=["none", "another"],
)
@pytest.mark.parametrize(
    "args",
    [
        ("models", "rollback", "--why", "x"),
        ("models", "bootstrap"),
        (*SHORT, "--force-fetch"),
    ],
    ids=["rollback", "bootstrap", "retrain"],
)
def test_who_cannot_sign_changes_nothing(
    ree: Ree, several: Path, files: Callable[[Path], dict[str, bytes]],
    keys: dict[str, str | None], words: str, args: tuple[str, ...],
) -> None:  # fmt: skip
    before = files(several)
    if args == ("models", "bootstrap"):
        (several / "ree-models").rename(several.parent / "elsewhere")
        before = {name: body for name, body in before.items() if name.startswith("ree-snap")}
    result = ree(*args, **keys)
    assert result.exit_code == 1
    assert words in result.stderr.splitlines()[-1]
    assert files(several) == before


def test_a_storage_that_was_begun_without_keys_can_adopt_them(ree: Ree, storage: Path) -> None:
    unsigned = {"REE_SIGNING_KEY": None, "REE_VERIFY_KEYS": None}
    lax = {f"REE_GATE_{name}_MAX_DEGRADE_PCT": "1000" for name in LIMITS}
    assert ree(*FIRST, **unsigned).exit_code == 0
    refused = ree("models", "list")
    assert refused.exit_code == 1
    assert "docs/storage.md" in refused.stderr
    assert ree(*LATER, "--force-fetch", REE_VERIFY_KEYS=None, **lax).exit_code == 0
    told = json.loads(ree("models", "list", "--json").stdout)
    assert [version["status"] for version in told["versions"]] == ["active"]
    assert ree("models", "verify", told["active"]).exit_code == 0
    assert ree(*SHORT, **lax).exit_code == 0


def test_a_month_that_is_not_signed_is_fetched_again(ree: Ree, storage: Path) -> None:
    unsigned = {"REE_SIGNING_KEY": None, "REE_VERIFY_KEYS": None}
    assert ree(*FIRST, "--dry-run", **unsigned).exit_code == 0
    shutil.rmtree(storage / "ree-snapshots" / "datasets")
    again = ree(*FIRST, "--dry-run")
    assert again.exit_code == 0, again.stderr
    assert "It is fetched again" in again.stderr


def test_a_history_that_was_wiped_is_noticed(ree: Ree, published: Path) -> None:
    for path in (published / "ree-models").glob("activations/*"):
        path.unlink()
    (published / "ree-models" / "latest.json").unlink()
    result = ree("models", "verify")
    assert result.exit_code == 1
    assert "the history does not" in " ".join(result.stdout.split())


def test_a_damaged_history_does_not_hide_a_version(ree: Ree, several: Path, first: str) -> None:
    next((several / "ree-models").glob("activations/000001-*")).unlink()
    result = ree("models", "show")
    assert result.exit_code == 0
    assert "activation 1 is missing" in result.stderr


def test_versions_that_nobody_trusts_are_told(ree: Ree, published: Path) -> None:
    manifest = next((published / "ree-models").glob("models/*/training_manifest.json"))
    manifest.write_bytes(manifest.read_bytes() + b" ")
    result = ree("models", "list")
    assert result.stdout == "No version can be read.\n"
    assert manifest.parent.name in result.stderr


def test_a_private_key_in_the_wrong_place_is_not_shown(ree: Ree) -> None:
    private, public = generate_keys()
    result = ree("models", "list", REE_VERIFY_KEYS=f"{private} {public}")
    assert result.exit_code == 1
    assert private not in result.output
    assert "REE_VERIFY_KEYS" in result.stderr


def test_a_version_comes_out_the_same_in_another_process_with_other_threads(
    ree: Ree, published: Path, tmp_path: Path
) -> None:
    version = json.loads(ree("models", "list", "--json").stdout)["active"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = "from ree.entrypoints.cli import main; main()"
    made = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program, "models", "reproduce", version, "--json"],
            cwd=elsewhere,
            env=os.environ | {"REE_STORAGE_PATH": str(published), "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made.append(json.loads(done.stdout))
    assert made[0] == made[1]
    assert made[0]["same"] is True
    assert set(made[0]["objects"]) == {"model.npz", "feature_schema.json", "metrics.json"}
    for told in made[0]["objects"].values():
        assert told["stored"] == told["made"]
    assert made[0]["changed_inputs"] == {}


def test_what_changed_since_is_told(ree: Ree, published: Path) -> None:
    version = json.loads(ree("models", "list", "--json").stdout)["active"]
    with Container.environment.override(providers.Object({"python": "9.9"})):
        told = json.loads(ree("models", "reproduce", version, "--json").stdout)
        shown = ree("models", "reproduce", version).stdout
        looked_at = json.loads(ree("models", "verify", version, "--json").stdout)["findings"]
    assert told["changed_inputs"]["python"]["now"] == "9.9"
    assert "changed since" in shown
    (warned,) = (finding for finding in looked_at if finding["soundness"] == "warning")
    assert warned["detail"].endswith("here is 9.9")


def test_a_changed_dataset_is_not_trained_on(ree: Ree, published: Path) -> None:
    version = json.loads(ree("models", "list", "--json").stdout)["active"]
    (table,) = published.glob("ree-snapshots/datasets/*/*/dataset.parquet")
    table.write_bytes(table.read_bytes() + b" ")
    result = ree("models", "reproduce", version)
    assert result.exit_code == 1
    assert "dataset.parquet changed since it was written" in result.stderr


def test_a_stub_cannot_be_reproduced(ree: Ree) -> None:
    version = json.loads(ree("models", "bootstrap", "--json").stdout)["model_version"]
    result = ree("models", "reproduce", version)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: Version")
    assert "is a stub" in result.stderr
