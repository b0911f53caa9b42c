import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ree.adapters.sandbox.replay import ReplayedMarket
from ree.adapters.sandbox.running import Sandbox, running
from ree.domain.turnover import Period, day_in_oslo

Ree = Callable[..., Result]
Files = Callable[[Path], dict[str, bytes]]
FIRST = (
    "retrain", "--start-date", "2025-01-01", "--end-date", "2025-04-30", "--estimator", "fast"
)  # fmt: skip
SHORT = (
    "retrain", "--start-date", "2025-05-01", "--end-date", "2025-06-30", "--estimator", "fast"
)  # fmt: skip
LIMITS = ("OVERALL_MAE", "OVERALL_WAPE", "ENEBOLIG_MAE", "ENEBOLIG_WAPE")
STRICT = {f"REE_GATE_{name}_MAX_DEGRADE_PCT": "0" for name in LIMITS}


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def versions(storage: Path, folder: str = "models") -> list[str]:
    return sorted(path.name for path in (storage / "ree-models" / folder).glob("*"))


def test_a_retrain_publishes_and_tells_what_it_did(first_run: tuple[Path, Result]) -> None:
    storage, result = first_run
    told = document(result)
    assert told["run_id"]
    assert told["reused"] is False
    assert told["period"] == {"start_date": "2025-01-01", "end_date": "2025-04-30"}
    assert told["manifest"]["counts"]["turnovers_raw"] == 2000
    assert told["manifest"]["counts"]["rows_trainable"] > 100
    assert told["manifest"]["dropped_reasons"]["unmatched:unit"] > 0
    assert [stage["name"] for stage in told["manifest"]["funnel"]["stages"]] == [
        "normalise", "match_unit", "match_property", "merge", "validate"
    ]  # fmt: skip
    segments = {"by_realestate_type", "by_municipality", "by_price_fifth", "by_reach"}
    assert set(told["metrics"]) == {"overall"} | segments
    assert told["metrics"]["overall"]["mae"] < told["baseline"]["overall"]["mae"]
    assert told["verdict"]["passed"] is True
    assert told["verdict"]["checks"][0] == {
        "rule": "enough_rows",
        "outcome": "passed",
        "figures": told["verdict"]["checks"][0]["figures"],
    }
    assert told["activated"] is True
    assert versions(storage) == [told["model_version"]]


def test_progress_goes_to_standard_error(first_run: tuple[Path, Result]) -> None:
    told, err = document(first_run[1]), first_run[1].stderr
    began, *steps, ended = err.splitlines()
    assert "run_begun start_date=2025-01-01 end_date=2025-04-30 recipe=fast run_id=" in began
    assert "] run_ended ending=activated reused=False seconds=" in ended
    names = "fetch validate track evaluate gate train publish"
    done = re.findall(r"step_ended step=(\w+)(?: of=\S+)? outcome=done seconds=[0-9.]+ ", err)
    assert list(dict.fromkeys(done)) == names.split()
    assert done.count("fetch") == err.count("step_begun step=fetch of=2025-0") == 4
    assert all(f" run_id={told['run_id']}" in line for line in err.splitlines())
    known = [line for line in steps if f" model_version={told['model_version']}" in line]
    assert [re.sub(" .*", "", line.partition("] ")[2]) for line in known] == [
        "version_published", "step_ended"
    ]  # fmt: skip


def test_a_second_retrain_changes_nothing_and_asks_nobody(
    ree: Ree, published: Path, market: Sandbox, files: Files
) -> None:
    before, requests = files(published), market.requests.total()
    again = ree(*FIRST, "--json")
    assert again.exit_code == 0
    assert document(again)["reused"] is True
    assert files(published) == before
    assert market.requests.total() == requests


def test_people_are_told_that_a_run_was_reused(ree: Ree, published: Path) -> None:
    assert "nothing has changed since" in ree(*FIRST).stdout


def test_a_window_is_the_same_period(ree: Ree, published: Path) -> None:
    result = ree(
        "retrain", "--window-months", "4", "--end-date", "2025-04-30", "--estimator", "fast",
        "--json",
    )  # fmt: skip
    assert document(result)["reused"] is True


def test_the_previous_month_ends_the_window_of_the_settings(ree: Ree, storage: Path) -> None:
    settings = {"REE_TRAIN_WINDOW_MONTHS": "2", "REE_CELERY_TIMEZONE": "Pacific/Kiritimati"}
    told = document(ree("retrain", "--previous-month", "--dry-run", "--json", **settings))
    window = Period.of_months_before(2, day_in_oslo(datetime.now(UTC)))
    assert told["period"] == {"start_date": str(window.start), "end_date": str(window.end)}


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_previous_month_is_looked_at_for_drift_as_the_schedule_does(
    ree: Ree, published: Path, dry_run: bool
) -> None:
    settings = {"REE_TRAIN_WINDOW_MONTHS": "1", "REE_TRAIN_MIN_ROWS": "100000"}
    result = ree("retrain", "--previous-month", *["--dry-run"] * dry_run, **settings)
    assert result.exit_code == (0 if dry_run else 3)
    month = Period.of_months_before(1, day_in_oslo(datetime.now(UTC)))
    reports = sorted((published / "ree-models" / "drift").glob(f"*/{month}-*.json"))
    assert [report.parent.name for report in reports] == versions(published)[: not dry_run]
    assert ("drift_checked" in result.stderr) is not dry_run


