"""A report of drift to store and to show."""

from datetime import UTC, date, datetime
from typing import Any

from attrs import evolve

from ree.domain.drift import Change, DriftReport, DriftVerdict, FeatureDrift
from ree.domain.turnover import Period

VERSION = "20260203-040506-deadbeef"
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
_TYPE = FeatureDrift(
    "realestate_type",
    DriftVerdict.WATCH,
    trained_on=5_000,
    sales=412,
    psi=0.125,
    distance=1 / 7,
    most_changed=Change("leilighet", 0.5, 0.375),
)
_LEVEL = FeatureDrift("price_level", DriftVerdict.STABLE, 5_000, 412, shift=-0.0125)
_REPORT = DriftReport(
    version=VERSION,
    trained_until=date(2025, 12, 31),
    period=JANUARY,
    digest="0123456789abcdef" * 4,
    checked_at=datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    verdict=DriftVerdict.WATCH,
    min_sales=300,
    features=(_TYPE, _LEVEL),
)


def drift_report(**changes: Any) -> DriftReport:
    """One that is to be watched, of January 2026."""
    return evolve(_REPORT, **changes)
