import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from http.client import HTTPConnection
from pathlib import Path

import httpx2
import msgspec
import pytest

from ree.adapters.sandbox.market import Market
from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import Sandbox, running, serve
from ree.adapters.sandbox.server import PROPERTIES, TURNOVERS, UNITS, Faults
from ree.adapters.sandbox.simulator import SimulatedMarket

JANUARY: dict[str, str | int] = {
    "start_date": "2026-01-01",
    "end_date": "2026-01-31",
    "type": 2,
    "min_price": 1000,
}


@pytest.fixture(scope="module")
def market() -> Market:
    return SimulatedMarket(turnovers_per_month=250)


@pytest.fixture
def sandbox(market: Market) -> Iterator[Sandbox]:
    with running(market) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=sandbox.base_url) as client:
        yield client


def page(client: httpx2.Client, **query: str | int) -> httpx2.Response:
    return client.get(TURNOVERS, params={**JANUARY, **query})


def sizes(client: httpx2.Client, per_page: int, pages: int) -> list[int]:
    answers = (page(client, page=i + 1, per_page=per_page) for i in range(pages))
    return [len(answer.json()["data"]) for answer in answers]


def test_the_last_page_is_short(client: httpx2.Client) -> None:
    assert sizes(client, 100, 4) == [100, 100, 50, 0]


def test_an_exact_multiple_ends_in_an_empty_page(client: httpx2.Client) -> None:
    assert sizes(client, 125, 3) == [125, 125, 0]


def test_pages_together_are_the_month(client: httpx2.Client, market: Market) -> None:
    sent = [
        sale for i in range(3) for sale in page(client, page=i + 1, per_page=100).json()["data"]
    ]

    asked = market.turnovers(date(2026, 1, 1), date(2026, 1, 31))
    assert sent == [sale for sale in asked if sale["attributes"]["price"] >= 1000]


def test_min_price_and_type_are_honoured(client: httpx2.Client) -> None:
    dear = page(client, min_price=5_000_000, per_page=1000).json()["data"]

    assert 0 < len(dear) < 250
    assert min(sale["attributes"]["price"] for sale in dear) >= 5_000_000
    assert page(client, type=1).json() == {"data": []}


def test_a_home_is_found_from_its_turnover(client: httpx2.Client) -> None:
    turnovers = page(client).json()["data"]
    unit_ids = [sale["attributes"]["cadastral_unit_ids"][0] for sale in turnovers]
    units = client.post(UNITS, json={"cadastral_unit_gbk_ids": unit_ids}).json()
    property_ids = [i for unit in units.values() for i in unit["property_ids"]][:100]
    homes = client.post(PROPERTIES, json={"ids": property_ids}).json()

    assert set(units) < {str(i) for i in unit_ids}
    assert set(homes) < {str(i) for i in property_ids}
    for home in homes.values():
        assert home.keys() >= {"realestate_type", "municipality_number", "lat", "lon", "bra"}


def test_unknown_ids_are_absent(client: httpx2.Client) -> None:
    assert client.post(UNITS, json={"cadastral_unit_gbk_ids": [1, -5]}).json() == {}
    assert client.post(PROPERTIES, json={"ids": []}).json() == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (UNITS, b'{"cadastral_unit_gbk_ids": [' + b",".join([b"1"] * 101) + b"]}"),
        (PROPERTIES, b'{"ids": [' + b",".join([b"1"] * 101) + b"]}"),
        (PROPERTIES, b'{"ids": ["1"]}'),
        (PROPERTIES, b'{"ids": [true]}'),
        (PROPERTIES, b'{"units": [1]}'),
        (PROPERTIES, b"[1]"),
        (PROPERTIES, b"{"),
        (PROPERTIES, b""),
        (PROPERTIES, b"\xff"),
    ],
)
def test_a_question_that_breaks_the_contract_is_refused(
    client: httpx2.Client, path: str, body: bytes
) -> None:
    answer = client.post(path, content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-02-30"},
        {"end_date": "yesterday"},
        {"end_date": ""},
        {"end_date": "2025-12-31"},
        {"page": 0},
        {"page": "one"},
        {"per_page": 0},
        {"per_page": 100_000},
    ],
)
def test_a_period_or_page_that_makes_no_sense_is_refused(
    client: httpx2.Client, query: dict[str, str | int]
) -> None:
    answer = page(client, **query)

    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["error"]


def test_missing_dates_are_refused(client: httpx2.Client) -> None:
    assert client.get(TURNOVERS).status_code == 400


def test_a_body_that_is_too_large_is_refused(client: httpx2.Client) -> None:
    assert client.post(UNITS, content=b" " * 1_000_001).status_code == 413
    assert page(client).status_code == 200


def test_unknown_paths_and_methods_are_json_errors(client: httpx2.Client) -> None:
    assert client.get("/").json()["error"]
    assert client.get(UNITS).status_code == 405


def test_many_requests_share_a_connection(sandbox: Sandbox) -> None:
    with closing(HTTPConnection(sandbox.base_url.removeprefix("http://"), timeout=5)) as connection:
        connection.connect()
        first = connection.sock
        for _ in range(3):
            connection.request("POST", PROPERTIES, b'{"ids": [1]}')
            assert connection.getresponse().read() == b"{}"
            assert connection.sock is first


