"""What the documents say is run: the README's commands, the embedding page's code."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGTERM
from threading import Thread

import pytest

from ree.adapters.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EMBEDDING = (ROOT / "docs" / "embedding.md").read_text()
ELSEWHERE = ("make ", "kind ", "helm ")
"""What runs the tests, and what tests/deploy/test_readme.py runs."""
SERVERS = ("ree sandbox serve", "ree serve")
TERMINATED = 128 + SIGTERM
"""What honcho ends with."""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(command: str, url: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """A server of the README, from when it says that it listens until it is told to stop."""
    with subprocess.Popen(
        command.split(),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if url in line:
                    break
            else:
                pytest.fail("".join(said))
            rest = Thread(target=process.stdout.read, daemon=True)
            rest.start()
            yield
        finally:
            process.terminate()
        rest.join(timeout=30)
        assert process.wait(timeout=30) in (0, TERMINATED)


@pytest.fixture
def environment() -> dict[str, str]:
    """Nothing set, `ree` on the path as in an active virtual environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def missing_tool() -> str | None:
    return next((tool for tool in ("bash", "curl") if shutil.which(tool) is None), None)


@pytest.mark.timeout(600)
def test_every_command_of_the_readme_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    if tool := missing_tool():
        assert not os.environ.get("CI"), f"{tool} is not installed"
        pytest.skip(f"{tool} is not installed")
    market, api = str(free_port()), str(free_port())
    environment |= {"REE_PORT": api, "REE_MODEL_REFRESH_SECONDS": "1"}
    printed = []
    exports = ""
    with ExitStack() as servers:
        for block in blocks(README, "sh"):
            commands = block.replace("8099", market).replace("127.0.0.1:8000", f"127.0.0.1:{api}")
            if commands.startswith(ELSEWHERE):
                continue
            if commands.startswith(SERVERS):
                port = market if "sandbox" in commands else api
                url = f"http://127.0.0.1:{port}"
                servers.enter_context(served(commands, url, tmp_path, environment))
                continue
            if commands.startswith("honcho "):
                shutil.copy(ROOT / "Procfile", tmp_path)
                own = str(free_port())
                with served(
                    commands, f"127.0.0.1:{own}", tmp_path, environment | {"REE_PORT": own}
                ):
                    continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", exports + commands],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{commands}\n{done.stderr}"
            exports += "".join(re.findall(r"^export .*\n", commands, re.MULTILINE))
            printed.append(done.stdout)
    first, again, _, track, drift, answers, keys, metrics, files = printed
    assert "Gate passed" in first
    assert json.loads(again)["reused"] is True
    assert "No month" in track
    assert drift.startswith("Drift ")
    assert _comparable(answers.splitlines()[-1]) == _comparable(blocks(README, "json")[0])
    assert re.fullmatch(r"ree_\S{43}\nREE_CLIENT_KEYS=web:[0-9a-f]{64}\n", keys)
    assert 'ree_http_requests_total{method="POST",route="/estimate",status="200"} 1.0' in metrics
    assert "2 of 3 homes estimated" in files
    assert files.splitlines()[-1] == "attic,,,,,,,,,missing:floor_for_leilighet"


def _comparable(answer: str) -> dict[str, object]:
    """An answer but for the version, whose name tells when it was made."""
    found: dict[str, object] = json.loads(answer)["486002054"]
    assert found.pop("model_version")
    return found


def test_the_two_make_targets_are_there() -> None:
    targets = re.findall(r"^make (\w+)", "".join(blocks(README, "sh")), re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}: install" in makefile for target in targets)


def test_the_embedding_page_runs(tmp_path: Path) -> None:
    program = "\n".join(blocks(EMBEDDING, "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    passed, price, codes = done.stdout.splitlines()
    assert passed.startswith("True ")
    assert int(price.split()[0]) > 1_000_000
    assert "missing:floor_for_leilighet" in codes


def test_the_example_of_settings_is_complete_and_shows_the_defaults(tmp_path: Path) -> None:
    example = ROOT / ".env.example"
    names = re.findall(r"^(REE_\w+)=", example.read_text(), re.MULTILINE)
    assert names == [PREFIX + name.upper() for name in Settings.__annotations__]
    assert load_settings({}, str(example)) == Settings()
    assert load_settings({}, str(tmp_path / "none")) == Settings()
