"""What makes two retrains the same one, and what does not."""

from datetime import UTC, date, datetime

import pytest
from attrs import evolve

from ree.application.run_key import run_key
from ree.domain.dataset import DatasetManifest, MonthSnapshot
from ree.domain.funnel import Funnel
from ree.domain.gating import GatingPolicy
from ree.domain.model import Recipe
from ree.domain.turnover import Period

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
FETCHED = datetime(2026, 2, 1, tzinfo=UTC)
MONTH = MonthSnapshot("first", JANUARY, FETCHED, "abc", Funnel(()), 5, 5)
MANIFEST = DatasetManifest("d", JANUARY, "def", Funnel(()), 5, 5, (MONTH,))
RECIPE = Recipe("fast", {"depth": 3, "rate": 0.1})
POLICY = GatingPolicy()
ENVIRONMENT = {"python": "3.11.7", "code": "1234"}
KEY = run_key(MANIFEST, RECIPE, POLICY, ENVIRONMENT)


def manifest(**month: object) -> DatasetManifest:
    return evolve(MANIFEST, snapshots=(evolve(MONTH, **month),))  # type: ignore[arg-type]


def test_a_key_is_a_sha_256() -> None:
    assert len(KEY) == 64
    assert int(KEY, 16)


@pytest.mark.parametrize(
    "same",
    [
        manifest(name="second"),
        manifest(fetched_at=datetime(2026, 2, 2, tzinfo=UTC)),
        evolve(MANIFEST, name="other"),
    ],
)
def test_when_and_where_the_months_were_kept_is_not_in_the_key(same: DatasetManifest) -> None:
    assert run_key(same, RECIPE, POLICY, ENVIRONMENT) == KEY


@pytest.mark.parametrize(
    "other",
    [
        evolve(MANIFEST, period=Period(date(2026, 1, 2), date(2026, 1, 31))),
        manifest(digest="abd"),
        manifest(period=Period(date(2026, 1, 1), date(2026, 1, 30))),
        evolve(MANIFEST, snapshots=()),
        evolve(MANIFEST, snapshots=(MONTH, MONTH)),
    ],
)
def test_the_period_and_what_its_months_hold_are_in_the_key(other: DatasetManifest) -> None:
    assert run_key(other, RECIPE, POLICY, ENVIRONMENT) != KEY


@pytest.mark.parametrize(
    "other", [Recipe("accurate", RECIPE.settings), Recipe("fast", {"depth": 4, "rate": 0.1})]
)
def test_the_recipe_and_its_settings_are_in_the_key(other: Recipe) -> None:
    assert run_key(MANIFEST, other, POLICY, ENVIRONMENT) != KEY


@pytest.mark.parametrize(
    "other",
    [
        GatingPolicy(min_rows=499),
        GatingPolicy(overall_limit=0.06),
        GatingPolicy(overall_wape_limit=0.11),
        GatingPolicy(enebolig_limit=0.08),
        GatingPolicy(enebolig_wape_limit=0.13),
        GatingPolicy(segment_min_rows=31),
        GatingPolicy(tail_min_rows=201),
        GatingPolicy(accept_inconclusive=True),
    ],
)
def test_every_setting_of_the_gate_is_in_the_key(other: GatingPolicy) -> None:
    assert run_key(MANIFEST, RECIPE, other, ENVIRONMENT) != KEY


@pytest.mark.parametrize("other", [{}, ENVIRONMENT | {"code": "1235"}, ENVIRONMENT | {"os": "x"}])
def test_the_environment_is_in_the_key(other: dict[str, str]) -> None:
    assert run_key(MANIFEST, RECIPE, POLICY, other) != KEY


def test_the_order_of_settings_is_not_in_the_key() -> None:
    recipe = Recipe("fast", {"rate": 0.1, "depth": 3})
    assert run_key(MANIFEST, recipe, POLICY, dict(reversed(ENVIRONMENT.items()))) == KEY
