"""Strict decoding and validation of a body: ree's against marshmallow's.

Both refuse unknown and missing fields, numbers in strings, booleans, what is not finite or out of
bounds, areas that contradict each other, and ids that are too long. marshmallow gets its JSON from
the standard library, which lets duplicate keys pass, and gives dictionaries where ree gives the
columns of the batch: both in its favour.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from statistics import median
from time import process_time_ns
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from ree.domain.property import NUMBERS, TYPE_CODES, RealEstateType

DAY = date(2026, 1, 2)
REPEATS = 15
AREAS = ("usable_area", "bra")
AT_LEAST_NS = 20_000_000
"""That a repeat takes, so that the clock can tell it."""
_DIGITS = re.compile("[0-9]{4}")


def decode_ree(body: bytes) -> Any:
    """The columns of a batch without a fault; ValueError. The only place that names ree's way."""
    from ree.application.estimate_batch import _any_flawed
    from ree.entrypoints.api.typed_body import read

    found = read(body, DAY)
    if found is None or _any_flawed(found[1], len(found[0])):
        raise ValueError("a home has a fault")
    return found[1]


class StrictNumber(fields.Float):
    """A finite number, as marshmallow has it, but never a text or a boolean."""

    def _validated(self, value: Any) -> Any:
        if type(value) not in (int, float):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class MunicipalityNumber(fields.Field[int]):
    """Four digits, or the number that they are."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            return int(value)
        if type(value) is int and 0 < value <= 9_999:
            return value
        raise ValidationError("must be four digits")


def _number(low: float, high: float, *, required: bool = False) -> StrictNumber:
    return StrictNumber(
        required=required, allow_none=not required, validate=validate.Range(low, high)
    )


class HomeSchema(Schema):
    """The features of one home; unknown ones are refused, as marshmallow does."""

    realestate_type = fields.String(
        required=True, validate=validate.OneOf([kind.value for kind in RealEstateType])
    )
    municipality_number = MunicipalityNumber(required=True)
    lat = _number(-90, 90, required=True)
    lon = _number(-180, 180, required=True)
    built_year = _number(1600, 2028, required=True)
    total_area = _number(5, 1_000_000, required=True)
    usable_area = _number(5, 5_000)
    bra = _number(5, 5_000)
    floor = _number(-20, 100)
    bedrooms = _number(0, 100)
    rooms = _number(0, 200)
    gnr_number = StrictNumber(allow_none=True)
    bnr_number = StrictNumber(allow_none=True)
    snr_number = StrictNumber(allow_none=True)

    @validates_schema
    def _together(self, home: Mapping[str, Any], **_: Any) -> None:
        areas = [home[name] for name in AREAS if home.get(name) is not None]
        if len(areas) != 1:
            raise ValidationError("must be given once, also as bra", "usable_area")
        if home["total_area"] < areas[0]:
            raise ValidationError("must not be smaller than the usable area", "total_area")
        if home["realestate_type"] == "leilighet" and home.get("floor") is None:
            raise ValidationError("is needed for a leilighet", "floor")


BATCH = fields.Dict(
    keys=fields.String(validate=[validate.Length(1, 64), validate.Regexp("^[ -~]+$")]),
    values=fields.Nested(HomeSchema),
)


def decode_marshmallow(body: bytes) -> Any:
    """A dictionary a home; ValidationError."""
    return BATCH.deserialize(json.loads(body))


def measure(bodies: Mapping[int, Sequence[bytes]]) -> dict[int, dict[str, float]]:
    """By batch: CPU us a property of each, and the ratio, medians of interleaved repeats."""
    ways: Mapping[str, Callable[[bytes], Any]] = {
        "ree": decode_ree,
        "marshmallow": decode_marshmallow,
    }
    found = {}
    for batch, own in bodies.items():
        check(own[0])
        spent: dict[str, list[float]] = {name: [] for name in ways}
        times = {name: _times(partial(way, own[0])) for name, way in ways.items()}
        for _ in range(REPEATS):
            for name, way in ways.items():
                began = process_time_ns()
                for number in range(times[name]):
                    way(own[number % len(own)])
                spent[name].append((process_time_ns() - began) / times[name] / batch / 1_000)
        ratios = [
            slow / fast for slow, fast in zip(spent["marshmallow"], spent["ree"], strict=True)
        ]
        found[batch] = {name: median(values) for name, values in spent.items()}
        found[batch]["ratio"] = median(ratios)
    return found


def check(body: bytes) -> None:
    """ValueError unless both read the same of a body."""
    columns, homes = decode_ree(body), list(decode_marshmallow(body).values())
    for name in ("realestate_type", "municipality_number", *NUMBERS):
        for own, home in zip(columns[name].tolist(), homes, strict=True):
            other = TYPE_CODES[home[name]] if name == "realestate_type" else home.get(name)
            if not (own == other or (other is None and own != own)):
                raise ValueError(f"{name} is read as {own} and as {other}")


def _times(call: Callable[[], Any]) -> int:
    """How often to call for a repeat to be long enough."""
    times = 1
    while True:
        began = process_time_ns()
        for _ in range(times):
            call()
        if (spent := process_time_ns() - began) >= AT_LEAST_NS / 4:
            return max(1, round(times * AT_LEAST_NS / spent))
        times *= 4