def test_the_previous_month_without_a_model_ends_as_it_did(ree: Ree, storage: Path) -> None:
    settings = {"REE_TRAIN_WINDOW_MONTHS": "1", "REE_TRAIN_MIN_ROWS": "100000"}
    result = ree("retrain", "--previous-month", **settings)
    assert result.exit_code == 3
    assert "drift_not_checked" in result.stderr


def test_people_see_the_funnel_the_errors_the_verdict_and_where_it_is(
    ree: Ree, published: Path
) -> None:
    storage, out = published, ree(*FIRST).stdout.replace("\u202f", " ")
    for words in (
        "2025-01-01 to 2025-04-30", "normalise", "2 000", "multi_unit",
        "leilighet", "within 10 %", "naive baseline",
        "Gate passed", "enough rows", "no version is active yet",
        f"Version {versions(storage)[0]} was published and made active.",
        str(storage / "ree-models" / "models" / versions(storage)[0]),
    ):  # fmt: skip
        assert words in out
    assert "\x1b" not in out


def test_too_few_rows_end_with_3(ree: Ree, fetched: Path) -> None:
    result = ree(*FIRST, "--json", REE_TRAIN_MIN_ROWS="100000")
    assert result.exit_code == 3
    told = document(result)
    assert told["metrics"] is None
    assert told["verdict"]["passed"] is False
    assert told["verdict"]["blocking"] == ["enough_rows"]
    assert told["model_version"] is None
    assert not (fetched / "ree-models" / "latest.json").exists()
    shown = ree("runs", "show", told["run_id"]).stdout.replace("\u202f", " ")
    assert "at least 100 000 are needed" in shown


def test_a_worse_model_ends_with_3_and_the_active_one_stays(
    ree: Ree, published: Path, files: Files
) -> None:
    pointer = (published / "ree-models" / "latest.json").read_bytes()
    result = ree(*SHORT, **STRICT)
    assert result.exit_code == 3, result.output
    out = result.stdout.replace("\u202f", " ")
    assert re.search(r"Gate refused: \w+ \w+ is [0-9.]+ % worse, at most 0 % is allowed", out)
    lines = out.splitlines()
    gate = next(order for order, line in enumerate(lines) if line.startswith("Gate"))
    assert lines[gate + 1].startswith("✗  ")
    assert "The active version stays as it was." in out
    assert (published / "ree-models" / "latest.json").read_bytes() == pointer
    assert len(versions(published, "rejected")) == 1
    before = files(published)
    again = ree(*SHORT, "--json", **STRICT)
    assert again.exit_code == 3
    assert document(again)["reused"] is True
    assert files(published) == before


def test_few_comparable_sales_can_be_accepted(ree: Ree, several: Path) -> None:
    few = {"REE_GATE_SEGMENT_MIN_ROWS": "5000"}
    refused = ree(*SHORT, **few)
    assert refused.exit_code == 3
    assert "is inconclusive" in refused.stdout
    accepted = ree(*SHORT, "--accept-inconclusive", **few)
    assert accepted.exit_code == 0
    assert "needed, accepted" in accepted.stdout


def test_a_dry_run_stops_after_the_dataset(ree: Ree, fetched: Path) -> None:
    result = ree(*FIRST, "--dry-run", "--json")
    assert result.exit_code == 0
    told = document(result)
    assert told["ending"] == "snapshots_only"
    assert told["manifest"]["dry_run"] is True
    assert (told["metrics"], told["verdict"], told["activated"]) == (None, None, False)
    assert not (fetched / "ree-models" / "models").exists()
    assert "nothing was trained" in ree(*FIRST, "--dry-run").stdout


def test_nothing_is_published_when_asked_not_to(ree: Ree, fetched: Path) -> None:
    result = ree(*FIRST, "--no-publish")
    assert result.exit_code == 0
    assert "not published, as asked" in result.stdout
    assert versions(fetched) == []


def test_a_forced_fetch_is_kept_beside_the_first(ree: Ree, published: Path) -> None:
    months = published / "ree-snapshots" / "snapshots" / "2025-01-01_2025-01-31"
    assert len(list(months.iterdir())) == 1
    ree(*FIRST, "--force-fetch", "--dry-run")
    assert len(list(months.iterdir())) == 2


