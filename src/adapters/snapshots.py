"""Fetched months and datasets in object storage."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from logging import getLogger
from typing import Any

import msgspec
from attrs import asdict, field, frozen

from ..domain.dataset import Dataset, DatasetManifest, MonthSnapshot, Sale, counts
from ..domain.errors import StorageError
from ..domain.funnel import Funnel
from ..domain.ports import Clock
from ..domain.property import Property
from ..domain.turnover import Period, day_in_oslo
from ..domain.verification import Finding, Soundness
from . import codec
from .objects import ObjectExists, ObjectMissing, ObjectStore, digest
from .parquet import dataset_parquet, parquet_dataset
from .seal import NotTrusted, Seal

SCHEMA = 3
ROWS = "rows_raw.jsonl"
DATASET = "dataset.parquet"
MANIFEST = "manifest.json"
_log = getLogger(__name__)


@frozen
class ObjectSnapshots:
    """The SnapshotStore port; the manifest is written last and makes the rest count."""

    objects: ObjectStore
    clock: Clock
    code_version: str
    seal: Seal = field(factory=Seal)

    def newest(self, month: Period) -> MonthSnapshot | None:
        """The newest complete fetch that was made after the month's last day.

        One that no trusted key signed counts for nothing, so that the month is fetched again.
        """
        suffix = f"/{MANIFEST}"
        keys = [key for key in self.objects.keys(f"snapshots/{month}/") if key.endswith(suffix)]
        for key in reversed(keys):
            try:
                snapshot = self._month(key)
            except NotTrusted as error:
                _log.warning("%s It is fetched again.", error)
                continue
            if day_in_oslo(snapshot.fetched_at) > month.end:
                return snapshot
        return None

    def add(
        self,
        month: Period,
        sales: Sequence[Sale],
        funnel: Funnel,
        *,
        cadastral_unit_ids: int,
        properties_matched: int,
        dry_run: bool,
    ) -> MonthSnapshot:
        """Keep a fetch, beside those that are there."""
        body = b"".join(_line(sale) + b"\n" for sale in sorted(sales, key=_order))
        fetched_at = self.clock.now().astimezone(UTC)
        rows_digest = digest(body)
        snapshot = MonthSnapshot(
            f"snapshots/{month}/{fetched_at:%Y%m%dT%H%M%S.%fZ}-{rows_digest[:8]}",
            month,
            fetched_at,
            rows_digest,
            funnel,
            cadastral_unit_ids,
            properties_matched,
        )
        manifest = self._manifest(snapshot, {ROWS: body}, dry_run)
        self.objects.create(f"{snapshot.name}/{ROWS}", body)
        self.objects.create(f"{snapshot.name}/{MANIFEST}", manifest)
        return snapshot

    def sales(self, snapshot: MonthSnapshot) -> Sequence[Sale]:
        """The rows of a fetch; StorageError if they changed since."""
        key = f"{snapshot.name}/{ROWS}"
        body = self.objects.get(key).body
        if digest(body) != snapshot.digest:
            raise StorageError(
                f"The object {key} is not what was fetched (its SHA-256 differs). "
                "Restore it, or fetch the month again with --force-fetch."
            )
        return [_sale(line) for line in body.splitlines()]

    def add_dataset(
        self,
        period: Period,
        dataset: Dataset,
        funnel: Funnel,
        snapshots: Sequence[MonthSnapshot],
        *,
        dry_run: bool,
    ) -> DatasetManifest:
        """Keep a dataset under its months' digests; one that is there is left as it is."""
        months = [[str(snapshot.period), snapshot.digest] for snapshot in snapshots]
        months_digest = digest(msgspec.json.encode([SCHEMA, *months]))
        manifest = DatasetManifest(
            f"datasets/{period}/{months_digest[:8]}",
            period,
            months_digest,
            funnel,
            sum(snapshot.cadastral_unit_ids for snapshot in snapshots),
            sum(snapshot.properties_matched for snapshot in snapshots),
            tuple(snapshots),
        )
        return self._dataset(manifest, dataset) or self._create(manifest, dataset, dry_run)

    def _create(
        self, manifest: DatasetManifest, dataset: Dataset, dry_run: bool
    ) -> DatasetManifest:
        body = dataset_parquet(dataset)
        closed = self._manifest(manifest, {DATASET: body}, dry_run)
        try:
            self.objects.create(f"{manifest.name}/{DATASET}", body)
        except ObjectExists:
            body = self.objects.get(f"{manifest.name}/{DATASET}").body
            closed = self._manifest(manifest, {DATASET: body}, dry_run)
        try:
            self.objects.create(f"{manifest.name}/{MANIFEST}", closed)
        except ObjectExists:
            return self._dataset(manifest, dataset) or manifest
        return manifest

    def dataset(self, manifest: DatasetManifest) -> Dataset:
        """The rows of a dataset, as they were; StorageError."""
        return parquet_dataset(
            self._table(manifest.name, self._open(f"{manifest.name}/{MANIFEST}"))
        )

    def verify(self, of: DatasetManifest | None = None) -> Iterator[Finding]:
        """Every object of one dataset and its months, or of all that are there."""
        keys = sorted(self.objects.keys("snapshots/") + self.objects.keys("datasets/"))
        if of is not None:
            names = [of.name, *(month.name for month in of.snapshots)]
            keys = [f"{name}/{MANIFEST}" for name in names]
        for key in keys:
            if key.endswith(f"/{MANIFEST}"):
                yield from self._verify(key)

    def _verify(self, key: str) -> Iterator[Finding]:
        try:
            stored = self._open(key)
        except StorageError as error:
            yield Finding(key, Soundness.BROKEN, str(error))
            return
        yield Finding(key)
        for name, told in stored["objects"].items():
            own = f"{key.removesuffix(MANIFEST)}{name}"
            try:
                body = self.objects.get(own).body
            except ObjectMissing as error:
                yield Finding(own, Soundness.BROKEN, str(error))
                continue
            if digest(body) == told["sha256"]:
                yield Finding(own)
            else:
                yield Finding(own, Soundness.BROKEN, f"its SHA-256 is not what {MANIFEST} names")

    def _dataset(self, manifest: DatasetManifest, dataset: Dataset) -> DatasetManifest | None:
        key = f"{manifest.name}/{MANIFEST}"
        try:
            stored = self._open(key)
        except ObjectMissing:
            return None
        found = codec.structured(stored, DatasetManifest, key)
        self._table(manifest.name, stored)
        if counts(found)["rows_trainable"] != len(dataset):
            raise StorageError(
                f"{manifest.name} holds {counts(found)['rows_trainable']} rows, but its months now "
                f"give {len(dataset)}: the rules changed. Raise SCHEMA in ree.adapters.snapshots."
            )
        return found

    def _table(self, name: str, stored: dict[str, Any]) -> bytes:
        key = f"{name}/{DATASET}"
        body = self.objects.get(key).body
        if digest(body) != stored.get("objects", {}).get(DATASET, {}).get("sha256"):
            raise StorageError(f"The object {key} changed since it was written; restore it.")
        return body

    def _month(self, key: str) -> MonthSnapshot:
        return codec.structured(self._open(key), MonthSnapshot, key)

    def _open(self, key: str) -> dict[str, Any]:
        return self.seal.open(self.objects.get(key).body, key)

    def _manifest(
        self, manifest: MonthSnapshot | DatasetManifest, bodies: dict[str, bytes], dry_run: bool
    ) -> bytes:
        plain: dict[str, Any] = codec.plain(manifest)
        plain |= {
            "counts": counts(manifest),
            "dropped_reasons": manifest.funnel.dropped,
            "dry_run": dry_run,
            "objects": {
                name: {"sha256": digest(body), "size": len(body)} for name, body in bodies.items()
            },
            "schema": SCHEMA,
            "code_version": self.code_version,
        }
        return codec.to_json(self.seal.close(plain))


def _order(sale: Sale) -> tuple[Any, ...]:
    return sale.day, sale.property_id, sale.cadastral_unit_id, sale.turnover_date, sale.price


def _line(sale: Sale) -> bytes:
    row = asdict(sale, recurse=False)
    home = asdict(row.pop("home"))
    known = {name: value for name, value in home.items() if value is not None}
    return msgspec.json.encode(row | known, order="sorted")


def _sale(line: bytes) -> Sale:
    row = msgspec.json.decode(line)
    own = {name: row.pop(name) for name in _OWN}
    own["day"] = datetime.fromisoformat(own["day"]).date()
    return Sale(**own, home=Property(**row))


_OWN = ("property_id", "cadastral_unit_id", "turnover_date", "day", "price")
