"""What benchmarks/serving.py computes and reads, without a server."""

from collections.abc import Iterator
from importlib import import_module
from math import isnan
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(not BENCHMARKS.exists(), reason="tests without the benchmarks")


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield


@pytest.fixture(scope="module")
def bars(importable: None) -> ModuleType:
    return import_module("serving_bars")


@pytest.fixture(scope="module")
def loads(importable: None) -> ModuleType:
    return import_module("serving_load")


@pytest.fixture(scope="module")
def servers(importable: None) -> ModuleType:
    return import_module("serving_servers")


@pytest.fixture(scope="module")
def lineup(importable: None) -> ModuleType:
    return import_module("serving_lineup")


@pytest.fixture(scope="module")
def timing(importable: None) -> ModuleType:
    return import_module("serving_timing")


def cell(loads: ModuleType, server: str, rps: float, cpu_ms: float, batch: int = 1) -> Any:
    return loads.Cell(server, batch, round(2 * rps), 2.0, 1.0, 2.0, 0, 2 * rps * cpu_ms / 1_000)


PRINTED = """Running 2s test @ http://127.0.0.1:1/estimate
  1 threads and 4 connections
FIGURES requests=196 microseconds=2000000 p50=900 p99=4500 status=2 broken=1
"""


class TestLoad:
    def test_figures_are_read_from_what_is_printed(self, loads: ModuleType) -> None:
        found = loads.cell("ree fast", 100, PRINTED, cpu=2.0)

        assert (found.rps, found.p50_ms, found.p99_ms, found.failed) == (98.0, 0.9, 4.5, 3)

    def test_cpu_is_of_requests_that_were_left_unanswered_too(self, loads: ModuleType) -> None:
        found = loads.cell("ree fast", 100, PRINTED, cpu=2.0)

        assert found.cpu_ms == pytest.approx(10)  # 2 s for 196 answers and 4 connections
        assert found.cpu_us_property == pytest.approx(100)

    def test_output_without_figures_is_refused(self, loads: ModuleType) -> None:
        with pytest.raises(ValueError, match="unable to connect"):
            loads.cell("ree fast", 1, "unable to connect", cpu=0)

    def test_no_answer_has_no_cost(self, loads: ModuleType) -> None:
        none = PRINTED.replace("requests=196", "requests=0")

        assert isnan(loads.cell("ree fast", 1, none, cpu=1.0).cpu_ms)


class TestBars:
    def test_more_is_better_of_ratios(self, bars: ModuleType) -> None:
        bar = bars.Bar("b", "batch 1", 15, 30)

        assert [bar.verdict(value) for value in (14.9, 15, 29.9, 30, None)] == [
            "MISSED", "must", "must", "aim", "not measured",
        ]  # fmt: skip

    def test_less_is_better_of_memory(self, bars: ModuleType) -> None:
        bar = bars.Bar("f", "memory", 80, 60, "MiB", lower=True)

        assert [bar.verdict(value) for value in (80.1, 80, 60)] == ["MISSED", "must", "aim"]

    def test_what_has_no_limit_is_told(self, bars: ModuleType) -> None:
        assert bars.Bar("h", "start", None, None).verdict(1.0) == "told"

    def test_ratios_are_made_within_rounds(self, bars: ModuleType, loads: ModuleType) -> None:
        """A slow round of both says nothing of the one against the other."""
        rounds = [
            [cell(loads, "ree", 900, 0.5), cell(loads, "peer", 100, 10)],
            [cell(loads, "ree", 300, 1.0), cell(loads, "peer", 20, 15)],
            [cell(loads, "ree", 800, 0.6), cell(loads, "peer", 80, 9)],
        ]

        assert bars.ratio(rounds, "ree", "peer", 1) == pytest.approx(10)
        assert bars.ratio(rounds, "ree", "peer", 1, cpu=True) == pytest.approx(15)

    def test_there_is_no_ratio_without_both(self, bars: ModuleType, loads: ModuleType) -> None:
        rounds = [[cell(loads, "ree", 900, 0.5), cell(loads, "peer", 100, 10, batch=100)]]

        assert bars.ratio(rounds, "ree", "peer", 1) is None

    def test_medians_are_of_each_figure_and_failures_add_up(
        self, bars: ModuleType, loads: ModuleType
    ) -> None:
        cells = [cell(loads, "ree", rps, cpu) for rps, cpu in ((100, 3), (300, 1), (200, 2))]
        cells.append(loads.Cell("ree", 1, 400, 2.0, 1.0, 2.0, 7, 0.8))
        [found] = bars.medians(cells)

        assert found.rps == pytest.approx(200)
        assert found.cpu_ms == pytest.approx(2)
        assert found.failed == 7

    def test_a_table_has_every_bar(self, bars: ModuleType) -> None:
        shown = bars.bars_table(
            [
                (bars.Bar("b", "batch 1", 15, 30), 17.25),
                (bars.Bar("f", "memory", 80, 60, "MiB", lower=True), None),
            ]
        )

        assert [line.split() for line in shown.splitlines()[2:]] == [
            ["b", "batch", "1", "17.2", "x", "15.0", "x", "30.0", "x", "must"],
            ["f", "memory", "-", "80.0", "MiB", "60.0", "MiB", "not", "measured"],
        ]


