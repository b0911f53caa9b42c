"""Workers, beats and all of them together as a user starts them, known by their log."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Any

from attrs import define, field

from .service import DEADLINE, environment, until

PROGRAMS = Path(sys.executable).parent
APP = "ree.entrypoints.worker"
_PROCESSES = Path("/proc")
Line = Mapping[str, Any]


def celery(*arguments: str, app: str = APP) -> list[str]:
    """The command of a worker or a beat."""
    return [sys.executable, "-m", "celery", "-A", app, *arguments]


@define(eq=False)
class Group:
    """Started by `with` in a folder of its own, ended by SIGTERM.

    A process that it leaves behind fails the test.

    A thread reads what it writes, so that no pipe can fill.
    """

    command: Sequence[str]
    folder: Path
    settings: Mapping[str, str]
    lines: list[Line] = field(factory=list, init=False)
    written: list[str] = field(factory=list, init=False)
    _process: "subprocess.Popen[str]" = field(init=False)
    _reader: Thread = field(init=False)
    _news: Condition = field(factory=Condition, init=False)

    def __enter__(self) -> "Group":
        self.folder.mkdir(exist_ok=True)
        path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
        own = {"REE_LOG_FORMAT": "json", "PATH": path, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=environment(self.folder, {**own, **self.settings}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = Thread(target=self._listen)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait(DEADLINE)
                until(lambda: not self.processes(), "alone")
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to every process of it, as when a machine is lost."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        with self._process:
            pass

    def ended(self) -> int:
        """By itself, with this code."""
        return self._process.wait(DEADLINE)

    def processes(self) -> list[int]:
        """Those that work in its folder, whatever they call themselves."""
        return [int(path.parent.name) for path in _PROCESSES.glob("[0-9]*/cwd") if self._has(path)]

    @property
    def pid(self) -> int:
        """Of the first process."""
        return self._process.pid

    def wait(self, event: str, count: int = 1, **fields: object) -> list[Line]:
        """Lines of this event, with these fields, once there are so many."""
        with self._news:
            there = self._news.wait_for(lambda: len(self.seen(event, **fields)) >= count, DEADLINE)
        assert there, f"no {count} {event} {fields} in {''.join(self.written[-60:])}"
        return self.seen(event, **fields)

    def seen(self, event: str, **fields: object) -> list[Line]:
        """Lines of this event, with these fields, so far."""
        wanted = {"event": event, **fields}.items()
        return [line for line in self.lines if wanted <= line.items()]

    def _has(self, link: Path) -> bool:
        try:
            return link.readlink() == self.folder
        except OSError:  # ended meanwhile
            return False

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.written.append(line)
                _, brace, rest = line.partition("{")
                try:
                    self.lines.append(json.loads(brace + rest))
                except ValueError:
                    continue
                finally:
                    self._news.notify_all()


def first(groups: Sequence[Group], event: str) -> Line:
    """The first line of this event, whichever of them writes it."""

    def found() -> list[Line]:
        return [line for group in groups for line in group.lines if line.get("event") == event]

    line: Line = until(found, event)[0]
    return line
