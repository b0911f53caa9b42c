import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Ree = Callable[..., Result]
SINCE = ("--start-date", "2025-05-01", "--end-date", "2025-06-30")

pytestmark = pytest.mark.usefixtures("published")


def test_the_sales_since_are_those_that_the_version_knows(ree: Ree, storage: Path) -> None:
    result = ree("drift", *SINCE, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["period"] == {"start_date": "2025-05-01", "end_date": "2025-06-30"}
    assert told["trained_until"] == "2025-04-30"
    assert told["verdict"] in ("stable", "watch")
    by_name = {one["feature"]: one for one in told["features"]}
    assert len(by_name) == 12
    assert {one["sales"] for one in by_name.values()} == {by_name["age"]["sales"]}
    assert by_name["age"]["sales"] >= told["min_sales"]
    assert abs(by_name["price_level"]["shift"]) < 0.05
    assert by_name["realestate_type"]["verdict"] == "stable"
    (kept,) = (storage / "ree-models" / "drift" / told["model_version"]).iterdir()
    before = kept.read_bytes()
    again = ree("drift", *SINCE, "--json")
    assert again.stdout == result.stdout
    assert kept.read_bytes() == before
    assert ree("models", "verify").exit_code == 0
    kept.write_bytes(before.replace(b"stable", b"unsafe"))
    broken = ree("models", "verify")
    assert broken.exit_code == 1
    assert kept.name in broken.stdout


def test_a_table_for_people(ree: Ree) -> None:
    out = ree("drift", *SINCE).stdout
    assert out.startswith("Drift ")
    for words in ("price per m2", "price level", "the median price is", "% of the training data"):
        assert words in out
    assert "was trained on sales of this period" not in out
    few = ree("drift", "--start-date", "2025-05-01", "--end-date", "2025-05-15")
    assert few.exit_code == 0
    assert few.stdout.startswith("Drift too few")
    assert "at least 300 are needed" in few.stdout
    known = ree("drift", "--start-date", "2025-04-01", "--end-date", "2025-05-31").stdout
    assert "was trained on sales of this period" in known


def test_a_period_has_two_ends_and_is_over(ree: Ree) -> None:
    assert ree("drift", "--start-date", "2025-05-01").exit_code == 2
    assert ree("drift", "--start-date", "2025-05-02", "--end-date", "2025-05-01").exit_code == 1
    future = ree("drift", "--start-date", "2025-05-01", "--end-date", "2999-01-01")
    assert future.exit_code == 1
    assert "sales still come in" in future.stderr


def test_a_stub_has_nothing_to_compare_with(ree: Ree, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    assert ree("drift", *SINCE, REE_STORAGE_PATH=other).exit_code == 1
    assert ree("models", "bootstrap", REE_STORAGE_PATH=other).exit_code == 0
    result = ree("drift", *SINCE, REE_STORAGE_PATH=other)
    assert result.exit_code == 1
    assert "keeps nothing of its training data to compare with" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_without_a_market_it_says_so(ree: Ree) -> None:
    result = ree("drift", *SINCE, REE_API_BASE_URL=None)
    assert result.exit_code == 1
    assert "REE_API_BASE_URL is not set" in result.stderr
