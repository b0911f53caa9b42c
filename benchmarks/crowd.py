"""Clients that ask about known homes without pause, and judge every byte of what they are told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from selectors import EVENT_READ, DefaultSelector
from socket import create_connection, socket
from threading import Event, Thread
from time import monotonic
from typing import Any

from attrs import define, field, frozen

from fuzz_answers import Wrong, taken
from siege import DEADLINE
from small_models import Shelf

QUERY = "/estimate?valuation_date=2026-01-31"
SIZES = (1,) * 20 + (10,) * 10 + (60,) * 2
"""Homes of each question."""
_TYPES = ("enebolig", "leilighet")


@frozen
class Question:
    """A request, and the order of the versions by the answers that they give."""

    raw: bytes
    ranks: Mapping[bytes, int]


def questions(shelf: Shelf, versions: Sequence[str]) -> list[Question]:
    """About the same homes for every version; the first version is active at the end.

    What each version says is taken from an application in this process.
    """
    from ree.entrypoints.api import create_app

    bodies = [json.dumps(homes).encode() for homes in _homes(Random(5))]
    answers: list[list[bytes]] = []
    for version in reversed(versions):
        shelf.activate(version)
        container = Shelf.of(shelf.folder).container
        client = create_app(container).test_client()
        sent = [client.post(QUERY, data=body, content_type="application/json") for body in bodies]
        assert {answer.status_code for answer in sent} == {200}, sent[0].text
        assert {version} == {r["model_version"] for a in sent for r in a.get_json().values()}
        container.watched_model().stop()
        answers.insert(0, [answer.data for answer in sent])
    ranks = [{text: rank for rank, text in enumerate(told)} for told in zip(*answers, strict=True)]
    head = f"POST {QUERY} HTTP/1.1\r\nHost: ree\r\nContent-Type: application/json\r\n".encode()
    return [
        Question(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body), told)
        for body, told in zip(bodies, ranks, strict=True)
    ]


def _homes(random: Random) -> Iterator[dict[str, Any]]:
    for size in SIZES:
        yield {
            f"{number}-{random.getrandbits(30)}": {
                "realestate_type": random.choice(_TYPES),
                "municipality_number": random.choice((301, 4601)),
                "lat": 60 + random.uniform(-0.05, 0.05),
                "lon": 10 + random.uniform(-0.05, 0.05),
                "built_year": random.randint(1910, 2015),
                "total_area": area * 1.2,
                "bra": area,
                "floor": random.randint(0, 5),
                "rooms": 3,
            }
            for number in range(size)
            for area in (random.randint(40, 190),)
        }


@frozen
class Told:
    """One answer: when it was asked for, how long that took, and the rank of its version."""

    began: float
    seconds: float
    rank: int


@define(eq=False)
class _Client:
    number: int
    sock: socket
    rank: int = 0
    answers: int = 0
    began: float = 0.0
    asked: int = 0
    rest: bytes = b""

    @property
    def port(self) -> int:
        """Its own."""
        port: int = self.sock.getsockname()[1]
        return port


@define(eq=False)
class Crowd:
    """So many connections, each with a request on its way, as long as `with` lasts."""

    port: int
    size: int
    questions: Sequence[Question]
    renewed_after: int = 500
    """Answers after which a client opens a new connection."""
    told: list[Told] = field(factory=list, init=False)
    lost: list[tuple[float, int]] = field(factory=list, init=False)
    """When a connection ended with a request on its way, and the client's port."""
    wrong: list[str] = field(factory=list, init=False)
    opened: int = field(default=0, init=False)
    _stopped: Event = field(factory=Event, init=False)
    _selector: DefaultSelector = field(factory=DefaultSelector, init=False)
    _thread: Thread = field(init=False)

    def __enter__(self) -> "Crowd":
        self._thread = Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stopped.set()
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        for number in range(self.size):
            self._open(number)
        last = monotonic()
        try:
            while not self._stopped.is_set():
                ready = self._selector.select(0.1)
                for key, _ in ready:
                    self._read(key.data)
                last = monotonic() if ready else last
                if monotonic() - last > DEADLINE / 2:
                    raise Wrong("nobody is answered any more")
            self._finish()
        except (Wrong, OSError) as wrong:
            self.wrong.append(f"{type(wrong).__name__}: {wrong}")
        finally:
            for key in list(self._selector.get_map().values()):
                key.data.sock.close()
            self._selector.close()

    def _finish(self) -> None:
        """Read what is on its way still: that counts as well."""
        end = monotonic() + DEADLINE
        while self._selector.get_map():
            for key, _ in self._selector.select(0.1):
                self._read(key.data)
            if monotonic() > end:
                raise Wrong(f"{len(self._selector.get_map())} are not answered")

    def _open(self, number: int) -> None:
        client = _Client(number, create_connection(("127.0.0.1", self.port), DEADLINE))
        self.opened += 1
        self._selector.register(client.sock, EVENT_READ, client)
        self._ask(client)

    def _ask(self, client: _Client) -> None:
        client.asked = (client.number * 7 + client.answers) % len(self.questions)
        client.began = monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):  # which is seen when it is read
            client.sock.sendall(self.questions[client.asked].raw)

    def _read(self, client: _Client) -> None:
        try:
            data = client.sock.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.lost.append((monotonic(), client.port))
            self._close(client)
            return
        client.rest += data
        if found := taken(client.rest, 0):
            answer, end = found
            if end != len(client.rest):
                raise Wrong(f"more than an answer: {client.rest[end:][:500]!r}")
            client.rest = b""
            rank = self.questions[client.asked].ranks.get(answer.body)
            if rank is None or answer.status != 200:
                raise Wrong(f"no version says so: {answer.status} {answer.body[:1_000]!r}")
            if rank < client.rank:
                raise Wrong(f"version {client.rank}, then {rank} on one connection")
            self.told.append(Told(client.began, monotonic() - client.began, rank))
            client.rank, client.answers = rank, client.answers + 1
            if answer.ends or client.answers >= self.renewed_after or self._stopped.is_set():
                self._close(client)
            else:
                self._ask(client)

    def _close(self, client: _Client) -> None:
        """And open another one in its place."""
        self._selector.unregister(client.sock)
        client.sock.close()
        if not self._stopped.is_set():
            self._open(client.number)


def ports_of(pid: int, service: int) -> set[int]:
    """Of the clients whose connections to the port *service* a process has accepted."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        name = str(link.readlink())
        if name.startswith("socket:["):
            inodes.add(name[8:-1])
    found = set()
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_, inode = row.split()[:10]
        if int(local.partition(":")[2], 16) == service and inode in inodes:
            found.add(int(remote.partition(":")[2], 16))
    return found - {0}
