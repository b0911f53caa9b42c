"""Bodies of `POST /estimate` as JSON texts, good ones and bad ones, the same for the same seed."""

import json
from collections.abc import Iterator
from random import Random

from attrs import frozen

_TYPES = ("enebolig", "tomannsbolig", "rekkehus", "leilighet", "hytte")
_NUMBERS = ("0", "-0", "-0.0", "1", "5", "4.999999999999999", "5000", "5000.000000000001", "100")
_NUMBERS += ("1600", "1599.9999999999998", "2028", "2029", "90", "90.00000000000001", "-90", "181")
_NUMBERS += (
    "1e2",
    "1E-400",
    "2.5e-324",
    "1.7976931348623157e308",
    "9007199254740993",
    "-21",
    "200",
)
_NUMBERS += (
    "201",
    "1000000",
    "1000000.0000000001",
    "0.1e1",
    "18446744073709551616",
    "1" + "0" * 300,
)
_OTHERS = ("null", "true", "false", '"1"', '""', '"0301"', "[]", "{}", "[1]", '{"a": 1}', '"ø"')
_HUGE = ("1e999", "-1e999", "1" + "0" * 309, "1" + "0" * 500, "1e-999")
_MALFORMED = ("NaN", "Infinity", "-Infinity", "01", "1.", ".5", "+1", "0x1", "'1'", "1_000", "")
_PLACES = ("301", '"301"', '"0301"', '"4601"', "4601", "1", "9999", "10000", "0", "-5", '"00301"')
_PLACES += ('"٣"', "301.0", "3e2", '"03 1"', '"1:2"', "99999999999999999999", '"\\u0033"', "7")
_PLACES += ("219", '"3024"', "1507", '"5012"', "1850")
_KINDS = (
    '"enebolig"',
    '"næringseiendom"',
    '"Enebolig"',
    '"villa"',
    '"en\\u0065bolig"',
    "3",
    "null",
)
_IDS = (
    "",
    "a" * 64,
    "a" * 65,
    "a b",
    "a:b",
    ":::",
    "\x7f",
    "ø",
    "~",
    "a,b{}",
    "null",
    "0",
    "\U0001f3e0",
)
_FIELDS = ("lat", "lon", "built_year", "total_area", "bra", "usable_area", "floor", "bedrooms")
_FIELDS += ("rooms", "gnr_number", "bnr_number", "snr_number")


@frozen
class Body:
    """A text, how many properties it has, and whether anything was done to it."""

    text: bytes
    count: int
    clean: bool


def bodies(seed: int, properties: int) -> Iterator[Body]:
    """Until they have so many properties in all; about half of them are clean."""
    random, told = Random(seed), 0
    while told < properties:
        count = random.choice((1, 1, 2, 3, 9, 10, 11, 60, 250))
        rate = random.choice((0, 0, 1 / count, 0.1, 0.5))
        body = _body(random, count, rate)
        told += count
        yield body


def _body(random: Random, count: int, rate: float) -> Body:
    clean, pairs = True, []
    for number in range(count):
        name, features = json.dumps(f"{number}-{random.getrandbits(20)}"), _home(random)
        if random.random() < rate:
            clean = False
            name, features = _spoiled(random, name, features)
        space = random.choice(("", " ", "\n\t"))
        inside = ("," + space).join(f'"{key}":{space}{value}' for key, value in features)
        pairs.append(f"{name}{space}:{{{inside}}}")
    if rate and random.random() < 0.02:
        clean = False
        pairs.append(random.choice(pairs))
    text = ("{" + ",".join(pairs) + "}").encode("utf-8")
    if rate and random.random() < 0.03:
        clean = False
        cut = random.randrange(len(text))
        junk = bytes(random.getrandbits(8) for _ in range(random.randrange(3)))
        text = text[:cut] + junk + text[cut + random.randrange(2) :]
    return Body(text, count, clean)


def _home(random: Random) -> list[tuple[str, str]]:
    """One that keeps the rules; near 60 N 10 E, and far from there now and then."""
    kind, usable = random.choice(_TYPES), round(random.uniform(30, 200), random.choice((0, 1, 9)))
    near = random.random() < 0.9
    lat, lon = (60 + random.uniform(-0.1, 0.1), 10 + random.uniform(-0.1, 0.1))
    home = [
        ("realestate_type", json.dumps(kind)),
        ("municipality_number", random.choice(("301", '"0301"', '"301"', "4601", "1", "9999"))),
        ("lat", repr(lat if near else random.uniform(-90, 90))),
        ("lon", repr(lon)),
        ("built_year", str(random.randint(1880, 2026))),
        ("total_area", repr(usable + random.choice((0, 0.5, 300)))),
        (random.choice(("bra", "usable_area")), repr(usable)),
    ]
    if kind == "leilighet" or random.random() < 0.5:
        home.append(("floor", str(random.randint(-2, 12))))
    for name, most in (("bedrooms", 8), ("rooms", 12), ("gnr_number", 999), ("snr_number", 9)):
        if random.random() < 0.6:
            home.append((name, random.choice((str(random.randint(0, most)), "null"))))
    if random.random() < 0.1:
        unused = "usable_area" if home[6][0] == "bra" else "bra"
        home.append((unused, "null"))
    random.shuffle(home)
    return home


def _spoiled(
    random: Random, name: str, features: list[tuple[str, str]]
) -> tuple[str, list[tuple[str, str]]]:
    for _ in range(random.choice((1, 1, 2))):
        what = random.randrange(12)
        values = dict(features)
        if what == 0:
            name = json.dumps(random.choice(_IDS), ensure_ascii=random.random() < 0.5)
        elif what == 1:
            features = [*features, random.choice(features)]
        elif what == 2:
            features = [pair for pair in features if pair is not random.choice(features)]
        elif what == 3:
            features = [*features, (random.choice(("price", "colour", "Lat", "lat ", "")), "1")]
        elif what == 4:
            features = [*features, (random.choice(("bra", "usable_area")), "100")]
        elif what == 5:
            features = list((values | {"municipality_number": random.choice(_PLACES)}).items())
        elif what == 6:
            features = list((values | {"realestate_type": random.choice(_KINDS)}).items())
        else:
            pool = _NUMBERS * 4 + _OTHERS + _HUGE + (_MALFORMED if what == 7 else ())
            features = list((values | {random.choice(_FIELDS): random.choice(pool)}).items())
    return name, features
