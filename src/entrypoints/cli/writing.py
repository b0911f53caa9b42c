"""Writes estimates as CSV, Parquet, JSON Lines or JSON: whole, or not at all."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from .portfolio import CONTRIBUTIONS

Columns = Sequence[str]
Records = Sequence[Mapping[str, Any]]
Write = Callable[[Records], None]


@contextmanager
def written(path: Path, columns: Columns) -> Iterator[Write]:
    """Takes records; the file is `replaced`. *columns* are those of a table."""
    with replaced(path) as file, WRITERS[path.suffix.lower()](file, columns) as write:
        yield write


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name at the end, and of which nothing is left if it fails; OSError."""
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
        with opened as file:
            yield file
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _csv(file: BinaryIO, columns: Columns) -> Iterator[Write]:
    rows = csv.DictWriter(_Encoded(file), columns, lineterminator="\n")
    rows.writeheader()

    def write(records: Records) -> None:
        rows.writerows(_flat(record) for record in records)

    yield write


@contextmanager
def _jsonl(file: BinaryIO, _: Columns) -> Iterator[Write]:
    def write(records: Records) -> None:
        for record in records:
            file.write(_json(record) + b"\n")

    yield write


@contextmanager
def _json_list(file: BinaryIO, _: Columns) -> Iterator[Write]:
    before = b"[\n"

    def write(records: Records) -> None:
        nonlocal before
        for record in records:
            file.write(before + _json(record))
            before = b",\n"

    yield write
    file.write(b"[]\n" if before == b"[\n" else b"\n]\n")


@contextmanager
def _parquet(file: BinaryIO, columns: Columns) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = ("estimated_price", "lower", "upper", "price_per_sqm", "base", *CONTRIBUTIONS)
    types = dict.fromkeys(whole, pa.int64()) | {"fsd": pa.float64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in columns])
    with pq.ParquetWriter(file, schema) as writer:

        def write(records: Records) -> None:
            flat = [_flat(record) for record in records]
            writer.write_table(pa.Table.from_pylist(flat, schema=schema))

        yield write


WRITERS: Mapping[str, Callable[[BinaryIO, Columns], AbstractContextManager[Write]]] = {
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


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """As a row of a table: codes joined by semicolons, comparable sales as JSON; none is null."""
    flat = dict(record) | {name: ";".join(record[name]) or None for name in ("warnings", "error")}
    if "base" in record:
        contributions = flat.pop("contributions") or {}
        flat |= {column: contributions.get(name) for column, name in CONTRIBUTIONS.items()}
        if record["comparables"] is not None:
            flat["comparables"] = _json(record["comparables"]).decode()
    return flat


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=date.isoformat).encode()
