"""Which servers there are: how each is started, what it is sent and how its answers are read."""

import ast
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import frozen

from serving_market import Answer, Asked, encoded
from serving_servers import Launch, Running

HERE = Path(__file__).parent
WORKERS = "2"
THREADS = "4"
HELLO, HELLO_REE, HELLO_READING = "hello gthread", "hello on ree's", "hello reading"
BYTES_A_BYTE = "1.5"
"""What ree answers, against what it is sent."""
OFF_BY = 1
"""NOK between two whole prices that are the same to 1e-6 before they are rounded."""


class WrongAnswer(Exception):
    """A server that does not say what the model says."""


@frozen(eq=False)
class Contender:
    """A server in the benchmark.

    *encode* makes what is posted of a body; *read* gives the prices by property id of an answer.
    *recipe* is the model it serves, none of a hello.
    """

    launch: Launch
    recipe: str | None
    path: str
    encode: Callable[[Any], bytes] = encoded
    read: Callable[[Any], Mapping[str, Answer]] | None = None
    largest: int = 1_000_000
    """The largest batch it is sent: a server that does not read a long body resets its client."""

    @property
    def name(self) -> str:
        """As the tables have it."""
        return self.launch.name

    def check(self, server: Running, asked: Asked) -> None:
        """Posts every body once, each on a new connection; WrongAnswer."""
        for body in asked.bodies:
            status, answer, _ = server.answer(self.path, self.encode(body))
            if status != http.client.OK:
                raise WrongAnswer(f"{self.name} answered {status}: {answer[:300]!r}")
            if self.read is not None and self.recipe is not None:
                compare(self.name, body, self.read(json.loads(answer)), asked.right[self.recipe])


def compare(
    name: str, body: Mapping[str, Any], got: Mapping[str, Answer], right: Mapping[str, Answer]
) -> None:
    """WrongAnswer unless each home of the body, and no other, has its price and interval."""
    if list(got) != list(body):
        raise WrongAnswer(f"{name} answered for other homes than it was asked about")
    for home in body:
        apart = [abs(one - other) for one, other in zip(got[home], right[home], strict=True)]
        if not all(difference <= OFF_BY for difference in apart):  # NaN is wrong, too
            raise WrongAnswer(f"{name} says {got[home]} of {home}; the model says {right[home]}")


def records(body: Mapping[str, Mapping[str, Any]]) -> bytes:
    """As mlflow takes it: a row a home."""
    rows = [{"property_id": name, **home} for name, home in body.items()]
    return encoded({"dataframe_records": rows})


def of_ree(answer: Any) -> dict[str, Answer]:
    """By property id."""
    return {
        name: (told["estimated_price"], told["interval"]["lower"], told["interval"]["upper"])
        for name, told in answer.items()
    }


def of_fastapi(answer: Any) -> dict[str, Answer]:
    """By property id."""
    return {
        name: (told["estimated_price"], told["lower"], told["upper"])
        for name, told in answer.items()
    }


def of_mlflow(answer: Any) -> dict[str, Answer]:
    """By property id."""
    rows = answer["predictions"]
    return {
        row["property_id"]: (row["estimated_price"], row["lower"], row["upper"]) for row in rows
    }


def ree_server(recipe: str, environment: Mapping[str, str], query: str) -> Contender:
    """`ree serve`, with all its service; *environment* names a storage with the active version."""
    command = (sys.executable, "-m", "ree.entrypoints.cli", "serve", "--port", "{port}")
    launch = Launch(f"ree {recipe}", (*command, "--workers", WORKERS), environment)
    return Contender(launch, recipe, f"/estimate{query}", read=of_ree)


