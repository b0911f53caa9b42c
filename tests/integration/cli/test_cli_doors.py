"""Help, the servers, the demo, and `ree` as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import click
import pytest
from click.testing import Result

from ree.entrypoints.cli import cli, demo

Ree = Callable[..., Result]
PROGRAM = (sys.executable, "-c", "from ree.entrypoints.cli import main; main()")
HEAVY = ("numpy", "numba", "sklearn", "pyarrow", "flask", "dependency_injector", "rich", "httpx2",
         "jinja2", "matplotlib")  # fmt: skip


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def found(path: Sequence[str]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name) or command
    return command


def alone(*args: str, cwd: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*PROGRAM, *args), cwd=cwd, env=clean() | env, capture_output=True, text=True, check=False
    )


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("REE_")}


@contextmanager
def started(*args: str, cwd: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        (*PROGRAM, *args), cwd=cwd, env=clean() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help_mentions_each_option(ree: Ree, path: tuple[str, ...]) -> None:
    result = ree(*path, "--help")
    assert result.exit_code == 0
    assert result.stderr == ""
    command = found(path)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in result.stdout
    assert "..." not in result.stdout.partition("Commands:")[2]


def test_the_lines_of_the_group_are_those_of_its_commands() -> None:
    for name, line in cli.lines.items():
        command = found((name,))
        assert command.short_help == line


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("retrain", "--help")])
def test_help_imports_nothing_heavy(tmp_path: Path, args: tuple[str, ...]) -> None:
    program = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules]))\n"
        f"sys.argv = ['ree', *{args}]\n"
        "from ree.entrypoints.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version(tmp_path: Path) -> None:
    from importlib.metadata import version

    assert alone("--version", cwd=tmp_path).stdout == f"ree {version('ree-norway')}\n"


def test_python_m_runs_it_too(tmp_path: Path) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "ree.entrypoints.cli", "--version"), cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("ree ")


@pytest.mark.parametrize(
    ("args", "words"),
    [(("nope",), "No such command 'nope'"), (("models", "nope"), "nope"), (("--nope",), "--nope")],
)
def test_an_unknown_command(ree: Ree, args: tuple[str, ...], words: str) -> None:
    result = ree(*args)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


def test_alone_it_shows_its_help(ree: Ree) -> None:
    result = ree()
    assert result.exit_code == 2
    assert "Commands:" in result.output


def test_a_process_ends_with_the_right_codes(tmp_path: Path) -> None:
    assert alone("models", "list", cwd=tmp_path).returncode == 0
    refused = alone("models", "rollback", "--why", "x", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert alone("retrain", cwd=tmp_path).returncode == 2


def test_json_is_utf_8_in_any_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "bygdøy"
    folder.mkdir()
    (folder / "h.json").write_text('{"a": {}}')
    alone("models", "bootstrap", cwd=tmp_path, REE_STORAGE_PATH="s")
    done = subprocess.run(
        (*PROGRAM, "estimate", "bygdøy/h.json", "--output", "bygdøy/o.csv", "--json"),
        cwd=tmp_path, env=clean() | {"PYTHONIOENCODING": "ascii", "REE_STORAGE_PATH": "s"},
        capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.decode())["output"] == "bygdøy/o.csv"


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            (*PROGRAM, "models", "list"), cwd=tmp_path, env=clean(), stdout=write,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(write)
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_it_is_stopped(tmp_path: Path, number: int) -> None:
    with started("sandbox", "serve", "--port", "0", "--require-key", "k", cwd=tmp_path) as process:
        assert process.stdout is not None
        assert "simulated sales, seed 2026" in process.stdout.readline()
        base_url = process.stdout.readline().partition("=")[2].strip()
        question = (
            f"{base_url}/gbk_int/turnovers/valuer_formatted"
            "?start_date=2025-01-01&end_date=2025-01-31&type=2&min_price=1000&page=1&per_page=3"
        )
        with urlopen(Request(question, headers={"Apikey": "k"})) as answer:  # noqa: S310
            assert len(json.load(answer)["data"]) == 3
        process.send_signal(number)
        assert process.wait(10) == 0


def test_the_sandbox_replays_a_file(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "property_id,turnover_date,price,realestate_type,municipality_number,lat,lon,built_year,"
        "total_area,bra,floor,bedrooms,rooms\n7,2025-01-09,1000000,hytte,3421,61,12,1990,90,80,,,\n"
    )
    with started("sandbox", "serve", "--port", "0", "--data", "sales.csv", cwd=tmp_path) as process:
        assert process.stdout is not None
        assert "the sales of sales.csv" in process.stdout.readline()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--data", "none.csv"), 1, "none.csv: No such file"),
        (("--data", "bad.csv"), 1, "bad.csv, line 1: missing column"),
        (("--fault-rate", "nan"), 2, "not a share"),
        (("--fault-rate", "1.5"), 2, "not a share"),
        (("--latency-ms", "-1"), 2, "--latency-ms"),
        (("--seed", "-1"), 2, "--seed"),
        (("--require-key", ""), 2, "needs a key"),
        (("--port", "70000"), 2, "--port"),
    ],
)
def test_a_sandbox_that_cannot_start(
    ree: Ree, tmp_path: Path, args: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n")
    result = ree("sandbox", "serve", *args)
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


@pytest.mark.parametrize("command", [("sandbox", "serve"), ("serve",)])
def test_a_port_that_is_taken(ree: Ree, command: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = ree(*command, "--host", "127.0.0.1", "--port", port)
    assert result.exit_code == 1
    assert port in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "served"),
    [
        ((), ("127.0.0.9", 8123, 1)),
        (("--host", "::1", "--port", "0", "--workers", "3"), ("::1", 0, 3)),
    ],
)
def test_serving_where_the_settings_say_or_the_options(
    ree: Ree,
    monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...],
    served: tuple[str, int, int],
) -> None:
    asked: list[tuple[str, int, int]] = []

    def serve(container: object, host: str, port: int, workers: int) -> None:
        asked.append((host, port, workers))

    monkeypatch.setattr("ree.entrypoints.api.server.serve", serve)
    assert ree("serve", *args, REE_HOST="127.0.0.9", REE_PORT="8123").exit_code == 0
    assert asked == [served]


def test_the_demo_trains_estimates_and_is_reused(
    ree: Ree,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: Callable[[Path], dict[str, bytes]],
) -> None:
    monkeypatch.setattr(demo, "TURNOVERS_PER_MONTH", 400)
    monkeypatch.setattr(sys, "argv", [".venv/bin/ree", "demo"])
    result = ree("demo", "--path", "my demo", REE_HOST="0.0.0.0", REE_PORT="9000")  # noqa: S104
    assert result.exit_code == 0, result.output
    folder = tmp_path / "my demo"
    for words in (
        "Where the turnovers went", "Errors on the holdout", "Gate passed", "made active",
        "house in Skien", "apartment in Oslo", "cabin in Ringsaker", str(folder),
        f"REE_STORAGE_PATH='{folder}' .venv/bin/ree serve",
        "curl -sS 'http://127.0.0.1:9000/estimate?valuation_date=2026-01-02'",
    ):  # fmt: skip
        assert words in result.stdout
    before = files(folder)
    again = ree("demo", "--path", "my demo")
    assert again.exit_code == 0
    assert "reused, not trained again" in again.stdout
    assert files(folder) == before

    body = result.stdout.partition("-d '")[2].strip().removesuffix("'")
    (tmp_path / "homes.json").write_text(body)
    priced = ree(
        "estimate", "homes.json", "--output", "out.json", "--valuation-date", "2026-01-02",
        "--on-invalid", "fail", REE_STORAGE_PATH=str(folder),
    )  # fmt: skip
    assert priced.exit_code == 0, priced.output
