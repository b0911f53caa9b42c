"""The row rules, each written once.

A rule looks at a row: a mapping from field to value, where a value is a number (one home) or an
array of numbers (a column). So it uses only comparisons, & and |. Missing is NaN, for which every
comparison but != is false; types and municipalities are codes, with -1 for what is not known.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from attrs import frozen


class Column(Protocol):
    """A number or an array of numbers; what a comparison gives can be joined with & and |."""

    def __lt__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...


Row = Mapping[str, Any]


@frozen
class Fault:
    """What is wrong with one field of one home."""

    field: str
    code: str
    message: str


@frozen
class Rule:
    """One check; *broken* answers with a bool for a home, with an array for a column."""

    code: str
    field: str
    message: str
    broken: Callable[[Row], Any]


REQUIRED = (
    "built_year",
    "lat",
    "lon",
    "municipality_number",
    "realestate_type",
    "total_area",
    "usable_area",
)
REQUIRED_TO_TRAIN = tuple(sorted((*REQUIRED, "price")))
LEILIGHET = 3
COMMERCIAL = 5


def missing(value: Column) -> Any:
    """NaN is the only value that differs from itself."""
    return value != value


def outside(value: Column, low: float, high: float) -> Any:
    """Below or above the inclusive bounds; a missing value is neither."""
    return (value < low) | (value > high)


def _bounds(field: str, low: float, high: float, unit: str = "") -> Rule:
    return Rule(
        f"invalid:{field}",
        field,
        f"must lie between {low:,} and {high:,}{unit}",
        lambda row: outside(row[field], low, high),
    )


PROPERTY_RULES = (
    Rule(
        "missing:floor_for_leilighet",
        "floor",
        "is needed for a leilighet",
        lambda row: (row["realestate_type"] == LEILIGHET) & missing(row["floor"]),
    ),
    Rule(
        "invalid:realestate_type",
        "realestate_type",
        "must be enebolig, tomannsbolig, rekkehus, leilighet or hytte",
        lambda row: outside(row["realestate_type"], 0, COMMERCIAL),
    ),
    Rule(
        "unsupported:realestate_type",
        "realestate_type",
        "næringseiendom (commercial property) is not valued",
        lambda row: row["realestate_type"] == COMMERCIAL,
    ),
    Rule(
        "invalid:municipality_number",
        "municipality_number",
        "must be four digits, as 0301 for Oslo",
        lambda row: outside(row["municipality_number"], 1, 9999),
    ),
    Rule(
        "invalid:latlon",
        "lat,lon",
        "must be degrees, lat between -90 and 90 and lon between -180 and 180",
        lambda row: outside(row["lat"], -90, 90) | outside(row["lon"], -180, 180),
    ),
    Rule(
        "invalid:built_year",
        "built_year",
        "must lie between 1600 and two years after the sale or valuation",
        lambda row: (row["built_year"] < 1600) | (row["built_year"] > row["year"] + 2),
    ),
    _bounds("usable_area", 5, 5_000, " m2"),
    _bounds("total_area", 5, 1_000_000, " m2"),
    Rule(
        "invalid:total_area_lt_bra",
        "total_area",
        "must not be smaller than the usable area",
        lambda row: row["total_area"] < row["usable_area"],
    ),
    _bounds("floor", -20, 100),
    _bounds("bedrooms", 0, 100),
    _bounds("rooms", 0, 200),
)
TRAINING_RULES = (
    *PROPERTY_RULES,
    Rule(
        "outlier:price_per_sqm",
        "price",
        "must lie between 1,000 and 1,000,000 NOK per m2 of usable area",
        lambda row: (
            (row["price"] < 1_000 * row["usable_area"])
            | (row["price"] > 1_000_000 * row["usable_area"])
        ),
    ),
)


def missing_code(fields: Iterable[str]) -> str:
    """One code for all the fields that a row lacks."""
    return "missing:" + ",".join(sorted(fields))


def flawed(row: Row) -> Any:
    """Whether a home lacks a field that it needs or breaks a rule; of a column, which homes do."""
    found = missing(row[REQUIRED[0]])
    for field in REQUIRED[1:]:
        found = found | missing(row[field])
    for rule in PROPERTY_RULES:
        found = found | rule.broken(row)
    return found


def faults(row: Row) -> tuple[Fault, ...]:
    """Everything that is wrong with one home, in the order of the rules."""
    absent = [field for field in REQUIRED if missing(row[field])]
    found = [
        Fault(rule.field, rule.code, rule.message) for rule in PROPERTY_RULES if rule.broken(row)
    ]
    if absent:
        found.insert(0, Fault(",".join(absent), missing_code(absent), "must be given"))
    return tuple(found)


def sort_out(columns: Row) -> tuple[Any, dict[str, int]]:
    """Which rows can be trained on (a mask), and how many fail under which code first."""
    absent = missing(columns["price"])
    sound = absent | ~absent  # every row, in the shape of a column
    counts: dict[str, int] = {}
    for fields, rows in _by_missing(columns, sound):
        if fields:
            counts[missing_code(fields)] = int(rows.sum())
            sound = sound & ~rows
    for rule in TRAINING_RULES:
        broken = rule.broken(columns) & sound
        if broken.any():
            counts[rule.code] = int(broken.sum())
            sound = sound & ~broken
    return sound, counts


def _by_missing(columns: Row, rows: Any) -> list[tuple[tuple[str, ...], Any]]:
    """The rows grouped by exactly which required fields they lack."""
    groups: list[tuple[tuple[str, ...], Any]] = [((), rows)]
    for field in REQUIRED_TO_TRAIN:
        absent = missing(columns[field])
        split = [((*fields, field), mask & absent) for fields, mask in groups]
        split += [(fields, mask & ~absent) for fields, mask in groups]
        groups = [(fields, mask) for fields, mask in split if mask.any()]
    return groups
