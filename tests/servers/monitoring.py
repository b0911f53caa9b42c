"""Prometheus and Alertmanager as deploy/prometheus starts them, hurried, on ports of their own."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from attrs import define, field

ROOT = Path(__file__).parents[2]
SHIPPED = Path("deploy/prometheus")
API = "127.0.0.1:8000"
PROMETHEUS, ALERTMANAGER = "127.0.0.1:9090", "127.0.0.1:9093"
OTHERS = ("127.0.0.1:8001", "127.0.0.1:9091", "127.0.0.1:15692", "127.0.0.1:9099")
PATIENCE = 60.0
_INTERVAL = "500ms"


def commands() -> list[list[str]]:
    """What the README tells to start, but the service."""
    [block] = re.findall(r"```sh\n(.*?)```", (ROOT / SHIPPED / "README.md").read_text(), re.DOTALL)
    service, *others = map(shlex.split, block.splitlines())
    assert service[:2] == ["ree", "serve"]
    assert f"127.0.0.1:{service[-1]}" == API
    return others


@define(eq=False)
class Monitoring:
    """Started by `with`: the shipped files and commands, with other ports and shorter waits."""

    folder: Path
    api_port: int
    addresses: Mapping[str, str] = field(init=False)
    _processes: ExitStack = field(factory=ExitStack, init=False)

    def __enter__(self) -> "Monitoring":
        free = {address: _free_address() for address in (PROMETHEUS, ALERTMANAGER, *OTHERS)}
        self.addresses = {**free, API: f"127.0.0.1:{self.api_port}"}
        copy = self.folder / SHIPPED
        shutil.copytree(ROOT / SHIPPED, copy)
        for path in copy.glob("*.yml"):
            path.write_text(_hurried(self._moved(path.read_text())))
        with ExitStack() as stack:
            for command in commands():
                stack.enter_context(self._running([self._moved(word) for word in command]))
            self._processes = stack.pop_all()
        for address in (PROMETHEUS, ALERTMANAGER):
            self.until(partial(self._answer, address, "/-/ready", {}), "ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._processes.close()

    def values(self, expression: str) -> list[float]:
        """Of the series that it comes to now; AssertionError if Prometheus cannot tell."""
        answer = self._answer(PROMETHEUS, "/api/v1/query", {"query": expression})
        assert answer is not None, expression
        return [float(found["value"][1]) for found in json.loads(answer)["data"]["result"]]

    def alerts(self) -> dict[str, Any]:
        """By name what has reached Alertmanager and fires; of several of a name the first."""
        answer = self._answer(ALERTMANAGER, "/api/v2/alerts", {})
        found = json.loads(answer) if answer else []
        return {alert["labels"]["alertname"]: alert for alert in reversed(found)}

    def until(self, what: Callable[[], Any], name: str) -> Any:
        """What comes of asking until there is an answer; AssertionError with the logs."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            if found := what():
                return found
            sleep(0.05)
        logs = "".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))
        raise AssertionError(f"not {name} until the deadline: {logs}")

    def _moved(self, text: str) -> str:
        pattern = re.compile("|".join(rf"{re.escape(one)}\b" for one in self.addresses))
        return pattern.sub(lambda match: self.addresses[match[0]], text)

    def _running(self, command: list[str]) -> ExitStack:
        with (self.folder / f"{command[0]}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        stack = ExitStack()
        stack.callback(process.wait, 15)
        stack.callback(process.send_signal, signal.SIGKILL)
        return stack

    def _answer(self, address: str, path: str, query: dict[str, str]) -> bytes | None:
        connection = HTTPConnection(self.addresses[address], timeout=10)
        with suppress(OSError, HTTPException):
            try:
                connection.request("GET", f"{path}?{urlencode(query)}")
                answer = connection.getresponse()
                body = answer.read()
                return body if answer.status == 200 else None
            finally:
                connection.close()
        return None


def _hurried(text: str) -> str:
    """Scrapes and evaluations at once, and no alert waits to be sure."""
    text = re.sub(r"(_interval): 15s", rf"\1: {_INTERVAL}", text)
    return re.sub(r"\bfor: \d+[mh]$", "for: 1s", text, flags=re.MULTILINE)


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
