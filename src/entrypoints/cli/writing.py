"""Writes estimates as CSV, Parquet, JSON Lines or JSON: whole, or not at all."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from .portfolio import WRITTEN

Records = Sequence[Mapping[str, Any]]
Write = Callable[[Records], None]


@contextmanager
def written(path: Path) -> Iterator[Write]:
    """Takes records; the file gets its name at the end, and nothing is left of one that failed."""
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(21, "Is a folder, not a file", str(path))
    if target.exists() and not target.is_file():
        raise OSError(22, "Is a device or a pipe, not a file", str(path))
    aside = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        opened = aside.open("xb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with opened as file, WRITERS[path.suffix.lower()](file) as write:
            yield write
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _csv(file: BinaryIO) -> Iterator[Write]:
    rows = csv.writer(_Encoded(file), lineterminator="\n")
    rows.writerow(WRITTEN)

    def write(records: Records) -> None:
        rows.writerows(_joined(record).values() for record in records)

    yield write


@contextmanager
def _jsonl(file: BinaryIO) -> Iterator[Write]:
    def write(records: Records) -> None:
        for record in records:
            file.write(_json(record) + b"\n")

    yield write


@contextmanager
def _json_list(file: BinaryIO) -> Iterator[Write]:
    before = b"[\n"

    def write(records: Records) -> None:
        nonlocal before
        for record in records:
            file.write(before + _json(record))
            before = b",\n"

    yield write
    file.write(b"[]\n" if before == b"[\n" else b"\n]\n")


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = dict.fromkeys(("estimated_price", "lower", "upper", "price_per_sqm"), pa.int64())
    types = whole | {"fsd": pa.float64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in WRITTEN])
    with pq.ParquetWriter(file, schema) as writer:

        def write(records: Records) -> None:
            joined = [_joined(record) for record in records]
            writer.write_table(pa.Table.from_pylist(joined, schema=schema))

        yield write


WRITERS: Mapping[str, Callable[[BinaryIO], AbstractContextManager[Write]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _jsonl,
    ".json": _json_list,
}


class _Encoded:
    """What csv writes to, over a binary file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write(text.encode())


def _joined(record: Mapping[str, Any]) -> dict[str, Any]:
    """Codes joined by semicolons; none is null."""
    codes = {name: ";".join(record[name]) or None for name in ("warnings", "error")}
    return dict(record) | codes


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()
