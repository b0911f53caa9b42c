"""Reads homes from CSV, Parquet, JSON Lines and the API's JSON, a batch at a time."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ...adapters.strict_json import MalformedJson, parse
from .portfolio import NUMERIC, Row, UnreadableFile, columns_fault, row

T = TypeVar("T")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")


def read_csv(path: Path, batch: int) -> Iterator[list[Row]]:
    """Separated by commas, UTF-8, with a header; an empty cell is absent."""
    return _batches(_csv_rows(path), batch)


def read_jsonl(path: Path, batch: int) -> Iterator[list[Row]]:
    """One JSON object a line; empty lines are passed over."""
    return _batches(_jsonl_rows(path), batch)


def read_json(path: Path, batch: int) -> Iterator[list[Row]]:
    """The API's object of property id -> features."""
    expected = "expected a JSON object of property id -> features"
    try:
        homes = parse(path.read_bytes())
    except MalformedJson as error:
        raise UnreadableFile(path, "", f"{expected}; {_reason(error)}") from None
    if not isinstance(homes, dict):
        raise UnreadableFile(path, "", expected)
    rows = (Row(number, *home) for number, home in enumerate(homes.items(), 1))
    yield from _batches(rows, batch)


def read_parquet(path: Path, batch: int) -> Iterator[list[Row]]:
    """Null is absent."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with path.open("rb") as opened:
        try:
            file = pq.ParquetFile(opened)
            if problem := columns_fault(file.schema_arrow.names):
                raise UnreadableFile(path, "", problem)
            for records in file.iter_batches(batch_size=batch):
                rows = [
                    row(number + order, given) for order, given in enumerate(records.to_pylist(), 1)
                ]
                number += len(rows)
                yield rows
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UnreadableFile(path, "", f"expected a Parquet file; {error}") from None


READERS: Mapping[str, Callable[[Path, int], Iterator[list[Row]]]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".jsonl": read_jsonl,
    ".json": read_json,
}


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        reader = csv.reader(_texts(path, file), strict=True)
        try:
            header = next(reader, [])
            if problem := columns_fault(header):
                raise UnreadableFile(path, "line 1", problem)
            number = 0
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    problem = f"expected {len(header)} cells, found {len(cells)}"
                    raise UnreadableFile(path, f"line {reader.line_num}", problem)
                number += 1
                yield row(number, {n: _cell(n, c) for n, c in zip(header, cells, strict=True)})
        except csv.Error as error:
            where = f"line {reader.line_num}"
            raise UnreadableFile(path, where, f"expected CSV; {error}") from None


def _jsonl_rows(path: Path) -> Iterator[Row]:
    number = 0
    with path.open("rb") as file:
        for line, text in enumerate(_texts(path, file), 1):
            if not text.strip():
                continue
            try:
                values = parse(text)
            except MalformedJson as error:
                problem = f"expected a JSON object; {_reason(error)}"
                raise UnreadableFile(path, f"line {line}", problem) from None
            if not isinstance(values, dict):
                raise UnreadableFile(path, f"line {line}", "expected a JSON object")
            number += 1
            yield row(number, values)


def _texts(path: Path, lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UnreadableFile(path, f"line {number}", "expected UTF-8 text") from None


def _cell(name: str, text: str) -> object:
    """What is not a number stays a text, which the rules refuse."""
    if not text:
        return None
    if name not in NUMERIC or not _NUMBER.fullmatch(text):
        return text
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _reason(error: MalformedJson) -> str:
    return str(error).removeprefix("The JSON ").replace("(line 1, ", "(").rstrip(".")


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch
