"""The market API's adapter against real sockets on loopback; nobody sleeps."""

import errno
import json
import logging
import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from pytest_httpserver import HTTPServer
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from werkzeug import Request, Response

from ree.adapters.market_api import HttpMarket
from ree.domain.errors import MarketError, MarketUnavailable
from ree.domain.ports import MarketData
from ree.domain.property import Property
from ree.domain.turnover import Period, Turnover, Unit

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
TURNOVERS = "/gbk_int/turnovers/valuer_formatted"
UNITS = "/dc_int/units/valuer_formatted"
PROPERTIES = "/mat_int/properties/estimation_params"
CANARY = "canary-7f3a91"

Connect = Callable[..., HttpMarket]
Answer = Callable[[socket.socket], None]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=made.append))
    return made


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def connected(
            base_url: str | None, key: str | None = CANARY, **settings: Any
        ) -> HttpMarket:
            market = HttpMarket.connect(base_url, key, **({"wait_max": 3.0} | settings))
            return stack.enter_context(closing(market))

        yield connected


@pytest.fixture
def market(httpserver: HTTPServer, connect: Connect) -> MarketData:
    return connect(httpserver.url_for(""))


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A server that treats each connection in its own way, for what HTTP servers never do."""
    with ExitStack() as stack:

        def started(*answers: Answer) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run() -> None:
                for answer in answers:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        answer(connection)

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield started


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(connection: socket.socket) -> None:
    pass


def babble(connection: socket.socket) -> None:
    connection.sendall(f"HTTP/1.1 200 OK\r\nApikey {CANARY}\r\n\r\n".encode())


def saying(status: int, headers: dict[str, str], body: str = "") -> Answer:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {status} .", f"Content-Length: {len(body)}", "Connection: close", *lines]
    answer = "\r\n".join([*head, "", body]).encode()
    return lambda connection: connection.sendall(answer)


empty_page = saying(200, {}, '{"data": []}')


def sold(unit: int) -> dict[str, object]:
    attributes = {
        "cadastral_unit_ids": [unit],
        "price": 3_000_000 + unit,
        "turnover_date": "2026-01-17T07:12:09.978Z",
    }
    return {"attributes": attributes}


def pages_of(count: int) -> Callable[[Request], Response]:
    def page(request: Request) -> Response:
        number, size = int(request.args["page"]), int(request.args["per_page"])
        records = [sold(unit) for unit in range(count)][(number - 1) * size : number * size]
        return Response(json.dumps({"data": records}), content_type="application/json")

    return page


def refused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def failure(ask: Callable[[], object]) -> MarketError:
    with pytest.raises(MarketError) as caught:
        ask()
    assert type(caught.value) in (MarketError, MarketUnavailable)
    assert "\n" not in str(caught.value)
    return caught.value


# Paging


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (99, 1), (100, 2), (101, 2), (250, 3)])
def test_reads_until_a_page_is_short(
    httpserver: HTTPServer, market: MarketData, count: int, pages: int
) -> None:
    httpserver.expect_request(TURNOVERS, method="GET").respond_with_handler(pages_of(count))

    turnovers = list(market.turnovers(JANUARY))

    assert [turnover.cadastral_unit_ids for turnover in turnovers] == [(n,) for n in range(count)]
    assert len(httpserver.log) == pages


def test_asks_for_exactly_the_period(httpserver: HTTPServer, market: MarketData) -> None:
    httpserver.expect_request(TURNOVERS).respond_with_json({"data": []})

    list(market.turnovers(JANUARY))

    assert dict(httpserver.log[0][0].args) == {
        "start_date": "2026-01-01",
        "end_date": "2026-01-31",
        "type": "2",
        "min_price": "1000",
        "page": "1",
        "per_page": "100",
    }


def test_turnovers_are_yielded_as_told(httpserver: HTTPServer, market: MarketData) -> None:
    odd = {"cadastral_unit_ids": [7, 7, 3], "price": None, "grown": [1]}
    told = [sold(1), sold(1), {"attributes": odd, "id": 5}]
    httpserver.expect_request(TURNOVERS).respond_with_json({"data": told, "meta": {}})

    first = Turnover((1,), 3_000_001.0, "2026-01-17T07:12:09.978Z")
    assert list(market.turnovers(JANUARY)) == [first, first, Turnover((7, 7, 3), None, None)]


def test_a_server_that_ignores_the_page_is_found_out(
    httpserver: HTTPServer, market: MarketData
) -> None:
    full = {"data": [sold(unit) for unit in range(100)]}
    httpserver.expect_request(TURNOVERS).respond_with_json(full)

    error = failure(lambda: list(market.turnovers(JANUARY)))

    assert "(page 2), the page before once more" in str(error)
    assert len(httpserver.log) == 2


def test_a_server_that_ignores_the_page_size_is_found_out(
    httpserver: HTTPServer, market: MarketData
) -> None:
    full = {"data": [sold(unit) for unit in range(101)]}
    httpserver.expect_request(TURNOVERS).respond_with_json(full)

    error = failure(lambda: list(market.turnovers(JANUARY)))

    assert "101 turnovers where 100 were asked for" in str(error)


@pytest.mark.parametrize(("count", "ends"), [(299, True), (300, False)])
def test_pages_are_capped(httpserver: HTTPServer, connect: Connect, count: int, ends: bool) -> None:
    httpserver.expect_request(TURNOVERS).respond_with_handler(pages_of(count))
    market = connect(httpserver.url_for(""), max_pages=3)

    if ends:
        assert len(list(market.turnovers(JANUARY))) == count
    else:
        assert "(page 3), and there is still" in str(
            failure(lambda: list(market.turnovers(JANUARY)))
        )
    assert len(httpserver.log) == 3


def test_a_connection_is_used_again(serve: Callable[..., str], connect: Connect) -> None:
    def twice(connection: socket.socket) -> None:
        for records in ([sold(unit) for unit in range(100)], []):
            body = json.dumps({"data": records})
            connection.sendall(f"HTTP/1.1 200 .\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            connection.sendall(body.encode())
            connection.recv(65536)

    market = connect(serve(twice), timeout_seconds=2, attempts=1)

    assert len(list(market.turnovers(JANUARY))) == 100


# Units and properties


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_ids_are_asked_for_by_the_hundred(
    httpserver: HTTPServer, market: MarketData, count: int, sizes: list[int]
) -> None:
    def told(request: Request) -> Response:
        ids = request.get_json()["cadastral_unit_gbk_ids"]
        known = {id_: {"full_unit": f"0301-{id_}", "property_ids": [id_]} for id_ in ids if id_ % 2}
        return Response(json.dumps(known))

    httpserver.expect_request(UNITS, method="POST").respond_with_handler(told)

    units = market.units(range(count))

    assert units == {n: Unit(f"0301-{n}", (n,)) for n in range(1, count, 2)}
    asked = [request.get_json()["cadastral_unit_gbk_ids"] for request, _ in httpserver.log]
    assert [len(ids) for ids in asked] == sizes
    assert [id_ for ids in asked for id_ in ids] == list(range(count))


@pytest.mark.parametrize("number", [301, "301", "0301"])
def test_properties_are_read(httpserver: HTTPServer, market: MarketData, number: int | str) -> None:
    home = {
        "realestate_type": "leilighet",
        "municipality_number": number,
        "lat": 59.9,
        "lon": 10.7,
        "built_year": 1987,
        "total_area": 80.5,
        "bra": 71,
        "floor": -1,
        "bedrooms": None,
        "gnr_number": 214,
        "energy_mark": {"letter": "B"},
    }
    httpserver.expect_request(PROPERTIES, method="POST", json={"ids": [4, 5, 6]}).respond_with_json(
        {"4": home, "6": None}
    )

    assert market.properties([4, 5, 6]) == {
        4: Property(
            realestate_type="leilighet",
            municipality_number="0301",
            lat=59.9,
            lon=10.7,
            built_year=1987,
            total_area=80.5,
            usable_area=71,
            floor=-1,
        )
    }


def test_ids_that_were_not_asked_for_break_the_contract(
    httpserver: HTTPServer, market: MarketData
) -> None:
    httpserver.expect_request(PROPERTIES).respond_with_json({"4": {}, "9": {}})

    error = failure(lambda: market.properties([4, 5]))

    assert f"POST {PROPERTIES} (ids 4 to 5), 1 ids that were not asked for, as 9" in str(error)


# The key and the address


@pytest.mark.parametrize(("key", "sent"), [("s3cret", "s3cret"), (None, None), ("", None)])
def test_the_key_is_a_header(
    httpserver: HTTPServer, connect: Connect, key: str | None, sent: str | None
) -> None:
    httpserver.expect_request(TURNOVERS).respond_with_json({"data": []})

    list(connect(httpserver.url_for(""), key).turnovers(JANUARY))

    assert httpserver.log[0][0].headers.get("Apikey") == sent


@pytest.mark.parametrize("suffix", ["/market/v1", "/market/v1/"])
def test_the_address_may_have_a_path_and_a_user(
    httpserver: HTTPServer, connect: Connect, suffix: str
) -> None:
    httpserver.expect_request(f"/market/v1{TURNOVERS}").respond_with_json({"data": []})
    base_url = httpserver.url_for(suffix).replace("http://", f"http://ree:{CANARY}@")

    assert list(connect(base_url).turnovers(JANUARY)) == []
    authorization = httpserver.log[0][0].authorization
    assert authorization
    assert (authorization.username, authorization.password) == ("ree", CANARY)


@pytest.mark.parametrize(
    "base_url",
    [
        None,
        "",
        "market",
        "http://",
        "https:///path",
        "ftp://market",
        f"http://ree:{CANARY}/x@market",
        f"http://market/?apikey={CANARY}",
        "http://market/#page",
        "http://market:0",
        "http://market:65536",
        "http://market\n",
    ],
)
def test_what_is_no_address_is_refused(connect: Connect, base_url: str | None) -> None:
    error = failure(lambda: connect(base_url))

    assert str(error).startswith("REE_API_BASE_URL is not set or no address")
    assert_tells_no_secret(error)


@pytest.mark.parametrize("key", [f"{CANARY}\n", f" {CANARY}", f"{CANARY}ø", f"{CANARY}\udc80"])
def test_a_key_that_no_header_can_carry_is_refused(connect: Connect, key: str) -> None:
    error = failure(lambda: connect("http://market", key))

    assert str(error).startswith("REE_API_KEY cannot be sent")
    assert_tells_no_secret(error)


def test_a_proxy_that_cannot_be_used_is_told(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("ALL_PROXY", f"ftp://ree:{CANARY}@proxy")

    error = failure(lambda: connect("http://market"))

    assert "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY" in str(error)
    assert_tells_no_secret(error)


# Further attempts


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "61"}, 60.0),
        ({"Retry-After": "9" * 5000}, 60.0),
        (
            {
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "Retry-After": "Wed, 21 Oct 2026 07:28:12 GMT",
            },
            12.0,
        ),
        (
            {
                "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
                "Retry-After": "Wed, 21 Oct 2027 07:28:00 GMT",
            },
            60.0,
        ),
    ],
)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_pause_is_the_one_asked_for(
    serve: Callable[..., str],
    connect: Connect,
    waits: list[float],
    status: int,
    headers: dict[str, str],
    wait: float,
) -> None:
    market = connect(serve(saying(status, headers), empty_page))

    assert list(market.turnovers(JANUARY)) == []
    assert waits == [wait]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": "0"},
        {"Retry-After": "soon"},
        {"Retry-After": "-5"},
        {"Retry-After": "1.5"},
        {"Retry-After": "Wed, 21 Oct 2026 07:28:00 -0000"},
        {"Retry-After": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"},
        {
            "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
            "Retry-After": "Wed, 21 Oct 2020 07:28:00 GMT",
        },
    ],
)
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_pauses_grow_where_none_is_asked_for(
    serve: Callable[..., str],
    connect: Connect,
    waits: list[float],
    status: int,
    headers: dict[str, str],
) -> None:
    market = connect(serve(*4 * [saying(status, headers)], empty_page))

    assert list(market.turnovers(JANUARY)) == []
    assert len(waits) == 4
    assert all(0.5 <= wait <= 3.0 for wait in waits)
    assert waits[0] <= 1.5
    assert waits[3] == 3.0


def test_a_market_that_stays_away_is_given_up(
    httpserver: HTTPServer, connect: Connect, waits: list[float]
) -> None:
    httpserver.expect_request(TURNOVERS).respond_with_data("", 503)
    market = connect(httpserver.url_for(""), attempts=3, wait_max=0)

    error = failure(lambda: list(market.turnovers(JANUARY)))

    origin = f"http://{httpserver.host}:{httpserver.port}"
    assert str(error) == (
        f"The market API at {origin} answered 503 to GET {TURNOVERS} (page 1): try again later."
    )
    assert len(httpserver.log) == 3
    assert waits == [0, 0]


@pytest.mark.parametrize("answer", [reset, hang_up, babble])
def test_a_connection_that_breaks_is_tried_again(
    serve: Callable[..., str], connect: Connect, waits: list[float], answer: Answer
) -> None:
    market = connect(serve(answer, answer, empty_page))

    assert list(market.turnovers(JANUARY)) == []
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reset, f"([Errno {errno.ECONNRESET}] Connection reset by peer)"),
        (hang_up, "(the connection broke, or what answers does not speak HTTP)"),
        (babble, "(the connection broke, or what answers does not speak HTTP)"),
    ],
)
def test_a_connection_that_stays_broken_is_told(
    serve: Callable[..., str], connect: Connect, answer: Answer, reason: str
) -> None:
    url = serve(answer, answer)

    error = failure(lambda: list(connect(url, attempts=2).turnovers(JANUARY)))

    assert str(error) == (
        f"The market API at {url} did not answer GET {TURNOVERS} (page 1) {reason}: "
        "try again later."
    )


def test_silence_times_out(connect: Connect, waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        market = connect(url, timeout_seconds=0.02, attempts=3)
        error = failure(lambda: market.units([8, 9]))

    assert f"did not answer POST {UNITS} (ids 8 to 9) (timed out): try again later" in str(error)
    assert len(waits) == 2


def test_nobody_there(connect: Connect, waits: list[float]) -> None:
    url = refused_url()

    error = failure(lambda: list(connect(url).turnovers(JANUARY)))

    assert str(error) == (
        f"The market API at {url} cannot be reached ([Errno {errno.ECONNREFUSED}] "
        "Connection refused): check REE_API_BASE_URL."
    )
    assert len(waits) == 4


def test_a_host_that_cannot_be_a_name(connect: Connect, waits: list[float]) -> None:
    error = failure(lambda: list(connect("http://a..b").turnovers(JANUARY)))

    assert "at http://a..b cannot be reached (no such host)" in str(error)
    assert waits == []


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (302, "redirects are not followed, check REE_API_BASE_URL"),
        (400, "its contract may have changed, ask its operator"),
        (401, "check REE_API_KEY"),
        (403, "check REE_API_KEY"),
        (404, "check REE_API_BASE_URL"),
        (422, "its contract may have changed, ask its operator"),
    ],
)
def test_a_refusal_is_not_tried_again(
    httpserver: HTTPServer, market: MarketData, waits: list[float], status: int, advice: str
) -> None:
    headers = {"Location": httpserver.url_for("/elsewhere"), "Retry-After": "1"}

    def answer(request: Request) -> Response:
        if request.args["page"] == "1":
            return pages_of(200)(request)
        return Response("{}", status, headers)

    httpserver.expect_request(TURNOVERS).respond_with_handler(answer)

    error = failure(lambda: list(market.turnovers(JANUARY)))

    origin = f"http://{httpserver.host}:{httpserver.port}"
    assert str(error) == (
        f"The market API at {origin} answered {status} to GET {TURNOVERS} (page 2): {advice}."
    )
    assert len(httpserver.log) == 2
    assert waits == []


# Answers that the contract does not allow

ATTRIBUTES = '{{"data": [{{"attributes": {}}}]}}'
NOT_TURNOVERS = [
    "",
    "<html></html>",
    '{"data": []',
    '{"data": []} {}',
    "[]",
    "null",
    "{}",
    '{"data": null}',
    '{"data": {}}',
    '{"data": [null]}',
    '{"data": [{}]}',
    ATTRIBUTES.format("{}"),
    ATTRIBUTES.format('{"cadastral_unit_ids": null}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": 1}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": ["1"]}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1.5]}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [true]}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "price": "3000000"}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "price": true}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "price": NaN}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "price": -Infinity}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "price": 1e999}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "turnover_date": 1768633929}'),
    ATTRIBUTES.format('{"cadastral_unit_ids": [1], "turnover_date": "\udc80"}'),
    '{"data": [], "more": ' + "[" * 100_000 + "]" * 100_000 + "}",
]


@pytest.mark.parametrize("body", NOT_TURNOVERS, ids=lambda body: body[:70] or "nothing")
def test_what_is_no_page_is_refused(
    httpserver: HTTPServer, market: MarketData, waits: list[float], body: str
) -> None:
    httpserver.expect_request(TURNOVERS).respond_with_data(body.encode(errors="surrogateescape"))

    error = failure(lambda: list(market.turnovers(JANUARY)))

    assert f"broke its contract in answer to GET {TURNOVERS} (page 1), " in str(error)
    assert len(httpserver.log) == 1
    assert waits == []


@pytest.mark.parametrize(
    "body",
    [
        '{"data": {}}',
        '{"1": []}',
        '{"1": {}}',
        '{"1": {"full_unit": "0301-1", "property_ids": null}}',
        '{"1": {"full_unit": "0301-1", "property_ids": ["7"]}}',
        '{"1": {"full_unit": 301, "property_ids": [7]}}',
        '{"1.0": {"full_unit": "0301-1", "property_ids": [7]}}',
    ],
)
def test_what_is_no_unit_is_refused(httpserver: HTTPServer, market: MarketData, body: str) -> None:
    httpserver.expect_request(UNITS).respond_with_data(body)

    error = failure(lambda: market.units([1, 2]))

    assert f"broke its contract in answer to POST {UNITS} (ids 1 to 2), " in str(error)


@pytest.mark.parametrize(
    "features",
    [
        {"municipality_number": "Oslo"},
        {"municipality_number": "301\n"},
        {"municipality_number": 301.5},
        {"municipality_number": True},
        {"lat": "59.9"},
        {"built_year": "1987"},
        {"bra": float("nan")},
        {"total_area": float("inf")},
        {"realestate_type": 3},
        {"floor": []},
    ],
    ids=str,
)
def test_what_is_no_property_is_refused(
    httpserver: HTTPServer, market: MarketData, features: dict[str, object]
) -> None:
    httpserver.expect_request(PROPERTIES).respond_with_json({"1": features})

    error = failure(lambda: market.properties([1]))

    assert f"broke its contract in answer to POST {PROPERTIES} (ids 1 to 1), " in str(error)


def test_a_body_that_is_not_as_packed_is_refused(
    httpserver: HTTPServer, market: MarketData
) -> None:
    httpserver.expect_request(TURNOVERS).respond_with_data(
        "plain", headers={"Content-Encoding": "gzip"}
    )

    error = failure(lambda: list(market.turnovers(JANUARY)))

    assert "(page 1), the body cannot be decompressed" in str(error)


# Secrets


def assert_tells_no_secret(error: BaseException) -> None:
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None:
        chain.append(link)
        link = link.__cause__ or link.__context__
    told = [text for link in chain for text in (str(link), repr(link), repr(vars(link)))]
    told += traceback.format_exception(error)
    assert CANARY not in "".join(told)


def assert_frames_tell_no_secret(error: BaseException) -> None:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("ree.")]
    assert ours
    assert CANARY not in "".join(repr(frame.f_locals) for frame in ours)


@pytest.mark.parametrize(
    "path", ["401", "503", "echo", "refused", "silent", "babble", "reset", "no-host"]
)
def test_no_secret_is_told(
    httpserver: HTTPServer,
    serve: Callable[..., str],
    connect: Connect,
    path: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    # At DEBUG the HTTP library repeats what the other side says, not what we say.
    caplog.set_level(logging.INFO if path == "babble" else logging.DEBUG)
    retries: list[RetryDetails] = []

    def note(details: RetryDetails) -> None:
        retries.append(details)

    set_on_retry_hooks([note])
    request.addfinalizer(partial(set_on_retry_hooks, None))
    httpserver.expect_request(f"/401{TURNOVERS}").respond_with_data(CANARY, 401)
    httpserver.expect_request(f"/503{TURNOVERS}").respond_with_data(CANARY, 503)
    httpserver.expect_request(f"/echo{TURNOVERS}").respond_with_json({"data": [CANARY]})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls: dict[str, Callable[[], str]] = {
            "refused": refused_url,
            "silent": lambda: f"http://127.0.0.1:{silent.getsockname()[1]}",
            "babble": lambda: serve(babble, babble),
            "reset": lambda: serve(reset, reset),
            "no-host": lambda: "http://a..b",
        }
        url = urls.get(path, lambda: httpserver.url_for(f"/{path}"))()
        market = connect(
            url.replace("http://", f"http://{CANARY}:{CANARY}@"), attempts=2, timeout_seconds=0.2
        )
        error = failure(lambda: list(market.turnovers(JANUARY)))

    assert_tells_no_secret(error)
    assert_frames_tell_no_secret(error)
    assert CANARY not in repr(market)
    assert CANARY not in "".join(repr(vars(record)) for record in caplog.records)
    assert CANARY not in caplog.text + repr(retries)
    assert CANARY not in "".join(capfd.readouterr())
    assert len(retries) == (path not in ("401", "echo", "no-host"))


def test_what_is_logged_of_a_retry_tells_no_secret(
    httpserver: HTTPServer,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    restored_logs: None,
) -> None:
    """As stamina logs by itself, wherever that goes; ours would leave it out."""
    structlog.reset_defaults()
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request(TURNOVERS).respond_with_data(CANARY, 503)

    failure(lambda: list(connect(httpserver.url_for(""), attempts=2).turnovers(JANUARY)))

    out, err = capfd.readouterr()
    logged = out + err + "".join(repr(vars(record)) for record in caplog.records)
    assert "stamina.retry_scheduled" in logged
    assert "answered 503" in logged
    assert CANARY not in logged
