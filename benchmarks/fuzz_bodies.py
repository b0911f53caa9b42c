"""Requests that a hostile or broken client could send: bodies that were damaged, and framings."""

import json
from collections.abc import Iterator
from random import Random

from attrs import frozen

_TYPES = ("enebolig", "tomannsbolig", "rekkehus", "leilighet", "hytte")
_OPTIONAL = ("floor", "bedrooms", "rooms", "gnr_number", "bnr_number", "snr_number")
_TOKENS = (
    b"NaN|Infinity|-Infinity|null|true|false|1e999|-1e999|1e-999|-0|0x10|01|1.|.5|+1|1_0|//|/**/|"
    b'"|\'|{|}|[|]|,|:|\\|\\u|\\ud800|\\u0000|\\"|\x00|\x1f|\x7f|\xff|\xc0\xaf|\xed\xa0\x80|'
    b'\xef\xbb\xbf|\xf4\x90\x80\x80|\xe2\x80\xa8|\r\n|\r\n\r\n|,,|{}|[]|{{|}}|"":{}|'
    b'"lat":1,|"bra":null,|"price":1,|"":1,|"realestate_type":"leilighet",|"built_year":2029,'
).split(b"|")
_VALUES = (
    b"null|true|false|0|-0|-0.0|1|-1|5|4.9|9|12|60|59.95|10|10.05|100|101|301|9999|10000|1599|1600|"
    b"1990|2026|2028|2029|5000|5001|1000000|1000001|1e2|1e-400|1.5|9007199254740993|1e308|1e999|-1e999|"
    b'""|"0"|"301"|"0301"|"00301"|"leilighet"|"villa"|"\\u0033"|"\xc3\xb8"|"1:2"|[]|{}|[1]|{"a":1}|NaN|01'
).split(b"|")
_LARGE = (
    b"9" * 400,
    b"9" * 5_000,
    b"1" + b"0" * 308,
    b"0." + b"0" * 400 + b"1",
    b"[" * 2_000,
    b'{"a":' * 2_000,
    b"[" * 200 + b"]" * 200,
    b" " * 3_000,
    b'"' + b"x" * 5_000 + b'"',
    b"\\u00e5" * 500,
)
_WHOLE = (
    b"", b"{}", b"[]", b"null", b"1", b'"x"', b"[{}]", b"{", b"}", b"\xff\xfe", b"\x00",
    b'{"1":null}', b'{"1":{}}', b'{"1":[]}', b'{"1":{},"1":{}}', b'{"":{}}', b'{"a":{}}x',
    b"[" * 100_000, b'{"a":' * 50_000, b"1e999", b"9" * 100_000, b"\x1f\x8b\x08\x00",
)  # fmt: skip
_QUERIES = (
    b"", b"", b"", b"", b"?on_invalid=skip", b"?on_invalid=skip", b"?valuation_date=2026-02-09",
    b"?valuation_date=2024-01-01&on_invalid=skip", b"?coverage=0.8", b"?explain=true",
    b"?valuation_date=x", b"?a=1&a=2&%ff", b"?coverage=nan", b"?on_invalid=skip&on_invalid=skip",
)  # fmt: skip
_FIELDS = (
    b"Content-Type: text/plain\r\n",
    b"Content-Type: application/json; charset=latin-1\r\n",
    b"Content-Type: \xff\r\n",
    b"Content-Encoding: gzip\r\nContent-Type: application/json\r\n",
    b"Content-Encoding: identity\r\nContent-Type: application/json\r\n",
    b"Content-Type: application/json\r\nAuthorization: Bearer \xf0\x9f\x8f\xa0\r\n",
    b"Content-Type: application/json\r\nX-Api-Key: " + b"k" * 3_000 + b"\r\n",
    b"Content-Type: application/json\r\nOrigin: null\r\nAccept: \xe5;q=x\r\n",
    b"Content-Type: application/json\r\nIf-None-Match: *\r\nRange: bytes=0-0\r\n",
    b"Content-Type: application/json\r\nCookie: " + b"a=b; " * 400 + b"\r\n",
    b"Content-Type: application/json\r\nX-Forwarded-For: 1.1.1.1, \x80\r\n",
    b"Content-Type: application/json\r\nAccept-Encoding: gzip;q=nan\r\nTE: trailers\r\n",
    b"",
)
_JSON = b"Content-Type: application/json\r\n"
_HOST = b"Host: ree\r\n"


@frozen
class Request:
    """Bytes, and what may come of them."""

    raw: bytes
    body: bytes
    name: bytes
    """The X-Request-Id, which its answer repeats if the head was read."""
    framed: bool = True
    """Whether it is plain where it ends: then it has one answer, and others may follow it."""