def hellos(environment: Mapping[str, str], query: str) -> list[Contender]:
    """Bare Flask on stock gthread and as ree is served, and one that reads and answers as much."""
    told = {**environment, "PYTHONPATH": _path(), "HELLO_BYTES_A_BYTE": BYTES_A_BYTE}
    gunicorn = [sys.executable, "-m", "gunicorn", "--worker-class=gthread", "--preload"]
    gunicorn += [f"--workers={WORKERS}", f"--threads={THREADS}", "--no-control-socket"]
    commands = {HELLO: [*gunicorn, "--bind=127.0.0.1:{port}", "hello:app"]}
    for name, application in ((HELLO_REE, "app"), (HELLO_READING, "reading")):
        program = str(HERE / "hello_as_ree.py")
        commands[name] = [sys.executable, program, application, "{port}", WORKERS]
    return [
        Contender(
            Launch(name, command, told),
            None,
            f"/estimate{query}",
            largest=1_000_000 if name == HELLO_READING else 100,
        )
        for name, command in commands.items()
    ]


@frozen
class Peers:
    """The peers' Python, and the folder in which their models are kept."""

    python: Path
    folder: Path

    def contenders(
        self, recipe: str, artifact: bytes, environment: Mapping[str, str], day: str, query: str
    ) -> list[Contender]:
        """FastAPI and mlflow with a model; CalledProcessError."""
        model = self.folder / f"{recipe}.pickle"
        model.write_bytes(artifact)
        constants(HERE / "plain_model.py", self.folder / "constants")
        told = {
            **environment,
            "PYTHONPATH": os.pathsep.join([str(HERE), str(self.folder / "constants")]),
            "PATH": f"{self.python.parent}{os.pathsep}{environment.get('PATH', '')}",
            "SERVING_MODEL": str(model),
            "SERVING_DAY": day,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        }
        told.pop("VIRTUAL_ENV", None)
        saved, python = self.folder / f"{recipe}-mlflow", str(self.python)
        save = (python, "-m", "serving_peers.save_mlflow", str(saved), str(model))
        with (self.folder / "mlflow-saving.log").open("ab") as log:
            subprocess.run(save, env=told, check=True, cwd=self.folder, stdout=log, stderr=log)
        at = ["--host=127.0.0.1", "--port={port}", f"--workers={WORKERS}"]
        fastapi = [python, "-m", "uvicorn", *at, "--no-access-log", "--log-level=warning"]
        fastapi += ["serving_peers.fastapi_app:app"]
        mlflow = [python, "-m", "mlflow", "models", "serve", "--model-uri", str(saved)]
        mlflow += ["--env-manager=local", *at]
        return [
            Contender(
                Launch(f"FastAPI {recipe}", fastapi, told),
                recipe,
                f"/estimate{query}",
                read=of_fastapi,
            ),
            Contender(
                Launch(f"FastAPI lean {recipe}", fastapi, {**told, "SERVING_LEAN": "true"}),
                recipe,
                f"/estimate{query}",
                read=of_fastapi,
            ),
            Contender(
                Launch(f"mlflow {recipe}", mlflow, told, ready="/health", wrapped=True),
                recipe,
                "/invocations",
                records,
                of_mlflow,
            ),
        ]

    def versions(self) -> dict[str, str]:
        """Of what they are made of."""
        program = (
            "import json; from importlib.metadata import version; names = ('fastapi', 'mlflow', "
            "'numpy', 'pandas', 'pydantic', 'scikit-learn', 'uvicorn'); "
            "print(json.dumps({name: version(name) for name in names}))"
        )
        done = subprocess.run(
            [str(self.python), "-c", program], capture_output=True, text=True, check=True
        )
        found: dict[str, str] = json.loads(done.stdout)
        return found


def _path() -> str:
    """Where Python finds the benchmarks, and ree as here."""
    return os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))


def constants(module: Path, folder: Path) -> None:
    """Writes a package ree that has the constants which a module imports from it, and no more.

    So the peers' Python reads the plain model without ree and all that it needs.
    """
    for node in ast.walk(ast.parse(module.read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("ree."):
            continue
        real = import_module(str(node.module))
        values = {name.name: getattr(real, name.name) for name in node.names}
        path = folder.joinpath(*real.__name__.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name} = {value!r}\n" for name, value in values.items()))
