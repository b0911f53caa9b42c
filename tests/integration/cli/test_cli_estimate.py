import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from ree.domain.explanation import GROUPS

Ree = Callable[..., Result]
FORMATS = ("csv", "parquet", "jsonl", "json")
COLUMNS = [
    "property_id", "estimated_price", "lower", "upper", "price_per_sqm", "fsd", "confidence",
    "model_version", "warnings", "error",
]  # fmt: skip
HOUSE = {
    "realestate_type": "enebolig", "municipality_number": 4003, "lat": 59.21, "lon": 9.584,
    "built_year": 2016, "total_area": 472.8, "bra": 167, "bedrooms": 2, "rooms": 4,
}  # fmt: skip
FLAT = {
    "realestate_type": "leilighet", "municipality_number": 301, "lat": 59.922, "lon": 10.759,
    "built_year": 1936, "total_area": 68, "bra": 62, "floor": 3,
}  # fmt: skip
NO_FLOOR = {name: value for name, value in FLAT.items() if name != "floor"}
HOMES: Mapping[str, Mapping[str, Any]] = {"9001": HOUSE, "9002": NO_FLOOR, "9003": FLAT}
DAY = ("--valuation-date", "2025-05-02")


def records(homes: Mapping[str, Mapping[str, Any]] = HOMES) -> list[dict[str, Any]]:
    return [{"property_id": name, **home} for name, home in homes.items()]