def corpus(random: Random, size: int) -> list[bytes]:
    """Good bodies and some that break a rule, of one to four homes, rarely more."""
    return [_batch(random) for _ in range(size)] + list(_WHOLE)


def _batch(random: Random) -> bytes:
    homes = random.choice((1, 1, 1, 1, 2, 2, 3, 4, 4, 30))
    spaces = random.choice(((",", ":"), (", ", ": "), (" ,\n", "\t: ")))
    return json.dumps(
        {f"{number}-{random.getrandbits(16):x}": _home(random) for number in range(homes)},
        separators=spaces,
    ).encode()


def _home(random: Random) -> dict[str, object]:
    usable = round(random.uniform(30, 200), random.choice((0, 1, 9)))
    home: dict[str, object] = {
        "realestate_type": random.choice(_TYPES),
        "municipality_number": random.choice((301, "0301", "301", "4601")),
        "lat": 60 + random.uniform(-0.1, 0.1),
        "lon": 10 + random.uniform(-0.1, 0.1),
        "built_year": random.randint(1880, 2026),
        "total_area": usable + random.choice((0, 0.5, 300)),
        random.choice(("bra", "usable_area")): usable,
        "floor": random.randint(-2, 12),
    }
    for name in _OPTIONAL[1:]:
        if random.random() < 0.4:
            home[name] = random.choice((0, 1, 3, 9, None))
    if random.random() < 0.1:
        name = random.choice(list(home))
        home[name] = random.choice((None, True, "1", [], {}, -1, 0, 1e9, 1e308, 10**30, "ø" * 70))
    return home


def requests(random: Random, bodies: list[bytes], depth: int) -> Iterator[list[Request]]:
    """Batches to be sent at once; only the last of a batch may be framed badly. Without end."""
    number = 0
    while True:
        batch = []
        for _ in range(depth - 1):
            number += 1
            batch.append(_framed(random, bodies, b"f-%d" % number))
        number += 1
        odd = not random.getrandbits(3)
        batch.append((_odd if odd else _framed)(random, bodies, b"f-%d" % number))
        yield batch


def _framed(random: Random, bodies: list[bytes], name: bytes) -> Request:
    body = mutated(random, bodies)
    fields = _JSON if random.getrandbits(6) else random.choice(_FIELDS)
    if random.getrandbits(7):
        framing, sent = b"Content-Length: %d\r\n" % len(body), body
    else:
        framing, sent = b"Transfer-Encoding: chunked\r\n", _chunked(random, body)
    return Request(_head(random, name) + fields + framing + b"\r\n" + sent, body, name)


def _head(random: Random, name: bytes) -> bytes:
    query = random.choice(_QUERIES) if not random.getrandbits(2) else b""
    return b"POST /estimate%b HTTP/1.1\r\n%bX-Request-Id: %b\r\n" % (query, _HOST, name)


def mutated(random: Random, bodies: list[bytes]) -> bytes:
    """One of the corpus, left alone now and then."""
    bits = random.getrandbits(30)
    body = bodies[bits % len(bodies)]
    for _ in range((0, 0, 1, 1, 1, 1, 2, 4)[bits >> 27]):
        body = _damaged(random, bodies, body)
    return body


def _damaged(random: Random, bodies: list[bytes], body: bytes) -> bytes:
    bits, size = random.getrandbits(48), len(body) or 1
    what, at, length = bits & 15, (bits >> 4) % size, bits >> 36 & 31
    if not what:  # another bit
        return body[:at] + bytes((body[at] ^ 1 << (length & 7),)) + body[at + 1 :] if body else b"x"
    if what == 1:  # another byte
        return body[:at] + bytes((bits >> 40,)) + body[at + 1 :]
    if what < 4:  # a token inside, or instead
        token = _TOKENS[(bits >> 28) % len(_TOKENS)]
        return body[:at] + token + body[at + (length if what & 1 else 0) :]
    if what == 4:
        return body[:at]
    if what == 5:
        return body[:at] + body[at + length :]
    if what == 6:
        return body[:at] + body[at : at + length] * (2 + (length & 3)) + body[at + length :]
    if what == 7:
        other = bodies[(bits >> 20) % len(bodies)]
        return body[:at] + other[(bits >> 12) % (len(other) or 1) :]
    if what == 8 and not length & 3:
        return body[:at] + _LARGE[(bits >> 28) % len(_LARGE)] + body[at:]
    return _other_value(body, at, _VALUES[(bits >> 28) % len(_VALUES)])


def _other_value(body: bytes, at: int, token: bytes) -> bytes:
    """A token for the value of a field, as a client with a defect would send it."""
    colon = body.find(b":", at) + 1
    ends = [end for mark in (b",", b"}") if (end := body.find(mark, colon)) >= 0]
    return body[:colon] + token + body[min(ends) :] if colon and ends else body + token


