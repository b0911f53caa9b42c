"""The municipalities of Norway since 2024, and the numbers of 2019 and of 2020 to 2023.

Sources. Numbers and names of today: Kartverket (CC BY 4.0). Changes of 1 January 2020 (422
municipalities became 356) and of 1 January 2024 (357: the counties Viken, Vestfold og Telemark
and Troms og Finnmark were dissolved, and Haram left Ålesund): Statistics Norway, KLASS 131
(Standard for kommuneinndeling), and the ministry's lists of new numbers at regjeringen.no.

A number of 2019 leads straight to that of today. Three municipalities were split: Tysfjord (1850)
and Snillfjord (5012) in 2020, Ålesund (1507) in 2024. Adjustments of a boundary, where some homes
moved and the municipality stayed, are not in the table.
"""

import csv
from datetime import date
from functools import cache
from pathlib import Path

from ..domain.municipality import FormerMunicipality, Municipality, MunicipalityReference

_TABLE = Path(__file__).with_name("municipalities.csv")


@cache
def reference() -> MunicipalityReference:
    """What the table holds."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return MunicipalityReference(
        tuple(_current(row) for row in rows if not row["valid_until"]),
        tuple(_former(row) for row in rows if row["valid_until"]),
    )


def _current(row: dict[str, str]) -> Municipality:
    return Municipality(
        number=row["number"],
        name=row["name"],
        county_number=row["county_number"],
        county=row["county"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        valid_from=_day(row["valid_from"]),
    )


def _former(row: dict[str, str]) -> FormerMunicipality:
    return FormerMunicipality(
        number=row["number"],
        name=row["name"],
        county_number=row["county_number"],
        county=row["county"],
        valid_from=_day(row["valid_from"]),
        valid_until=date.fromisoformat(row["valid_until"]),
        successors=tuple(row["successors"].split()),
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
