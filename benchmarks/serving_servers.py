"""Servers that are measured: started, watched by what the kernel tells of their processes, stopped.

CPU is that of the whole process tree, memory that of each of its processes.
"""

import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, sleep

from attrs import frozen

HOST = "127.0.0.1"
PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
READY_WITHIN = 120.0
SETTLED = 30
"""Connections in a row that find it ready before every worker is taken to be."""
STOPPED_WITHIN = 15.0
RESTS_WITHIN = 30.0
REST, RESTING = 0.3, 0.1
"""Seconds, and the share of a core below which a server is at rest."""


class NotStarted(Exception):
    """A server that ended, or was not ready in time."""


@frozen
class Launch:
    """How a server is started; ``{port}`` in the command is replaced.

    *wrapped*: the command only waits for a server that it starts, and leaves it behind if it is
    told to end itself.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: str = "/ready"
    wrapped: bool = False


@frozen
class Memory:
    """Of a process, MiB: its share of everything, and what it shares with no other."""

    pid: int
    pss: float
    unshared: float


@frozen
class Running:
    """A server that answers; *seconds* from its start until it was ready."""

    name: str
    pid: int
    port: int
    seconds: float
    log: Path

    def log_tail(self) -> str:
        """The last lines of what it printed."""
        return _tail(self.log)

    def cpu(self) -> float:
        """Seconds that the tree has used so far."""
        return sum(cpu_seconds(stat) for stat in _stats(process_tree(self.pid)))

    def cpu_at_rest(self) -> float:
        """The same once it has finished what it had begun."""
        before, until = self.cpu(), perf_counter() + RESTS_WITHIN
        while perf_counter() < until:
            sleep(REST)
            now = self.cpu()
            if now - before <= REST * RESTING:
                return now
            before = now
        return before

    def memory(self) -> list[Memory]:
        """The first process first, then its workers."""
        rollups = {pid: _read(PROC / str(pid) / "smaps_rollup") for pid in process_tree(self.pid)}
        return [memory(pid, text) for pid, text in rollups.items() if text]

    def answer(self, path: str, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        """Of a POST on a connection of its own, so that each worker gets some: status, body,
        headers."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read(), dict(response.getheaders())
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body; OSError."""
        return _get(self.port, path)


@contextmanager
def running(launch: Launch, folder: Path) -> Iterator[Running]:
    """Started on a free loopback port, with its output in *folder*; ended with all its processes.

    NotStarted.
    """
    port = _free_port()
    command = [part.replace("{port}", str(port)) for part in launch.command]
    log = folder / f"{launch.name.replace(' ', '-')}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**launch.environment},
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            seconds = _wait(process, port, launch.ready, log)
            yield Running(launch.name, process.pid, port, seconds, log)
        finally:
            _stop(process, process_tree(process.pid)[1] if launch.wrapped else process.pid)


def _wait(process: "subprocess.Popen[bytes]", port: int, path: str, log: Path) -> float:
    """Seconds until it was ready first; it returns once it always is, in every worker."""
    began, first, in_a_row = perf_counter(), 0.0, 0
    while process.poll() is None and perf_counter() - began < READY_WITHIN:
        try:
            ready = _get(port, path)[0] == http.client.OK
        except OSError:
            ready = False
        in_a_row = in_a_row + 1 if ready else 0
        if ready and not first:
            first = perf_counter() - began
        if in_a_row == SETTLED:
            return first
        sleep(0.02)
    raise NotStarted(_tail(log))


def _tail(log: Path) -> str:
    return "\n".join(_read(log).splitlines()[-20:])


def _stop(process: "subprocess.Popen[bytes]", politely: int) -> None:
    """One is told, then the whole process group, which is its own, is ended."""
    if process.poll() is None:
        os.kill(politely, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOPPED_WITHIN)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def process_tree(root: int) -> list[int]:
    """A process and all that descend from it, parents first."""
    children: dict[int, list[int]] = {}
    for stat in _stats(int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()):
        children.setdefault(parent(stat), []).append(int(stat.split(maxsplit=1)[0]))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def parent(stat: str) -> int:
    """The parent's pid in a line of /proc/PID/stat, whose second field can have any character."""
    return int(_fields(stat)[1])


def cpu_seconds(stat: str) -> float:
    """In user and system mode, of a process and of its children that have ended."""
    return sum(int(ticks) for ticks in _fields(stat)[11:15]) / TICKS


def memory(pid: int, rollup: str) -> Memory:
    """From the text of /proc/PID/smaps_rollup."""
    sizes = {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (line.partition(":") for line in rollup.splitlines()[1:])
    }
    return Memory(pid, sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])


def _fields(stat: str) -> list[str]:
    """From the third on."""
    return stat.rpartition(")")[2].split()


def _stats(pids: Iterator[int] | Sequence[int]) -> Iterator[str]:
    yield from filter(None, (_read(PROC / str(pid) / "stat") for pid in pids))


def _read(path: Path) -> str:
    """Nothing of a process that has ended."""
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