def _chunked(random: Random, body: bytes) -> bytes:
    parts, at = [], 0
    while at < len(body):
        size = random.choice((1, 7, 100, 1_000, 10_000)) if at < 50 else 10_000
        chunk = body[at : at + size]
        parts.append(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        at += size
    return b"".join(parts) + b"0\r\n\r\n"


def _odd(random: Random, bodies: list[bytes], name: bytes) -> Request:
    """One that contradicts itself, or that is not HTTP; or a length that is only a lie."""
    body = mutated(random, bodies)
    head, size = _head(random, name) + _JSON, len(body)
    length = b"Content-Length: %d\r\n" % size
    chunked = b"Transfer-Encoding: chunked\r\n"
    made = (
        lambda: head + b"Content-Length: %d\r\n\r\n" % (size + random.randint(1, 999)) + body,
        lambda: head + b"Content-Length: %d\r\n\r\n" % random.randint(0, size) + body,
        lambda: head + b"Content-Length: abc\r\n\r\n" + body,
        lambda: head + b"Content-Length: -1\r\n\r\n" + body,
        lambda: head + b"Content-Length: +%d\r\n\r\n" % size + body,
        lambda: head + b"Content-Length: 1%b\r\n\r\n" % (b"0" * 40) + body,
        lambda: head + b"Content-Length: 99999999999\r\n\r\n" + body,
        lambda: head + length + b"Content-Length: %d\r\n\r\n" % (size + 1) + body,
        lambda: head + length + chunked + b"\r\n" + _chunked(random, body),
        lambda: head + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + body,
        lambda: head + b"Transfer-Encoding: xchunked\r\n\r\n" + body,
        lambda: head + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + body,
        lambda: head + chunked + b"\r\n" + body,
        lambda: head + chunked + b"\r\n" + _chunked(random, body)[: random.randint(0, size)],
        lambda: head + chunked + b"\r\nffffffffffffffffff\r\n" + body,
        lambda: head + chunked + b"\r\n-1\r\n" + body,
        lambda: head + chunked + b"\r\n1;" + b"x" * 20_000 + b"\r\n",
        lambda: head + chunked + b"\r\n" + b"1\r\nx\r\n" * 300,
        lambda: head + chunked + b"\r\n0\r\nTrailer: x\r\nbad trailer\r\n\r\n",
        lambda: head + length + b"Content-Type: application/json\r\n\r\n" + body,
        lambda: head + length + b"No colon\r\n\r\n" + body,
        lambda: head + length + b"Space : x\r\n\r\n" + body,
        lambda: head + length + b"Nul: a\x00b\r\n\r\n" + body,
        lambda: head + length + b"Fold: a\r\n b\r\n\r\n" + body,
        lambda: head + length + b"Bare: a\nLength: 1\r\n\r\n" + body,
        lambda: head + length + b"Long: " + b"x" * 70_000 + b"\r\n\r\n" + body,
        lambda: head + length + b"".join(b"H%d: x\r\n" % n for n in range(300)) + b"\r\n" + body,
        lambda: head + length + b"Expect: a miracle\r\n\r\n" + body,
        lambda: head + length + b"Expect: 100-continue\r\n\r\n" + body,
        lambda: head + length + b"Connection: close\r\n\r\n" + body,
        lambda: head + length + b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n" + body,
        lambda: head.replace(b"HTTP/1.1", b"HTTP/1.0") + length + b"\r\n" + body,
        lambda: head.replace(b"HTTP/1.1", b"HTTP/9.9") + length + b"\r\n" + body,
        lambda: head.replace(b"POST", b"po st") + length + b"\r\n" + body,
        lambda: head.replace(b"POST", b"\x16\x03\x01") + length + b"\r\n" + body,
        lambda: head.replace(b"POST", random.choice((b"GET", b"PUT", b"TRACE", b"OPTIONS", b"X")))
        + length + b"\r\n" + body,
        lambda: head.replace(b"/estimate", b"//estimate/../\xff%00") + length + b"\r\n" + body,
        lambda: head.replace(b"/estimate", b"/" + b"x" * 9_000) + length + b"\r\n" + body,
        lambda: head.replace(b"/estimate", b"http://a/estimate") + length + b"\r\n" + body,
        lambda: head.replace(b"/estimate", b"*") + length + b"\r\n" + body,
        lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + body,
        lambda: b"\r\n" * 40 + body,
        lambda: (head + length + b"\r\n" + body)[: random.randint(1, len(head) + size)],
        lambda: _flipped(random, head + length + b"\r\n") + body,
        lambda: body or b"\x00",
    )  # fmt: skip
    return Request(random.choice(made)(), body, name, framed=False)


def _flipped(random: Random, text: bytes) -> bytes:
    at = random.randrange(len(text))
    return text[:at] + bytes((random.getrandbits(8),)) + text[at + 1 :]
