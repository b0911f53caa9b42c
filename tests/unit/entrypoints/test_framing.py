"""Bytes become a request exactly where and when gunicorn's own parser says."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ree.entrypoints.api.body import BodyTooLarge
from ree.entrypoints.api.framing import FRAMING, MAX_HEAD, ChunksTooSmall, Incoming
from ree.entrypoints.api.refusals import REFUSALS

PEER = ("127.0.0.1", 1)
LIMIT = 1_000
POST = b"POST /estimate HTTP/1.1\r\nHost: ree\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    b"GET / HTTP/1.1\r\nHost: ree\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"\r\nGET /a?b=c HTTP/1.1\r\n\r\n",
    POST + b"Content-Length: 5\r\n\r\nhello",
    POST + b"Content-Length: 0\r\n\r\n",
    POST + b"Content-Length: 005\r\n\r\nhello",
    POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    CHUNKED + b"5;a=b\r\nhello\r\n0;c\r\n\r\n",
    CHUNKED + b"005 ; a\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n",
    CHUNKED + b"0\r\n\r\n",
    POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nA_B: c\r\n\r\n",
    POST + b"Transfer_Encoding: chunked\r\n\r\n",
    b"CONNECT ree:80 HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
]
REFUSED = [
    (b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\n\n", 400),
    (b"GET / HTTP/1.1\r\nHost: ree\n", 400),
    (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
    (b"GET /\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\n\r\n", 400),
    (b"get / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\n\r\n", 400),
    (b"GET / HTTP/1.1x\r\n\r\n", 400),
    (b"GET /\x80 HTTP/1.1\r\n\r\n", 400),
    (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nA\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nExpect: a miracle\r\n\r\n", 417),
    (b"GET /" + b"a" * 5_000, 414),
    (b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    (POST + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    (POST + b"Content-Length: +5\r\n\r\nhello", 400),
    (POST + b"Content-Length: -5\r\n\r\nhello", 400),
    (POST + b"Content-Length: 0x5\r\n\r\nhello", 400),
    (POST + b"Content-Length: \xb2\r\n\r\nhello", 400),
    (POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", 400),
    (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: identity\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (CHUNKED + b"5\r\nhelloX\r\n0\r\n\r\n", 400),
    (CHUNKED + b"5\r\nhello\n0\r\n\r\n", 400),
    (CHUNKED + b"5\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"\r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"5;=\r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n", 400),
    (CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", 400),
    (CHUNKED + b"0\r\nA: b\nC: d\r\n\r\n", 400),
    (CHUNKED + b"0\r\nA\n", 400),
    (CHUNKED + b"5;" + b"a" * 9_000, 400),
    (CHUNKED + b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
]


def pieces(raw: bytes, cuts: Iterable[int]) -> list[bytes]:
    at = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    return [raw[start:end] for start, end in pairwise(at)]


def ours(parts: Iterable[bytes]) -> object:
    """What is made of a request, None while it is not whole, or the status it is refused with."""
    incoming = Incoming(Config(), PEER, LIMIT)
    whole = False
    rest = b""
    try:
        for part in parts:
            if whole:
                rest += part
            else:
                whole = incoming.feed(part)
        if not whole:
            return None
        incoming.read_body()
    except BodyTooLarge:
        return 413
    except ParseException as error:
        return status(error)
    return seen(incoming.request), incoming.rest + rest


def gunicorns(raw: bytes) -> object:
    """What gunicorn makes of it by itself, which does not limit bodies."""
    parser = RequestParser(Config(), iter([raw]), PEER)
    try:
        request = next(parser)
        told = seen(request)
        if len(told[-1]) < int(dict(told[-2]).get("CONTENT-LENGTH", 0)):
            return None
    except NoMoreData:
        return None
    except ParseException as error:
        return status(error)
    return told, parser.unreader.take_buffered() + b"".join(parser.unreader.iter or ())


def seen(request: object) -> tuple[object, ...]:
    names = ("method", "uri", "version", "headers")
    method, uri, version, headers = (getattr(request, name) for name in names)
    return method, uri, version, headers, request.body.read()  # type: ignore[attr-defined]


def status(error: ParseException) -> int:
    return next(REFUSALS[cls][0] for cls in type(error).__mro__ if cls in REFUSALS)


@pytest.mark.parametrize("raw", WHOLE)
@pytest.mark.parametrize("behind", [b"", b"GET /next HTTP/1.1\r\n\r\n"])
def test_a_whole_request_is_gunicorns_at_any_split(raw: bytes, behind: bytes) -> None:
    expected = gunicorns(raw)
    assert isinstance(expected, tuple)
    told, _ = expected
    for parts in ([raw + behind], pieces(raw + behind, range(9_999)), [raw, behind]):
        assert ours(parts) == (told, behind)
    for cut in range(len(raw)):
        assert ours([raw[:cut]]) is None, "not whole yet"
        assert ours([raw[:cut], raw[cut:] + behind]) == (told, behind)


@pytest.mark.parametrize(("raw", "code"), REFUSED)
def test_what_gunicorn_refuses_is_refused_at_any_split(raw: bytes, code: int) -> None:
    assert gunicorns(raw) == code
    for parts in ([raw], pieces(raw, range(99_999))):
        assert ours(parts) == code
    for cut in range(0, len(raw), 1 + len(raw) // 100):
        assert ours([raw[:cut], raw[cut:]]) == code


@settings(max_examples=300, deadline=None)
@given(
    raw=st.sampled_from(WHOLE + [raw for raw, _ in REFUSED if len(raw) < 500]),
    edits=st.lists(
        st.tuples(
            st.integers(0, 999),
            st.integers(0, 2),
            st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b":", b";", b"0", b"5", b"a", b",", b""]),
        ),
        max_size=3,
    ),
    cuts=st.lists(st.integers(0, 999), max_size=8),
)
@example(raw=CHUNKED + b"1\r\nx\r\n0\r\n\r\n", edits=[], cuts=[-1])
def test_no_bytes_are_framed_otherwise_than_by_gunicorn(
    raw: bytes, edits: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    for where, removed, put in edits:
        at = where % (len(raw) + 1)
        raw = raw[:at] + put + raw[at + removed :]
    expected, found = gunicorns(raw), ours(pieces(raw, cuts))
    if isinstance(expected, tuple) or isinstance(found, tuple):
        assert found == expected or found == 413
    assert ours([raw]) == found, "the split decides nothing"


@pytest.mark.parametrize("head", [POST + b"Content-Length: %d\r\n\r\n", CHUNKED + b"%x\r\n"])
def test_a_body_over_the_limit_is_known_before_it_comes(head: bytes) -> None:
    assert ours([head % LIMIT]) is None
    assert ours([head % (LIMIT + 1)]) == 413


def test_chunks_are_added_up() -> None:
    chunks = b"%x\r\n%s\r\n" % (LIMIT, b"x" * LIMIT)
    assert isinstance(ours([CHUNKED + chunks + b"0\r\n\r\n"]), tuple)
    assert ours([CHUNKED + chunks + b"1\r\n"]) == 413


def test_a_head_and_a_trailer_without_an_end_are_cut() -> None:
    line = b"A: " + b"b" * 8_000 + b"\r\n"
    lines = line * (MAX_HEAD // len(line) + 1)
    for begin in (b"GET / HTTP/1.1\r\n", CHUNKED + b"0\r\n"):
        assert ours([begin + lines[: MAX_HEAD // 2]]) is None
        for parts in ([begin + lines], [begin, lines], [begin + lines + b"\r\n"]):
            assert ours(parts) == 431


def test_chunks_with_more_framing_than_bytes_are_refused() -> None:
    incoming = Incoming(Config(), PEER, 10**9)
    incoming.feed(CHUNKED)
    few, many = b"1\r\nx\r\n" * (FRAMING // 6), b"1\r\nx\r\n" * FRAMING
    assert not incoming.feed(few)
    with pytest.raises(ChunksTooSmall):
        incoming.feed(many)
    assert incoming.held <= len(few)


def test_bytes_are_counted_as_they_come() -> None:
    incoming = Incoming(Config(), PEER, 10**6)
    incoming.feed(POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 30_000)
    assert incoming.held == 30_000
    incoming.feed(b"x" * 30_000)
    assert incoming.held == 60_000
    assert incoming.wanted == 65_536
