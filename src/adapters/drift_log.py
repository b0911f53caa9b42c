"""Reports of drift in object storage."""

from collections.abc import Iterator
from logging import getLogger

from attrs import field, frozen

from ..domain.drift import DriftReport
from ..domain.errors import StorageError
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectStore
from .seal import Seal

DRIFT = "drift/"
_log = getLogger(__name__)


class NotReadable(StorageError):
    """A report that is damaged, not signed by a trusted key, or at another one's place."""


@frozen
class ObjectDriftLog:
    """The DriftLog port; a report that was read is kept, since it never changes."""

    objects: ObjectStore
    seal: Seal = field(factory=Seal)
    _read: dict[str, DriftReport] = field(factory=dict, init=False, repr=False)

    def record(self, report: DriftReport) -> DriftReport:
        """Keep a report; one of the same version, period and digest is left, and returned."""
        key = _key(report)
        try:
            self.objects.create(key, codec.to_json(self.seal.close(codec.plain(report))))
        except ObjectExists:
            return self._report(key)
        return report

    def newest(self, version: str) -> DriftReport | None:
        """Of the period that ends last, of those that can be read; then the one made last."""
        reports = []
        for key in self.objects.keys(f"{DRIFT}{version}/"):
            try:
                reports.append(self._read.get(key) or self._report(key))
            except NotReadable as error:
                _log.warning("%s", error)
                continue
            self._read[key] = reports[-1]
        return max(reports, key=lambda report: (report.period.end, report.checked_at), default=None)

    def verify(self) -> Iterator[Finding]:
        """Every report, read anew."""
        for key in self.objects.keys(DRIFT):
            try:
                self._report(key)
            except NotReadable as error:
                yield Finding(key, Soundness.BROKEN, str(error))
            else:
                yield Finding(key)

    def _report(self, key: str) -> DriftReport:
        body = self.objects.get(key).body
        try:
            report = codec.structured(self.seal.open(body, key), DriftReport, key)
        except StorageError as error:
            raise NotReadable(str(error)) from error
        if _key(report) != key:
            raise NotReadable(f"The object {key} is the report {_key(report)}; restore it.")
        return report


def _key(report: DriftReport) -> str:
    return f"{DRIFT}{report.version}/{report.period}-{report.digest[:8]}.json"
