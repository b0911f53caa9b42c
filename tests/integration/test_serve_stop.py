"""A service that is told to stop finishes what was begun, and nothing is lost."""

import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from .service import DEADLINE, Publisher, Service, until
from .wire import ESTIMATE, GET, Reply, Wire

CLIENTS = 12


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    publisher = Publisher.of(storage_path=tmp_path / "store")
    publisher.activate(publisher.publish(50_000))
    with Service(tmp_path, {"REE_STORAGE_PATH": str(tmp_path / "store")}) as service:
        service.lines("model_loaded")
        yield service


def ask_until_refused(port: int, count: Counter[str], keep: bool) -> None:
    """Every request must be answered; only a new connection may be refused."""
    while True:
        try:
            wire = Wire.to(port)
        except ConnectionRefusedError:
            count["refused"] += 1
            return
        try:
            answered = True
            while answered:
                wire.send(ESTIMATE)
                reply = wire.reply()
                count[str(reply.status)] += 1
                answered = keep and reply.fields["connection"] == "keep-alive"
        except (OSError, EOFError) as error:
            count[f"lost: {error!r}"] += 1
        finally:
            wire.close()


def test_no_answer_is_lost_under_load(service: Service) -> None:
    counts = [Counter[str]() for _ in range(CLIENTS)]
    clients = [
        Thread(
            target=ask_until_refused, args=(service.port, count), kwargs={"keep": number % 3 > 0}
        )
        for number, count in enumerate(counts)
    ]
    for client in clients:
        client.start()
    until(lambda: all(count["200"] > 20 for count in counts), "loaded")
    assert service.end() == 0
    for client in clients:
        client.join(DEADLINE)
    total = sum(counts, Counter[str]())
    assert set(total) == {"200", "refused"}, total
    assert total["refused"] == CLIENTS


def test_what_was_begun_is_finished_and_ends_its_connection(service: Service) -> None:
    idle, begun, piped = Wire.to(service.port, GET), Wire.to(service.port), Wire.to(service.port)
    assert idle.reply().fields["connection"] == "keep-alive"
    begun.send(ESTIMATE[:-1])
    piped.send(GET[:-1])
    assert service.ask("/health")[0] == 200
    ended = Event()
    stop = Thread(target=lambda: (service.end(), ended.set()))
    stop.start()
    until(lambda: is_refused(service.port), "refusing")
    idle.send(GET)
    ends(idle)
    begun.send(ESTIMATE[-1:])
    ends(begun)
    piped.send(GET[-1:] + GET)
    assert piped.reply().status == 200
    ends(piped)
    stop.join(DEADLINE)
    assert ended.is_set()


def test_an_idle_connection_does_not_keep_it(service: Service) -> None:
    idle, silent = Wire.to(service.port, GET), Wire.to(service.port)
    assert idle.reply().status == 200
    assert service.end(signal.SIGTERM) == 0
    assert idle.is_ended()
    idle.close()
    silent.close()


def ends(wire: Wire) -> Reply:
    reply = wire.reply()
    assert (reply.status, reply.fields["connection"]) == (200, "close")
    assert wire.is_ended()
    wire.close()
    return reply


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()
    except ConnectionRefusedError:
        return True
    return False
