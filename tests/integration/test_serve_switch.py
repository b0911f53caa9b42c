"""The service follows the pointer: in time, under load, and never mixing two versions."""

from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from attrs import define, field, frozen

from .service import DEADLINE, HOME, Publisher, Service, asked, until

REFRESH = 1.0
LOW, HIGH = 20_000, 90_000
BATCH = {str(number): HOME | {"bra": 50 + number} for number in range(20)}
MOST = 20_000


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher.of(storage_path=tmp_path / "store")


@pytest.fixture
def versions(publisher: Publisher) -> dict[int, str]:
    """By price; the low one is active."""
    versions = {price: publisher.publish(price) for price in (LOW, HIGH)}
    publisher.activate(versions[LOW])
    return versions


@pytest.fixture
def service(tmp_path: Path, versions: dict[int, str]) -> Iterator[Service]:
    settings = {
        "REE_STORAGE_PATH": str(tmp_path / "store"),
        "REE_MODEL_REFRESH_SECONDS": str(REFRESH),
    }
    with Service(tmp_path, settings, workers=3) as service:
        service.lines(f"model_loaded .*version={versions[LOW]}")
        yield service


def test_all_workers_switch_within_one_interval(
    service: Service, publisher: Publisher, versions: dict[int, str]
) -> None:
    service.serves(versions[LOW], LOW)
    for number, price in enumerate((HIGH, LOW, HIGH), start=2):
        service.forget()
        moved = publisher.roll_back() if price == LOW else publisher.activate(versions[price])
        switched = service.lines(f"model_loaded .*version={versions[price]}")
        took = [moment - moved for moment in switched]
        assert len(took) == service.workers
        assert max(took) < REFRESH, took
        service.serves(versions[price], price)
        status, ready = service.ask("/ready")
        assert (status, ready["sequence"]) == (200, number)


@frozen
class Answer:
    """What a client was told, and when it had asked."""

    began: float
    status: int
    found: dict[str, Any]

    def fault(self, versions: dict[int, str]) -> str | None:
        """What is wrong with it; every price has to be by the one version that it names."""
        if self.status != 200:
            return f"{self.status} {self.found}"
        named = {result["model_version"] for result in self.found.values()}
        per_sqm = {result["price_per_sqm"] for result in self.found.values()}
        prices = [
            (result["estimated_price"], price * BATCH[name]["bra"])
            for price in per_sqm
            for name, result in self.found.items()
        ]
        one = len(named) == len(per_sqm) == 1 and named == {versions[price] for price in per_sqm}
        whole = list(self.found) == list(BATCH) and all(given == due for given, due in prices)
        return None if one and whole else f"{named} {per_sqm}"

    @property
    def version(self) -> str:
        """Of the first."""
        version: str = self.found["0"]["model_version"]
        return version


@define(eq=False)
class Client:
    """Posts batches until it is stopped, over one connection or one for each."""

    port: int
    keeps: bool
    stopped: Event
    answers: list[Answer] = field(factory=list)
    failure: Exception | None = None

    def __call__(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            while not self.stopped.is_set() and len(self.answers) < MOST:
                began = monotonic()
                self.answers.append(Answer(began, *asked(connection, "/estimate", BATCH)))
                if not self.keeps:
                    connection.close()
        except Exception as error:
            self.failure = error
        finally:
            connection.close()


def test_a_rollback_under_load_fails_no_request_and_mixes_nothing(
    service: Service, publisher: Publisher, versions: dict[int, str]
) -> None:
    stopped = Event()
    clients = [Client(service.port, keeps, stopped) for keeps in (True, False) * 3]
    threads = [Thread(target=client) for client in clients]

    def asked_since(moment: float) -> bool:
        """By every client, on to the answer."""
        return all(client.failure or client.answers[-1].began > moment for client in clients)

    for thread in threads:
        thread.start()
    steps: list[Callable[[], float]] = [
        lambda: publisher.activate(versions[HIGH]),
        publisher.roll_back,
    ]
    moves = []
    try:
        until(lambda: all(client.failure or client.answers for client in clients), "answered")
        for step in steps:
            moves.append((monotonic(), step()))
            until(lambda: asked_since(moves[-1][1] + REFRESH), "switched")
    finally:
        stopped.set()
        for thread in threads:
            thread.join(DEADLINE)
    assert [client.failure for client in clients if client.failure] == []
    answers = [answer for client in clients for answer in client.answers]
    assert [fault for answer in answers if (fault := answer.fault(versions))] == []
    (_, up), (going_back, back) = moves
    high = {answer.version for answer in answers if up + REFRESH < answer.began < going_back}
    low = {answer.version for answer in answers if back + REFRESH < answer.began}
    assert (high, low) == ({versions[HIGH]}, {versions[LOW]})
    status, ready = service.ask("/ready")
    assert (status, ready["sequence"], ready["refresh"]["failures"]) == (200, 3, 0)
