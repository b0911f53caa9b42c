"""The real RabbitMQ, on loopback, in its own folder."""

import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

from attrs import define, field

PATIENCE = 60.0
_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
"""Not those of the path, which want to be another user."""


class NoRabbit(Exception):
    """The program is not installed."""


def rabbitmq(program: str = "rabbitmq-server") -> str:
    """One of its programs; NoRabbit."""
    found = _PROGRAMS / program
    if not found.exists():
        raise NoRabbit("RabbitMQ is not installed: apt-get install rabbitmq-server")
    return str(found)


@define(eq=False)
class RabbitMQ:
    """Started by `with`; stopped and started again it has the same port and the same messages."""

    folder: Path
    port: int = field(init=False)
    _environment: dict[str, str] = field(init=False)
    _epmd: "subprocess.Popen[bytes]" = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def __enter__(self) -> "RabbitMQ":
        self.folder.mkdir(parents=True)
        self.port, distribution, mapper = _free_ports(3)
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{self.port}\n")
        (self.folder / "enabled_plugins").write_text("[].\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"ree{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "schema"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false"
            " -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
        }
        # One that the server started by itself would outlive it.
        self._epmd = subprocess.Popen(
            [_epmd()], env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self.start()
        except BaseException:
            self._end_epmd()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        self._end_epmd()

    def start(self) -> None:
        """Until it speaks AMQP; RuntimeError with its log if it ends before."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [rabbitmq()],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or monotonic() > end:
                self.kill()
                log = (self.folder / "output").read_text(errors="replace")
                raise RuntimeError(f"RabbitMQ does not start: {log[-2000:]}")
            sleep(0.1)

    def stop(self) -> None:
        """As for maintenance. What was declared minutes before SIGKILL, 3.10 does not recover."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """When nothing of it is needed any more."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)
            self._process.wait(PATIENCE)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False

    def _end_epmd(self) -> None:
        self._epmd.terminate()
        self._epmd.wait(15)


def _epmd() -> str:
    found = shutil.which("epmd")
    if found is None:
        raise NoRabbit("epmd is not installed: apt-get install erlang-base")
    return found


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()
