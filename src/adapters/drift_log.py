"""Reports of drift in object storage."""

from collections.abc import Iterator

from attrs import Factory, field, frozen

from ..domain.drift import DriftReport
from ..domain.verification import Finding
from .objects import ObjectStore
from .records import Records
from .seal import Seal

DRIFT = "drift/"


@frozen
class ObjectDriftLog:
    """The DriftLog port."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)
    _records: Records[DriftReport] = field(
        default=Factory(
            lambda self: Records(self.objects, self.seal, DRIFT, DriftReport, _key),
            takes_self=True,
        ),
        init=False,
    )

    def record(self, report: DriftReport) -> DriftReport:
        """Keep a report; one of the same version, period and digest is left, and returned."""
        return report if self._records.create(report) else self._records.read(_key(report))

    def newest(self, version: str) -> DriftReport | None:
        """Of the period that ends last, of those that can be read; then the one made last."""
        return max(
            self._records.readable(f"{version}/"),
            key=lambda report: (report.period.end, report.checked_at),
            default=None,
        )

    def verify(self) -> Iterator[Finding]:
        """Every report."""
        return self._records.verify()


def _key(report: DriftReport) -> str:
    return f"{DRIFT}{report.version}/{report.period}-{report.digest[:8]}.json"