def test_an_unreadable_version_is_replaced_only_with_a_reason(ree: Ree, published: Path) -> None:
    model = next((published / "ree-models" / "models").glob("*/model.npz"))
    model.write_bytes(b"damaged")
    refused = ree(*SHORT)
    assert refused.exit_code == 1
    assert "cannot be read" in refused.stderr.splitlines()[-1]
    result = ree(*SHORT, "--replace-unreadable", "--why", "disk failure", "--json")
    assert document(result)["unreadable_replaced"] == "disk failure"
    reasons = {check["figures"].get("reason") for check in document(result)["verdict"]["checks"]}
    assert "active_is_unreadable_and_replaced" in reasons


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--start-date", "2025-01-01"), "Give --end-date, or --previous-month"),
        (("--previous-month", "--end-date", "2025-01-31"), "--previous-month without dates"),
        (("--previous-month", "--start-date", "2025-01-31"), "--previous-month without dates"),
        (("--previous-month", "--window-months", "2"), "--previous-month without dates"),
        (("--end-date", "2025-01-31"), "either --start-date or --window-months"),
        (
            ("--start-date", "2025-01-01", "--window-months", "2", "--end-date", "2025-01-31"),
            "either --start-date or --window-months",
        ),
        (("--start-date", "2025-1-1", "--end-date", "2025-01-31"), "is not a date"),
        (("--start-date", "20250101", "--end-date", "2025-01-31"), "is not a date"),
        (("--start-date", "2025-02-30", "--end-date", "2025-03-31"), "is not a date"),
        (("--window-months", "0", "--end-date", "2025-01-31"), "--window-months"),
        (("--window-months", "1201", "--end-date", "2025-01-31"), "1<=x<=1200"),
        (("--start-date", "0001-01-01", "--end-date", "2025-01-31"), "24289 months; at most 1200"),
        (("--window-months", "1", "--end-date", "2025-01-31", "--why", "x"), "together"),
        (("--window-months", "1", "--end-date", "2025-01-31", "--replace-unreadable"), "together"),
        (("--window-months", "1", "--end-date", "2025-01-31", "--estimator", "best"), "best"),
    ],
)
def test_wrong_usage_is_one_line_and_2(
    ree: Ree, storage: Path, args: tuple[str, ...], words: str
) -> None:
    result = ree("retrain", *args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr
    assert result.stderr.rstrip().endswith("See 'ree retrain --help'.")
    assert not storage.exists()


@pytest.mark.parametrize(
    ("period", "settings", "words"),
    [
        (("2025-02-01", "2025-01-31"), {}, "ends (2025-01-31) before it starts"),
        (("2025-01-01", "2099-01-31"), {}, "not before today"),
        (("2025-01-01", "2025-01-31"), {"REE_API_BASE_URL": None}, "ree sandbox serve"),
        (("2025-01-01", "2025-01-31"), {"REE_API_BASE_URL": "ftp://x"}, "REE_API_BASE_URL"),
        (("2025-01-01", "2025-01-31"), {"REE_API_KEY": "wrong"}, "check REE_API_KEY"),
        (("2025-01-01", "2025-01-31"), {"REE_TRAIN_MIN_ROWS": "many"}, "REE_TRAIN_MIN_ROWS"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_1(
    ree: Ree, storage: Path, period: tuple[str, str], settings: dict[str, str | None], words: str
) -> None:
    result = ree("retrain", "--start-date", period[0], "--end-date", period[1], **settings)
    assert result.exit_code == 1
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert words in last
    assert not storage.exists()


def test_a_setting_that_is_none_is_warned_of(ree: Ree, published: Path) -> None:
    result = ree("models", "list", REE_PROT="1")
    assert result.exit_code == 0
    assert result.stderr == "Warning: REE_PROT is not a setting; did you mean REE_PORT?\n"


def test_an_unexpected_failure_is_one_line(
    ree: Ree, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("ree.adapters.runs.ObjectRuns.runs", broken)
    result = ree("runs", "list")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: unexpected ZeroDivisionError: by zero; run with REE_LOG_LEVEL=DEBUG for details\n"
    )


def test_a_rerun_of_a_version_that_was_replaced_says_what_is_active_now(
    ree: Ree, several: Path, first: str, second: str
) -> None:
    result = ree(*FIRST)
    assert result.exit_code == 0
    assert f"Version {first} was made active then; {second} is active now." in result.stdout


def test_people_are_told_of_sales_under_numbers_of_before(
    ree: Ree, storage: Path, tmp_path: Path
) -> None:
    """As a file of sales of 2019 has them, replayed."""
    head = "property_id,turnover_date,price,realestate_type,municipality_number,lat,lon,"
    head += "built_year,total_area,bra,floor,bedrooms,rooms\n"
    rows = [
        f"{10 + n},2025-01-{n + 1:02},4000000,enebolig,{number},59.9,10.5,1980,300,120,,3,4\n"
        for n, number in enumerate(["0219", "3024", "3201", "0301", "1234"])
    ]
    (tmp_path / "sales.csv").write_text(head + "".join(rows))
    period = ("--start-date", "2025-01-01", "--end-date", "2025-01-31", "--dry-run")
    with running(ReplayedMarket.from_csv(tmp_path / "sales.csv")) as sandbox:
        address = {"REE_API_BASE_URL": sandbox.base_url}
        told = ree("retrain", *period, **address)
        again = document(ree("retrain", *period, "--json", **address))
    assert "warning renumbered:municipality_number: 3 sales" in told.stdout
    assert again["warnings"] == {"renumbered:municipality_number": 3}
    assert again["manifest"]["counts"]["rows_trainable"] == 5
