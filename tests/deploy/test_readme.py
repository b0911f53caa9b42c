"""The README's commands for a cluster, beside programs that stand in for one.

Helm renders what it would install and kubectl makes the Secret, both really; that the rest fits to
it is seen afterwards.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from ree.adapters.settings import load_settings

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".deploy-tools" / "bin"
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
COMMANDS = [block for block in BLOCKS if re.search(r"^(kind|helm) ", block, re.MULTILINE)]
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "cronjob": "CronJob"}
STAND_IN = f"""#!{sys.executable}
import json, subprocess, sys
from pathlib import Path
name, *words = Path(sys.argv[0]).name, *sys.argv[1:]
with open("calls", "a") as calls:
    calls.write(json.dumps([name, *words]) + "\\n")
if name == "helm" and words[0] == "upgrade":
    words = [word for word in words[1:] if word != "--install"]
    with open("rendered", "ab") as rendered:
        rendered.write(b"--- # upgrade\\n")
        rendered.flush()
        subprocess.run([{str(BIN / "helm")!r}, "template", *words], stdout=rendered, check=True)
elif words[:2] == ["create", "secret"]:
    with open("secret", "wb") as secret:
        command = [{str(BIN / "kubectl")!r}, *words, "--dry-run=client", "-o", "yaml"]
        subprocess.run(command, stdout=secret, check=True)
"""


@frozen
class Story:
    """What was called, what each upgrade would install, and the Secret."""

    calls: list[list[str]]
    installed: list[list[dict[str, Any]]]
    secret: dict[str, Any]

    def asked(self, *words: str) -> list[list[str]]:
        return [call for call in self.calls if call[: len(words)] == list(words)]

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """In the first installation, by name."""
        found = self.installed[0]
        return {each["metadata"]["name"]: each for each in found if each["kind"] == kind}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    if not (ROOT / ".deploy-tools" / ".installed").exists():
        assert not os.environ.get("CI"), "make deploy-tools"
        pytest.skip("helm and kubectl are not installed: make deploy-tools")
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "deploy", folder / "deploy", symlinks=True)
    programs, own = folder / "bin", Path(sys.executable).parent
    programs.mkdir()
    for name in ("kind", "docker", "kubectl", "helm"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    (folder / ".venv").symlink_to(own.parent)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(COMMANDS)],
        cwd=folder,
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Story(
        [json.loads(line) for line in (folder / "calls").read_text().splitlines()],
        [
            [each for each in yaml.safe_load_all(text) if each]
            for text in (folder / "rendered").read_text().split("--- # upgrade\n")[1:]
        ],
        yaml.safe_load((folder / "secret").read_text()),
    )


def test_the_image_that_is_built_is_loaded_and_run(story: Story) -> None:
    (build,) = story.asked("docker", "build")
    (load,) = story.asked("kind", "load", "docker-image")
    image = build[build.index("--tag") + 1]
    assert image in load
    pods = [story.of_kind("Deployment")[name]["spec"]["template"] for name in ("ree-api",)]
    pods.append(story.of_kind("CronJob")["ree-training"]["spec"]["jobTemplate"]["spec"]["template"])
    assert {each["image"] for pod in pods for each in pod["spec"]["containers"]} == {image}


def test_it_is_one_cluster_and_one_namespace(story: Story) -> None:
    (create,) = story.asked("kind", "create", "cluster")
    (load,) = story.asked("kind", "load", "docker-image")
    assert create[-2:] == load[-2:] == ["--name", "ree"]
    (namespace,) = story.asked("kubectl", "create", "namespace")
    for call in story.calls:
        if "-n" in call:
            assert call[call.index("-n") + 1] == namespace[-1]
    assert {each["metadata"].get("namespace") for each in story.installed[0]} == {namespace[-1]}


def test_the_secret_has_what_pods_read(story: Story) -> None:
    """And is made before they are."""
    read = json.dumps(story.installed[0])
    needed = {
        found["key"]
        for found in map(json.loads, re.findall(r'"secretKeyRef": (\{[^}]*\})', read))
        if not found.get("optional")
    } | set(re.findall(r'\{"key": "([A-Z0-9_]+)", "path"', read))
    assert {"REE_SIGNING_KEY", "S3_READER_SECRET_KEY", "S3_IDENTITIES"} <= needed
    assert needed <= set(story.secret["data"])
    order = [call[:3] for call in story.calls]
    assert order.index(["kubectl", "create", "secret"]) < order.index(
        ["helm", "upgrade", "--install"]
    )


def test_what_is_waited_for_is_installed_or_made(story: Story) -> None:
    made = {f"job/{call[-1]}" for call in story.asked("kubectl", "create", "job")}
    names = [
        word.partition("=")[2] if word.startswith("--from=") else word
        for call in story.calls
        if call[0] == "kubectl"
        for word in call
        if re.fullmatch(r"(--from=)?(job|deployment|statefulset|cronjob)/\S+", word)
    ]
    assert len(names) >= 5
    for name in names:
        kind, _, own = name.partition("/")
        assert name in made or own in story.of_kind(KINDS[kind])


def test_the_schedule_is_off_until_it_is_wanted(story: Story) -> None:
    suspended = [
        each["spec"]["suspend"]
        for installed in story.installed
        for each in installed
        if each["kind"] == "CronJob"
    ]
    assert suspended == [True, False]


def test_an_existing_storage_is_named_by_settings_that_the_compose_file_takes() -> None:
    [block] = re.findall(r"```ini\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    given = dict(line.split("=", 1) for line in block.splitlines())
    settings = load_settings(given, dotenv=os.devnull)
    assert settings.storage == "s3"
    assert settings.s3_endpoint == "http://minio.example:9000"
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    assert [name for name in given if f"${{{name}:" not in compose] == ["REE_STORAGE"]


def test_the_port_of_the_text_is_the_services() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    assert "`kubectl port-forward -n ree service/ree-api 8000:80`" in text
    service = (ROOT / "deploy" / "helm" / "templates" / "api.yaml").read_text()
    assert "port: 80\n" in service