def test_requests_are_counted_by_path(client: httpx2.Client, sandbox: Sandbox) -> None:
    page(client)
    page(client)
    client.post(PROPERTIES, json={"ids": []})

    assert sandbox.requests == {TURNOVERS: 2, PROPERTIES: 1}
    assert sandbox.requests.total() == 3


def test_two_sandboxes_of_a_seed_send_the_same_bytes() -> None:
    def answers(months: list[int]) -> dict[int, bytes]:
        with (
            running(SimulatedMarket(turnovers_per_month=200)) as sandbox,
            httpx2.Client(base_url=sandbox.base_url) as client,
        ):
            return {
                month: page(client, start_date=f"2025-{month:02}-01", per_page=1000).content
                for month in months
            }

    assert answers([10, 11, 12]) == answers([12, 10, 11])


@pytest.mark.parametrize("sent", [{}, {"Apikey": "wrong"}, {"Apikey": "sécret"}])
def test_the_key_is_required(market: Market, sent: Mapping[str, str]) -> None:
    with running(market, faults=Faults(require_key="secret")) as sandbox:
        refused = httpx2.get(
            sandbox.base_url + TURNOVERS,
            params=JANUARY,
            headers=httpx2.Headers(sent, encoding="utf-8"),
        )
        answered = httpx2.get(
            sandbox.base_url + TURNOVERS, params=JANUARY, headers={"Apikey": "secret"}
        )

    assert (refused.status_code, answered.status_code) == (401, 200)
    assert "secret" not in refused.text
    assert "secret" not in repr(Faults(require_key="secret"))


def outcomes(market: Market, faults: Faults, requests: int = 60) -> list[int]:
    """The status of each; 0 where the connection was closed."""
    statuses = []
    with (
        running(market, faults=faults) as sandbox,
        httpx2.Client(base_url=sandbox.base_url) as client,
    ):
        for _ in range(requests):
            try:
                answer = client.post(PROPERTIES, json={"ids": [1]})
            except httpx2.RemoteProtocolError:
                statuses.append(0)
            else:
                statuses.append(answer.status_code)
                if answer.status_code in (429, 503):
                    assert answer.headers["Retry-After"] == "0"
        assert sandbox.requests.total() == requests
    return statuses


def test_faults_happen_and_follow_their_seed(market: Market) -> None:
    first = outcomes(market, Faults(fault_rate=0.5, seed=1))

    assert set(first) == {200, 500, 503, 429, 0}
    assert 15 < sum(status != 200 for status in first) < 45
    assert first == outcomes(market, Faults(fault_rate=0.5, seed=1))
    assert first != outcomes(market, Faults(fault_rate=0.5, seed=2))


@pytest.mark.parametrize("wrong", [{"fault_rate": 1.5}, {"fault_rate": -0.1}, {"latency_ms": -1}])
def test_faults_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Faults(**wrong)  # type: ignore[arg-type]


def test_a_replayed_file_speaks_the_same_contract(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(
        "property_id,turnover_date,price,realestate_type,municipality_number,lat,lon,"
        "built_year,total_area,bra,floor,bedrooms,rooms\n"
        "7,2026-01-31,4500000,enebolig,0301,59.9,10.7,1987,512.5,140,,4,\n"
    )
    with (
        running(ReplayedMarket.from_csv(file)) as sandbox,
        httpx2.Client(base_url=sandbox.base_url) as client,
    ):
        (sale,) = page(client).json()["data"]
        unit_ids = sale["attributes"]["cadastral_unit_ids"]
        (unit,) = client.post(UNITS, json={"cadastral_unit_gbk_ids": unit_ids}).json().values()
        homes = client.post(PROPERTIES, json={"ids": unit["property_ids"]}).json()

    assert homes["7"]["bra"] == 140
    assert homes["7"].keys().isdisjoint({"floor", "rooms"})


def test_nothing_answers_once_the_sandbox_has_stopped(market: Market) -> None:
    with httpx2.Client() as client:
        with running(market) as sandbox:
            question = f"{sandbox.base_url}{TURNOVERS}"
            assert client.get(question, params=JANUARY).status_code == 200

        with pytest.raises(httpx2.TransportError):
            client.get(question, params=JANUARY)


def test_a_port_that_is_taken_is_an_error(market: Market) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        running(market, port=taken.getsockname()[1]),
    ):
        pytest.fail("two servers on one port")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_cleanly_on_a_signal(market: Market, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    announced: list[str] = []

    def announce(base_url: str) -> None:
        announced.append(base_url)
        threading.Thread(target=os.kill, args=(os.getpid(), number)).start()

    serve(market, "127.0.0.1", 0, Faults(), announce)

    assert announced[0].startswith("http://127.0.0.1:")
    assert signal.getsignal(number) is before


def test_answers_are_compact_json(client: httpx2.Client) -> None:
    answer = page(client)

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == msgspec.json.encode(answer.json())