class TestProcesses:
    STAT = "71 (a (b) c) S 7 71 71 0 -1 4194560 9 8 7 6 150 50 30 20 20 0 4 0 1 2 3"

    def test_a_name_may_have_brackets_and_spaces(self, servers: ModuleType) -> None:
        assert servers.parent(self.STAT) == 7

    def test_children_that_ended_count(
        self, servers: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(servers, "TICKS", 100)

        assert servers.cpu_seconds(self.STAT) == pytest.approx(2.5)

    def test_a_tree_is_the_process_and_all_below_it(
        self, servers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for pid, parent in ((1, 0), (5, 1), (6, 5), (7, 6), (8, 1)):
            (tmp_path / str(pid)).mkdir()
            (tmp_path / str(pid) / "stat").write_text(f"{pid} (x) S {parent} " + "0 " * 20)
        (tmp_path / "self").mkdir()
        monkeypatch.setattr(servers, "PROC", tmp_path)

        assert servers.process_tree(5) == [5, 6, 7]

    def test_unshared_is_what_is_private(self, servers: ModuleType) -> None:
        rollup = (
            "55d0-7ffc ---p 00000000 00:00 0    [rollup]\n"
            "Rss:             9216 kB\nPss:             3072 kB\nPss_Dirty:         10 kB\n"
            "Private_Clean:    512 kB\nPrivate_Dirty:   1536 kB\n"
        )
        found = servers.memory(9, rollup)

        assert (found.pss, found.unshared) == (3.0, 2.0)


class TestAnswers:
    BODY: dict[str, Any] = {"a": {}, "b": {}}  # noqa: RUF012
    RIGHT: dict[str, Any] = {"a": (100, 90, 110), "b": (5, 4, 6), "c": (1, 1, 1)}  # noqa: RUF012

    def test_one_krone_is_rounding(self, lineup: ModuleType) -> None:
        lineup.compare("it", self.BODY, {"a": (101, 89, 110), "b": (5, 4, 6)}, self.RIGHT)

    @pytest.mark.parametrize(
        "got",
        [
            {"a": (102, 90, 110), "b": (5, 4, 6)},
            {"a": (100, 90, 110), "b": (5, 4, 8)},
            {"a": (100, 90, 110)},
            {"b": (5, 4, 6), "a": (100, 90, 110)},
            {"a": (100, 90, 110), "b": (5, float("nan"), 6)},
        ],
        ids=["price", "interval", "fewer", "order", "no number"],
    )
    def test_anything_else_is_wrong(self, lineup: ModuleType, got: dict[str, Any]) -> None:
        with pytest.raises(lineup.WrongAnswer):
            lineup.compare("it", self.BODY, got, self.RIGHT)

    def test_each_server_is_read_in_its_own_words(self, lineup: ModuleType) -> None:
        told = {"estimated_price": 5, "lower": 4, "upper": 6}
        ree = {"estimated_price": 5, "interval": {"lower": 4, "upper": 6, "coverage": 0.9}}

        assert lineup.of_ree({"b": ree}) == {"b": (5, 4, 6)}
        assert lineup.of_fastapi({"b": told}) == {"b": (5, 4, 6)}
        assert lineup.of_mlflow({"predictions": [{"property_id": "b"} | told]}) == {"b": (5, 4, 6)}

    def test_mlflow_is_sent_rows(self, lineup: ModuleType) -> None:
        assert lineup.records({"b": {"lat": 1}}) == (
            b'{"dataframe_records":[{"property_id":"b","lat":1}]}'
        )

    def test_peers_get_constants_and_nothing_else_of_ree(
        self, lineup: ModuleType, tmp_path: Path
    ) -> None:
        module = tmp_path / "plain.py"
        module.write_text("import numpy\nfrom ree.domain.appraisal import COVERAGE, COVERAGES\n")
        lineup.constants(module, tmp_path)

        [written] = [*(tmp_path / "ree").rglob("*.py")]
        assert written == tmp_path / "ree" / "domain" / "appraisal.py"
        assert written.read_text() == "COVERAGE = 0.9\nCOVERAGES = (0.8, 0.9, 0.95)\n"


class TestTiming:
    def test_a_header_is_read_by_name(self, timing: ModuleType) -> None:
        header = 'decode;dur=0.012, rules;desc="row rules";dur=3, cache, total;dur=4.5'

        assert timing.server_timing(header) == {"decode": 0.012, "rules": 3.0, "total": 4.5}
        assert timing.server_timing("") == {}

    def test_what_is_not_spent_inside_is_the_servers(self, timing: ModuleType) -> None:
        rows = timing.Layers({"kernel": 300.0, "Flask": 100.0}, server=800.0).rows()

        assert rows == [
            (timing.SERVER, "400.0", "50.0%"),
            ("kernel", "300.0", "37.5%"),
            ("Flask", "100.0", "12.5%"),
            ("all", "800.0", "100.0%"),
        ]

    @pytest.mark.parametrize(
        ("module", "layer"),
        [
            ("entrypoints/api/access_log.py", "logs"),
            ("entrypoints/api/body.py", "decode"),
            ("domain/rules.py", "rules"),
            ("adapters/comparables.py", "features"),
            ("adapters/trees.py", "kernel"),
            ("entrypoints/api/answers.py", "response"),
            ("container.py", "rest of ree"),
        ],
    )
    def test_modules_belong_to_layers(self, importable: None, module: str, layer: str) -> None:
        layers = import_module("serving_layers")

        assert layers.layer_of(module) == layer
        assert (Path(layers.PACKAGE) / module).exists()


class TestMarshmallow:
    HOME: dict[str, Any] = {  # noqa: RUF012
        "realestate_type": "enebolig", "municipality_number": "0301", "lat": 59.9, "lon": 10.7,
        "built_year": 1990, "total_area": 500, "usable_area": 120.5, "rooms": None,
    }  # fmt: skip

    @pytest.fixture
    def batch(self, importable: None) -> Any:
        return import_module("serving_decode").BATCH

    def test_a_sound_home_is_taken(self, batch: Any) -> None:
        assert batch.deserialize({"a": self.HOME})["a"]["municipality_number"] == 301

    @pytest.mark.parametrize(
        "fault",
        [
            {"lat": "59.9"},
            {"lat": True},
            {"lat": float("nan")},
            {"lat": 90.1},
            {"lat": None},
            {"unknown": 1},
            {"bra": 120.5},
            {"total_area": 100},
            {"realestate_type": "leilighet"},
            {"municipality_number": "301a"},
            {"rooms": 201},
        ],
        ids=str,
    )
    def test_it_is_as_strict_as_the_rules(self, batch: Any, fault: dict[str, Any]) -> None:
        """Else the comparison would be with something that does less."""
        from marshmallow import ValidationError

        from ree.domain.estimate import Home

        home = self.HOME | fault
        with pytest.raises(ValidationError):
            batch.deserialize({"a": home})
        day = import_module("serving_decode").DAY
        assert Home.parse("a", home, day).faults