def put(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows in the format that the suffix says."""
    if path.suffix == ".json":
        homes = [dict(row) for row in rows]
        path.write_text(json.dumps({home.pop("property_id"): home for home in homes}))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(filled(rows)), path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, filled(rows)[0].keys())
            writer.writeheader()
            writer.writerows(filled(rows))
    return str(path)


def filled(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def got(path: Path) -> list[dict[str, Any]]:
    """What was written, codes as lists, nothing as None."""
    if path.suffix == ".json":
        rows = json.loads(path.read_text())
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    elif path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    else:
        with path.open(newline="") as file:
            rows = [{n: v or None for n, v in row.items()} for row in csv.DictReader(file)]
    for row in rows:
        for name in ("warnings", "error"):
            if not isinstance(row[name], list):
                row[name] = row[name].split(";") if row[name] else []
        row["fsd"] = None if row["fsd"] is None else float(row["fsd"])
        for name in ("estimated_price", "lower", "upper", "price_per_sqm"):
            row[name] = None if row[name] is None else int(row[name])
    return list(rows)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_every_format_in_every_format_out(
    ree: Ree, published: Path, tmp_path: Path, source: str, target: str
) -> None:
    file, output = tmp_path / f"homes.{source}", tmp_path / f"prices.{target}"
    result = ree("estimate", put(file, records()), "--output", str(output), *DAY)
    assert result.exit_code == 0, result.output
    rows = got(output)
    assert [list(row) for row in rows] == [COLUMNS] * 3
    assert [row["property_id"] for row in rows] == list(HOMES)
    assert [row["error"] for row in rows] == [[], ["missing:floor_for_leilighet"], []]
    assert rows[1]["estimated_price"] is None
    for row, home in ((rows[0], HOUSE), (rows[2], FLAT)):
        assert row["estimated_price"] > 100_000
        assert abs(row["price_per_sqm"] - row["estimated_price"] / home["bra"]) <= 0.5
        assert row["model_version"]
        assert row["lower"] < row["estimated_price"] < row["upper"]
        assert 0 < row["fsd"] < 1
        assert row["confidence"] in ("high", "medium", "low")
    assert "1 of 3 homes refused: missing:floor_for_leilighet 1." in result.stderr


def test_all_formats_give_the_same_prices(ree: Ree, published: Path, tmp_path: Path) -> None:
    prices = set()
    for source in FORMATS:
        file, output = tmp_path / f"homes.{source}", tmp_path / "out.jsonl"
        ree("estimate", put(file, records()), "--output", str(output), *DAY)
        prices.add(tuple(row["estimated_price"] for row in got(output)))
    assert len(prices) == 1


def test_explanations_are_written_in_every_format(
    ree: Ree, published: Path, tmp_path: Path
) -> None:
    file = put(tmp_path / "homes.json", records())
    told = {}
    for target in FORMATS:
        output = tmp_path / f"prices.{target}"
        assert ree("estimate", file, "--output", str(output), *DAY, "--explain").exit_code == 0
        told[target] = [explained(row) for row in got(output)]
    assert told["csv"] == told["parquet"] == told["jsonl"] == told["json"]
    first, refused, last = told["json"]
    assert refused == (None, None, {}, None)
    for price, base, contributions, comparables in (first, last):
        assert list(contributions) == list(GROUPS)
        assert base + sum(contributions.values()) == price
        assert len(comparables) == 5
        for comparable in comparables:
            assert "2025-01-01" <= comparable["sold_on"] <= "2025-04-30"
            assert comparable["distance_km"] >= 0
            assert -90 <= comparable["lat"] <= 90
            assert -180 <= comparable["lon"] <= 180
    assert first[1] == last[1]


def explained(row: dict[str, Any]) -> tuple[Any, Any, dict[str, int], Any]:
    """The price, the base, contributions and comparables; of a table, as its columns tell them."""
    columns = [name for name in row if name.startswith("contribution_")]
    if not columns:
        assert list(row)[-3:] == ["base", "contributions", "comparables"]
        return row["estimated_price"], row["base"], row["contributions"] or {}, row["comparables"]
    assert columns == [f"contribution_{name}" for name in GROUPS]
    assert list(row)[-8:] == ["base", *columns, "comparables"]
    names = {name: row[name] for name in columns if row[name] is not None}
    contributions = {name.partition("_")[2]: int(value) for name, value in names.items()}
    base, comparables = row["base"], row["comparables"]
    return (
        row["estimated_price"],
        base if base is None else int(base),
        contributions,
        None if comparables is None else json.loads(comparables),
    )


def test_a_stub_tells_nothing_apart(ree: Ree, tmp_path: Path) -> None:
    ree("models", "bootstrap")
    file = put(tmp_path / "h.json", records())
    for target in FORMATS:
        ree("estimate", file, "--output", f"out.{target}", *DAY, "--explain")
        for price, base, contributions, comparables in map(
            explained, got(tmp_path / f"out.{target}")
        ):
            assert (base, contributions) == (price, {})
            assert comparables == (None if price is None else [])


def test_a_document_tells_what_was_done(ree: Ree, published: Path, tmp_path: Path) -> None:
    file, output = put(tmp_path / "homes.json", records()), str(tmp_path / "out.csv")
    result = ree("estimate", file, "--output", output, *DAY, "--json")
    told = json.loads(result.stdout)
    assert told | {"model_version": ""} == {
        "input": file,
        "output": output,
        "rows": 3,
        "estimated": 2,
        "refused": 1,
        "errors": {"missing:floor_for_leilighet": 1},
        "warnings": {},
        "model_version": "",
        "valuation_date": "2025-05-02",
    }


def test_a_file_larger_than_a_batch(ree: Ree, published: Path, tmp_path: Path) -> None:
    rows = [{"property_id": f"p{order}", **HOUSE} for order in range(7)]
    for source in ("csv", "parquet", "jsonl", "json"):
        for target in ("csv", "parquet", "json"):
            file, output = tmp_path / f"homes.{source}", tmp_path / f"prices.{target}"
            done = ree(
                "estimate", put(file, rows), "--output", str(output), *DAY, REE_MAX_BATCH="3"
            )
            assert done.exit_code == 0
            assert [row["property_id"] for row in got(output)] == [f"p{n}" for n in range(7)]


def test_a_file_is_priced_by_one_version(
    ree: Ree, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ree.adapters.registry import ObjectRegistry

    looked = []
    active = ObjectRegistry.active

    def counted(registry: ObjectRegistry) -> Any:
        looked.append(1)
        return active(registry)

    monkeypatch.setattr(ObjectRegistry, "active", counted)
    file = put(tmp_path / "homes.jsonl", [{"property_id": str(n), **HOUSE} for n in range(6)])
    ree("estimate", file, "--output", "out.csv", *DAY, REE_MAX_BATCH="1")
    assert len(looked) == 1


def test_property_ids_are_rows_not_keys(ree: Ree, published: Path, tmp_path: Path) -> None:
    file = put(tmp_path / "homes.csv", [{"property_id": "a", **HOUSE}] * 3)
    ree("estimate", file, "--output", "out.json", *DAY)
    assert [row["property_id"] for row in got(tmp_path / "out.json")] == ["a"] * 3


def test_a_row_may_have_its_own_date(ree: Ree, published: Path, tmp_path: Path) -> None:
    dates = ["2025-05-02", None, "2030-01-01", "2025-5-2", "02.05.2025"]
    rows = [{"property_id": str(n), **HOUSE, "valuation_date": d} for n, d in enumerate(dates)]
    for source in ("csv", "parquet", "jsonl"):
        ree("estimate", put(tmp_path / f"h.{source}", rows), "--output", "out.json", *DAY)
        first, second, *others = got(tmp_path / "out.json")
        assert first["estimated_price"] == second["estimated_price"]
        assert [row["error"] for row in others] == [
            ["out_of_domain:valuation_date"],
            ["invalid:valuation_date"],
            ["invalid:valuation_date"],
        ]


def test_the_date_is_today_by_default(ree: Ree, published: Path, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from ree.domain.turnover import day_in_oslo

    file = put(tmp_path / "homes.json", records())
    result = ree("estimate", file, "--output", "out.csv", "--json", REE_VALUATION_MAX_MONTHS="1200")
    today = day_in_oslo(datetime.now(UTC))
    assert json.loads(result.stdout)["valuation_date"] == str(today)


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("12", []),
        ("12.5", []),
        ("1e1", []),
        ("+12", []),
        ("", []),
        ("12,5", ["invalid_type:rooms"]),
        ("0x1", ["invalid_type:rooms"]),
        ("inf", ["invalid_type:rooms"]),
        ("nan", ["invalid_type:rooms"]),
        ("\uff11\uff12", ["invalid_type:rooms"]),
        ("1_000", ["invalid_type:rooms"]),
        (" 4", ["invalid_type:rooms"]),
        ("true", ["invalid_type:rooms"]),
        ("1e999", ["not_finite:rooms"]),
        ("201", ["invalid:rooms"]),
    ],
)
def test_a_cell_is_read_strictly(
    ree: Ree, published: Path, tmp_path: Path, cell: str, codes: list[str]
) -> None:
    file = put(tmp_path / "homes.csv", [{"property_id": "a", **HOUSE, "rooms": cell}])
    ree("estimate", file, "--output", "out.json", *DAY)
    assert got(tmp_path / "out.json")[0]["error"] == codes


@pytest.mark.parametrize("number", ["301", "0301", 301])
def test_municipalities_with_and_without_zeros(
    ree: Ree, published: Path, tmp_path: Path, number: object
) -> None:
    home = {"property_id": "a", **FLAT, "municipality_number": number}
    for source in ("csv", "parquet", "jsonl"):
        ree("estimate", put(tmp_path / f"h.{source}", [home]), "--output", "out.json", *DAY)
        assert got(tmp_path / "out.json")[0]["error"] == []


@pytest.mark.parametrize("number", [806, "0806", 3807])
def test_a_number_of_before_is_valued_under_that_of_today(
    ree: Ree, published: Path, tmp_path: Path, number: object
) -> None:
    homes = [
        {"property_id": "old", **HOUSE, "municipality_number": number},
        {"property_id": "new", **HOUSE, "municipality_number": type(number)(4003)},
    ]
    for source in ("csv", "parquet", "jsonl", "json"):
        file = put(tmp_path / f"h.{source}", homes)
        result = ree("estimate", file, "--output", "out.json", *DAY)
        old, new = got(tmp_path / "out.json")
        assert old["warnings"] == [*new["warnings"], "renumbered:municipality_number"]
        assert old["estimated_price"] == new["estimated_price"] > 0
        assert "warning renumbered:municipality_number: 1" in result.stdout


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ({"property_id": "a"}, ["missing:built_year,lat,lon,municipality_number,"
                                "realestate_type,total_area,usable_area"]),
        ({**HOUSE}, ["invalid:property_id"]),
        ({"property_id": 12, **HOUSE}, []),
        ({"property_id": 1.5, **HOUSE}, ["invalid_type:property_id"]),
        ({"property_id": "\ud800", **HOUSE}, ["invalid:property_id"]),
        ({"property_id": "a", **HOUSE, "colour": "red"}, ["unknown:colour"]),
        ({"property_id": "a", **HOUSE, "rooms": True}, ["invalid_type:rooms"]),
        ({"property_id": "a", **HOUSE, "usable_area": 167}, ["ambiguous:usable_area"]),
    ],
)  # fmt: skip
def test_faults_of_a_line(
    ree: Ree, published: Path, tmp_path: Path, line: dict[str, object], codes: list[str]
) -> None:
    file = put(tmp_path / "homes.jsonl", [line])
    for target in FORMATS:
        result = ree("estimate", file, "--output", f"out.{target}", *DAY)
        assert result.exit_code == 0, result.output
        assert got(tmp_path / f"out.{target}")[0]["error"] == codes


def test_fail_lists_the_faults_and_writes_nothing(
    ree: Ree, published: Path, tmp_path: Path
) -> None:
    rows = [{"property_id": f"p{n}", **NO_FLOOR} for n in range(30)]
    file, output = put(tmp_path / "homes.csv", rows), tmp_path / "out.csv"
    output.write_text("what was there")
    before = sorted(path.name for path in tmp_path.iterdir())
    result = ree("estimate", file, "--output", str(output), "--on-invalid", "fail", "--json", *DAY)
    assert result.exit_code == 1
    assert result.stdout == ""
    *listed, dots, last = result.stderr.splitlines()
    assert listed[0] == (
        "  row 1, p0: floor is needed for a leilighet (missing:floor_for_leilighet)"
    )
    assert (len(listed), dots) == (20, "  …")
    assert last.startswith("Error: 30 of 30 homes cannot be valued; nothing was written.")
    assert output.read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


HEADER = "property_id,realestate_type,lat\n"


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.csv", b"", "line 1: expected a column property_id"),
        ("a.csv", b"lat,lon\n1,2\n", "line 1: expected a column property_id"),
        ("a.csv", b"property_id,colour\na,b\n", "line 1: unknown column 'colour'"),
        ("a.csv", b"property_id,lat,lat\na,1,1\n", "line 1: the column lat is there twice"),
        ("a.csv", b"property_id;lat\na;1\n", "line 1: expected columns separated by commas"),
        ("a.csv", HEADER.encode() + b"a,enebolig,1\nb,hytte\n", "line 3: expected 3 cells"),
        ("a.csv", HEADER.encode() + b"a,enebolig,1\n\nb,\"hy\n", "line 4: expected CSV"),
        ("a.csv", HEADER.encode() + b"a,n\xe6ring,1\n", "line 2: expected UTF-8 text"),
        ("a.csv", HEADER.encode(), "a.csv: expected at least one home"),
        ("a.jsonl", b'{"property_id": "a"}\n{"property_id": \n', "line 2: expected a JSON object"),
        ("a.jsonl", b'{"property_id": "a"}\n\n[1]\n', "line 3: expected a JSON object"),
        ("a.jsonl", b'{"lat": NaN}\n', "line 1: expected a JSON object; has NaN"),
        ("a.jsonl", b'{"lat": 1, "lat": 2}\n', "twice"),
        ("a.jsonl", b"\xff\n", "line 1: expected UTF-8 text"),
        ("a.json", b"[]", "expected a JSON object of property id -> features"),
        ("a.json", b'{\n"a": }', "line 2"),
        ("a.json", b"{}", "expected at least one home"),
        ("a.parquet", b"PAR1 no", "expected a Parquet file"),
        ("a.parquet", b"", "expected a Parquet file"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_one_line_and_nothing_is_written(
    ree: Ree, published: Path, tmp_path: Path, name: str, body: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(body)
    result = ree("estimate", name, "--output", "out.csv", *DAY)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"Error: {name}")
    assert words in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "storage"]


def test_a_parquet_file_with_a_column_of_its_own(ree: Ree, published: Path, tmp_path: Path) -> None:
    file = put(tmp_path / "a.parquet", [{"property_id": "a", "colour": "red"}])
    result = ree("estimate", file, "--output", "out.csv")
    assert "unknown column 'colour'" in result.stderr
    assert result.exit_code == 1


def test_a_byte_order_mark_is_no_part_of_the_header(
    ree: Ree, published: Path, tmp_path: Path
) -> None:
    file = tmp_path / "homes.csv"
    put(file, records())
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert ree("estimate", str(file), "--output", "out.csv", *DAY).exit_code == 0


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, OSError])
def test_nothing_half_written_is_left(
    ree: Ree,
    published: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[BaseException],
) -> None:
    from ree.application.estimate_batch import EstimateBatch

    price, calls = EstimateBatch.__call__, []

    def stopped(self: EstimateBatch, *args: Any, **wishes: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise failure
        return price(self, *args, **wishes)

    monkeypatch.setattr(EstimateBatch, "__call__", stopped)
    file = put(tmp_path / "homes.jsonl", [{"property_id": str(n), **HOUSE} for n in range(9)])
    result = ree("estimate", file, "--output", "out.parquet", *DAY, REE_MAX_BATCH="2")
    assert result.exit_code == (130 if failure is KeyboardInterrupt else 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["homes.jsonl", "storage"]


@pytest.mark.parametrize(
    ("file", "output", "code", "words"),
    [
        ("homes.csv", "homes.csv", 2, "choose another"),
        ("homes.csv", "./homes.csv", 2, "choose another"),
        ("homes.xlsx", "out.csv", 2, "does not end in .csv, .parquet, .jsonl, .json"),
        ("homes.csv", "out", 2, "does not end in .csv, .parquet, .jsonl, .json"),
        ("homes.csv", "nowhere/out.csv", 1, "nowhere/out.csv: No such file"),
        ("homes.csv", "folder.csv", 1, "folder.csv: Is a folder"),
        ("missing.csv", "out.csv", 1, "missing.csv: No such file"),
        ("folder.csv", "out.csv", 1, "folder.csv: Is a directory"),
    ],
)
def test_names_that_cannot_be(
    ree: Ree, published: Path, tmp_path: Path, file: str, output: str, code: int, words: str
) -> None:
    put(tmp_path / "homes.csv", records())
    (tmp_path / "folder.csv").mkdir()
    result = ree("estimate", file, "--output", output, *DAY)
    assert result.exit_code == code
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "folder.csv", "homes.csv", "storage"
    ]  # fmt: skip


def test_a_link_to_the_output_is_followed(ree: Ree, published: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "out.csv").symlink_to(tmp_path / "kept" / "prices.csv")
    ree("estimate", put(tmp_path / "h.json", records()), "--output", "out.csv", *DAY)
    assert (tmp_path / "out.csv").is_symlink()
    assert len(got(tmp_path / "kept" / "prices.csv")) == 3


def test_a_pipe_in_the_outputs_place_is_left_alone(
    ree: Ree, published: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "out.csv").symlink_to(tmp_path / "pipe")
    result = ree("estimate", put(tmp_path / "h.json", records()), "--output", "out.csv", *DAY)
    assert result.exit_code == 1
    assert "out.csv: Is a device or a pipe" in result.stderr
    assert (tmp_path / "pipe").is_fifo()


def test_without_a_model_there_is_no_estimate(ree: Ree, tmp_path: Path) -> None:
    result = ree("estimate", put(tmp_path / "h.json", records()), "--output", "out.csv")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No active model.")


def test_a_stub_is_warned_of(ree: Ree, tmp_path: Path) -> None:
    ree("models", "bootstrap")
    result = ree("estimate", put(tmp_path / "h.json", records()), "--output", "out.jsonl", *DAY)
    assert "warning stub:model: 2" in result.stdout
    assert got(tmp_path / "out.jsonl")[0]["warnings"] == ["stub:model"]
