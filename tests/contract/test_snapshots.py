"""What every snapshot store promises (ree.domain.ports.SnapshotStore)."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from attrs import asdict, define
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectStore
from ree.adapters.seal import Seal, generate_keys
from ree.adapters.snapshots import ObjectSnapshots
from ree.adapters.table import NumpyTable
from ree.domain.dataset import COLUMNS, DatasetManifest, MonthSnapshot, Sale
from ree.domain.errors import StorageError
from ree.domain.funnel import Funnel, Stage
from ree.domain.ports import SnapshotStore
from ree.domain.property import Property
from ree.domain.turnover import Period
from ree.domain.verification import Soundness

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, 28))
BOTH = Period(JANUARY.start, FEBRUARY.end)
HOUSE = Property("enebolig", "0301", 59.9, 10.7, 1987, 320.5, 181, None, 3, 5)
FLAT = Property("leilighet", "4601", 60.4, 5.3, 2003, 70, 66, -1, None, None)


@define
class SetClock:
    moment: datetime = datetime(2026, 3, 1, 6, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


def sale(number: int, home: Property = HOUSE, price: float = 4_500_000) -> Sale:
    return Sale(number, 10 * number, "2026-01-17T07:12:09.978Z", date(2026, 1, 17), price, home)


SALES = (sale(1), sale(2, FLAT, 3_999_999.5))


def funnel(rows: int) -> Funnel:
    return Funnel(
        (
            Stage("normalise", rows + 2, rows + 1, {"multi_unit": 1}),
            Stage("match_unit", rows + 1, rows + 1),
            Stage("match_property", rows + 1, rows, {"unmatched:property": 1}),
            Stage("merge", rows, rows),
            Stage("validate", rows, rows),
        )
    )


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def store(objects: ObjectStore, clock: SetClock) -> SnapshotStore:
    return ObjectSnapshots(objects, clock, "1.2.3")


def add(
    store: SnapshotStore, month: Period = JANUARY, sales: tuple[Sale, ...] = SALES
) -> MonthSnapshot:
    return store.add(
        month,
        sales,
        funnel(len(sales)),
        cadastral_unit_ids=len(sales) + 1,
        properties_matched=len(sales),
        dry_run=False,
    )


def add_dataset(
    store: SnapshotStore, months: list[MonthSnapshot], *, dry_run: bool = False
) -> DatasetManifest:
    sales = [sale for month in months for sale in store.sales(month)]
    dataset = NumpyTable().sales(sales)
    total = Funnel.total(month.funnel for month in months)
    return store.add_dataset(BOTH, dataset, total, months, dry_run=dry_run)


def everything(objects: ObjectStore) -> dict[str, bytes]:
    return {key: objects.get(key).body for key in objects.keys("")}


def read(objects: ObjectStore, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(objects.get(key).body)
    return found


# Months


def test_a_month_that_was_never_fetched_is_not_there(store: SnapshotStore) -> None:
    add(store, FEBRUARY)
    assert store.newest(JANUARY) is None


def test_a_fetch_is_read_back_as_it_was(store: SnapshotStore) -> None:
    snapshot = add(store)
    assert store.newest(JANUARY) == snapshot
    assert tuple(store.sales(snapshot)) == SALES


def test_the_newest_fetch_counts_and_the_older_ones_stay(
    objects: ObjectStore, store: SnapshotStore, clock: SetClock
) -> None:
    first = add(store)
    before = everything(objects)
    clock.moment += timedelta(microseconds=1)
    second = add(store, sales=SALES[:1])
    clock.moment -= timedelta(days=1)
    add(store, sales=())
    assert store.newest(JANUARY) == second
    assert tuple(store.sales(first)) == SALES
    assert before.items() <= everything(objects).items()


@pytest.mark.parametrize(
    ("fetched", "counts"),
    [
        (datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), True),
    ],
)
def test_a_fetch_counts_once_its_month_is_over_in_oslo(
    store: SnapshotStore, clock: SetClock, fetched: datetime, counts: bool
) -> None:
    clock.moment = fetched
    add(store)
    assert (store.newest(JANUARY) is not None) is counts


def test_a_part_of_a_month_is_not_the_month(store: SnapshotStore) -> None:
    part = add(store, Period(JANUARY.start, date(2026, 1, 10)))
    assert store.newest(part.period) == part
    assert store.newest(JANUARY) is None


def test_a_fetch_without_a_manifest_is_ignored(
    objects: ObjectStore,
    store: SnapshotStore,
    clock: SetClock,
    delete: Callable[[str], None],
) -> None:
    complete = add(store)
    clock.moment += timedelta(days=1)
    interrupted = add(store, sales=SALES[:1])
    delete(f"{interrupted.name}/manifest.json")
    assert store.newest(JANUARY) == complete


def test_the_same_fetch_twice_overwrites_nothing(
    objects: ObjectStore, store: SnapshotStore
) -> None:
    add(store)
    before = everything(objects)
    with pytest.raises(StorageError, match="never overwritten"):
        add(store)
    assert everything(objects) == before


def test_rows_are_stored_alike_in_whatever_order_they_came(
    store: SnapshotStore, clock: SetClock
) -> None:
    first = add(store)
    clock.moment += timedelta(days=1)
    assert add(store, sales=SALES[::-1]).digest == first.digest


def test_a_fetch_that_no_trusted_key_signed_counts_for_nothing(
    objects: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    private, public = generate_keys()
    unsigned = ObjectSnapshots(objects, SetClock(), "1.2.3")
    signed = ObjectSnapshots(objects, SetClock(), "1.2.3", Seal.of(private, [public]))
    old = add(unsigned)
    assert signed.newest(JANUARY) is None
    assert "is not signed" in caplog.text
    assert unsigned.newest(JANUARY) == old


def test_a_dataset_is_read_back_as_it_was(store: SnapshotStore) -> None:
    manifest = add_dataset(store, [add(store)])
    table, found = NumpyTable().sales(SALES), store.dataset(manifest)
    assert list(found.columns) == list(table.columns)
    for name, column in table.columns.items():
        assert found.columns[name].dtype == column.dtype
        assert np.array_equal(found.columns[name], column, equal_nan=column.dtype.kind == "f")


def test_every_object_is_verified_and_what_changed_is_named(
    store: SnapshotStore, overwrite: Callable[[str, bytes], None], objects: ObjectStore
) -> None:
    manifest = add_dataset(store, [add(store)])
    add(store, FEBRUARY)
    assert sorted(finding.subject for finding in store.verify()) == objects.keys("")
    assert all(finding.soundness is Soundness.SOUND for finding in store.verify())
    own = {finding.subject for finding in store.verify(manifest)}
    assert own == {key for key in objects.keys("") if str(FEBRUARY) not in key}
    for key in objects.keys(""):
        body = objects.get(key).body
        overwrite(key, body[:-2] + b"}\n" if body[-2:] != b"}\n" else body[:-2] + b"} ")
        broken = {f.subject for f in store.verify() if f.soundness is Soundness.BROKEN}
        assert key in broken
        overwrite(key, body)


@pytest.mark.parametrize(
    "damage", [lambda body: body[:-1], lambda body: body + body, lambda _: b""]
)
def test_changed_rows_are_refused(
    store: SnapshotStore,
    overwrite: Callable[[str, bytes], None],
    objects: ObjectStore,
    damage: Callable[[bytes], bytes],
) -> None:
    snapshot = add(store)
    key = f"{snapshot.name}/rows_raw.jsonl"
    overwrite(key, damage(objects.get(key).body))
    with pytest.raises(StorageError, match=r"rows_raw\.jsonl.*--force-fetch"):
        store.sales(snapshot)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"period": 3}'])
def test_a_corrupted_manifest_is_a_storage_error(
    store: SnapshotStore, overwrite: Callable[[str, bytes], None], body: bytes
) -> None:
    overwrite(f"{add(store).name}/manifest.json", body)
    with pytest.raises(StorageError, match=r"manifest\.json"):
        store.newest(JANUARY)


def test_a_months_manifest_tells_what_was_fetched(
    objects: ObjectStore, store: SnapshotStore
) -> None:
    snapshot = add(store)
    rows = objects.get(f"{snapshot.name}/rows_raw.jsonl").body
    manifest = read(objects, f"{snapshot.name}/manifest.json")
    assert manifest["period"] == {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert manifest["counts"] == {
        "turnovers_raw": 4,
        "turnovers_normalized": 3,
        "cadastral_unit_ids": 3,
        "properties_matched": 2,
        "rows_raw": 2,
        "rows_trainable": 2,
    }
    assert manifest["dropped_reasons"] == {"multi_unit": 1, "unmatched:property": 1}
    assert manifest["dry_run"] is False
    assert manifest["objects"] == {
        "rows_raw.jsonl": {"sha256": sha256(rows).hexdigest(), "size": len(rows)}
    }
    assert manifest["code_version"] == "1.2.3"
    assert isinstance(manifest["schema"], int)
    assert manifest["funnel"]["stages"][0]["name"] == "normalise"
    assert snapshot.name == (
        "snapshots/2026-01-01_2026-01-31/20260301T060000.000000Z-" + sha256(rows).hexdigest()[:8]
    )


numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 10**6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
homes = st.builds(
    Property,
    st.none() | texts,
    st.none() | texts | st.integers(0, 9999),
    *[numbers] * 8,
)
sales = st.builds(
    Sale,
    st.integers(1, 2**60),
    st.integers(1, 2**60),
    texts,
    st.dates(),
    st.floats(0, allow_infinity=False) | st.integers(1, 2**53),
    homes,
)


@settings(deadline=None)
@given(st.lists(sales, max_size=4))
def test_rows_round_trip_exactly(rows: list[Sale]) -> None:
    store = ObjectSnapshots(MemoryObjects(), SetClock(), "1.2.3")
    read_back = store.sales(add(store, sales=tuple(rows)))
    assert sorted(map(repr, map(asdict, read_back))) == sorted(map(repr, map(asdict, rows)))


# Datasets


def test_a_dataset_is_kept_once_for_the_same_months(
    objects: ObjectStore, store: SnapshotStore, clock: SetClock
) -> None:
    months = [add(store), add(store, FEBRUARY, SALES[:1])]
    first = add_dataset(store, months, dry_run=True)
    before = everything(objects)
    clock.moment += timedelta(days=1)
    assert add_dataset(store, months) == first
    assert everything(objects) == before
    assert read(objects, f"{first.name}/manifest.json")["dry_run"] is True


def test_another_fetch_with_other_rows_makes_another_dataset(
    objects: ObjectStore, store: SnapshotStore, clock: SetClock
) -> None:
    first = add_dataset(store, [add(store)])
    before = everything(objects)
    clock.moment += timedelta(days=1)
    other = add_dataset(store, [add(store, sales=SALES[:1])])
    assert other.name != first.name
    assert before.items() <= everything(objects).items()


def test_a_dataset_whose_writer_was_killed_is_completed(
    objects: ObjectStore, store: SnapshotStore, delete: Callable[[str], None]
) -> None:
    months = [add(store)]
    manifest = add_dataset(store, months)
    before = everything(objects)
    delete(f"{manifest.name}/manifest.json")
    assert add_dataset(store, months) == manifest
    assert everything(objects) == before


def test_a_dataset_that_changed_is_not_used_again(
    objects: ObjectStore, store: SnapshotStore, delete: Callable[[str], None]
) -> None:
    months = [add(store)]
    key = f"{add_dataset(store, months).name}/dataset.parquet"
    body = objects.get(key).body
    delete(key)
    with pytest.raises(StorageError, match=r"dataset\.parquet"):
        add_dataset(store, months)
    objects.create(key, body[:-1])
    with pytest.raises(StorageError, match="changed since it was written"):
        add_dataset(store, months)


def test_a_dataset_that_other_rules_made_is_not_taken_for_this_one(store: SnapshotStore) -> None:
    months = [add(store)]
    add_dataset(store, months)
    fewer = NumpyTable().sales(SALES[:1])
    with pytest.raises(StorageError, match="the rules changed"):
        store.add_dataset(BOTH, fewer, funnel(1), months, dry_run=False)


def test_a_datasets_manifest_tells_how_it_came_about(
    objects: ObjectStore, store: SnapshotStore
) -> None:
    months = [add(store), add(store, FEBRUARY, SALES[:1])]
    dataset = add_dataset(store, months)
    parquet = objects.get(f"{dataset.name}/dataset.parquet").body
    manifest = read(objects, f"{dataset.name}/manifest.json")
    assert manifest["period"] == {"start_date": "2026-01-01", "end_date": "2026-02-28"}
    assert manifest["counts"] == {
        "turnovers_raw": 7,
        "turnovers_normalized": 5,
        "cadastral_unit_ids": 5,
        "properties_matched": 3,
        "rows_raw": 3,
        "rows_trainable": 3,
    }
    assert manifest["dropped_reasons"] == {"multi_unit": 2, "unmatched:property": 2}
    assert manifest["objects"] == {
        "dataset.parquet": {"sha256": sha256(parquet).hexdigest(), "size": len(parquet)}
    }
    assert [month["name"] for month in manifest["snapshots"]] == [month.name for month in months]
    assert dataset.name == f"datasets/2026-01-01_2026-02-28/{dataset.digest[:8]}"


def test_a_dataset_can_be_read_by_others_and_missing_is_null(
    objects: ObjectStore, store: SnapshotStore
) -> None:
    dataset = add_dataset(store, [add(store)])
    table = pq.read_table(BytesIO(objects.get(f"{dataset.name}/dataset.parquet").body))
    assert table.column_names == list(COLUMNS)
    columns = table.to_pydict()
    assert columns["price"] == [4_500_000, 3_999_999.5]
    assert columns["day"] == [date(2026, 1, 17).toordinal()] * 2
    assert columns["municipality_number"] == [301, 4601]
    assert columns["floor"] == [None, -1]
    assert columns["bedrooms"] == [3, None]
    assert table["floor"].null_count == 1
