"""The gate: which rule lets a model through, and where each draws the line."""

from math import inf, nan, nextafter
from typing import Any

import pytest
from attrs import evolve

from ree.domain.evaluation import Comparison, Evaluation, Interval, Metrics
from ree.domain.gating import (
    Check,
    Evidence,
    GatingPolicy,
    Incumbent,
    MaxDegradation,
    Measured,
    Outcome,
    Verdict,
)

POLICY = GatingPolicy()
ACTIVE = Metrics(
    n=1000,
    mae=100.0,
    rmse=150.0,
    mape=0.12,
    mdape=0.1,
    wape=0.11,
    p90=300.0,
    within_10=0.5,
    within_20=0.8,
)
LIMITS = {
    "overall_mae": 0.05,
    "overall_mdape": 0.05,
    "overall_p90": 0.05,
    "overall_wape": 0.10,
    "enebolig_mae": 0.07,
    "enebolig_mdape": 0.07,
    "enebolig_p90": 0.07,
    "enebolig_wape": 0.12,
}
RULES = ["enough_rows", "beats_baseline", *LIMITS]


def evaluation(overall: Metrics = ACTIVE, enebolig: Metrics | None = ACTIVE) -> Evaluation:
    return Evaluation(overall, {"enebolig": enebolig} if enebolig else {})


def judge(candidate: Evaluation, active: Evaluation | None = None, **policy: Any) -> Verdict:
    comparison = Comparison(candidate, active or evaluation())
    baseline = evaluation(evolve(ACTIVE, mae=1e9))
    return evolve(POLICY, **policy).judge(
        Evidence(5000, 1000, Measured(candidate, baseline, comparison))
    )


def changed(rule: str, **changes: Any) -> Evaluation:
    """An evaluation that equals the active model's but in the segment of *rule*."""
    metrics = evolve(ACTIVE, **changes)
    return evaluation(metrics) if rule.startswith("overall") else evaluation(enebolig=metrics)


def the(rule: str, verdict: Verdict) -> Check:
    return next(check for check in verdict.checks if check.rule == rule)


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {check.rule: check.outcome for check in verdict.checks}


def test_an_equal_model_passes_every_rule() -> None:
    verdict = judge(evaluation())
    assert outcomes(verdict) == dict.fromkeys(RULES, Outcome.PASSED)
    assert list(outcomes(verdict)) == RULES
    assert verdict.passed
    assert verdict.blocking == ()


@pytest.mark.parametrize(("rule", "limit"), LIMITS.items())
def test_a_figure_may_degrade_by_the_limit_and_no_more(rule: str, limit: float) -> None:
    metric = rule.split("_")[1]
    most = getattr(ACTIVE, metric) * (1 + limit)
    at_the_limit = judge(changed(rule, **{metric: most}))
    assert at_the_limit.passed
    beyond = judge(changed(rule, **{metric: nextafter(most, inf)}))
    assert outcomes(beyond) == dict.fromkeys(RULES, Outcome.PASSED) | {rule: Outcome.FAILED}
    assert [check.rule for check in beyond.blocking] == [rule]
    assert not beyond.passed


def test_the_example_of_the_docs() -> None:
    rule = MaxDegradation("mae", 0.05)
    active = evaluation(evolve(ACTIVE, mae=1_000_000))
    for mae, outcome in [(1_050_000, Outcome.PASSED), (1_050_001, Outcome.FAILED)]:
        candidate = evaluation(evolve(ACTIVE, mae=mae))
        assert rule.check(Comparison(candidate, active)).outcome is outcome


@pytest.mark.parametrize("bad", [nan, inf, None])
@pytest.mark.parametrize("rule", LIMITS)
def test_a_figure_that_is_missing_or_not_finite_fails(rule: str, bad: Any) -> None:
    metric = rule.split("_")[1]
    broken = changed(rule, **{metric: bad})
    for verdict in (judge(broken), judge(evaluation(), broken)):
        assert the(rule, verdict).outcome is Outcome.FAILED
        assert not verdict.passed


@pytest.mark.parametrize("rule", LIMITS)
def test_too_few_comparable_rows_are_inconclusive(rule: str) -> None:
    enough = 200 if rule == "enebolig_p90" else 30
    for n, outcome in [(enough, Outcome.PASSED), (enough - 1, Outcome.INCONCLUSIVE)]:
        few = changed(rule, n=n)
        assert the(rule, judge(few)).outcome is outcome
        assert the(rule, judge(evaluation(), few)).outcome is outcome


def test_an_inconclusive_segment_does_not_block() -> None:
    verdict = judge(evaluation(enebolig=None))
    assert verdict.passed
    assert [r for r, o in outcomes(verdict).items() if o is Outcome.INCONCLUSIVE] == RULES[6:]


def test_an_inconclusive_overall_comparison_blocks_unless_it_is_accepted() -> None:
    few = evaluation(evolve(ACTIVE, n=29))
    refused, accepted = judge(few), judge(few, accept_inconclusive=True)
    assert [check.rule for check in refused.blocking] == RULES[1:6]
    assert (refused.passed, refused.accept_inconclusive) == (False, False)
    assert (accepted.passed, accepted.accept_inconclusive) == (True, True)


def test_a_failure_is_never_accepted() -> None:
    worse = evaluation(evolve(ACTIVE, mae=106.0))
    assert not judge(worse, accept_inconclusive=True).passed


@pytest.mark.parametrize(
    ("incumbent", "reason"),
    [
        (Incumbent.NONE, "first_publication"),
        (Incumbent.STUB, "active_is_stub"),
        (Incumbent.REPLACED, "active_is_unreadable_and_replaced"),
    ],
)
def test_without_a_model_to_compare_with_comparisons_do_not_apply(
    incumbent: Incumbent, reason: str
) -> None:
    baseline = evaluation(evolve(ACTIVE, mae=1e9))
    verdict = POLICY.judge(Evidence(5000, 1000, Measured(evaluation(), baseline, incumbent)))
    compared = verdict.checks[2:]
    assert verdict.passed
    assert {check.outcome for check in compared} == {Outcome.NOT_APPLICABLE}
    assert {check.rule: check.figures for check in compared} == {
        rule: {"reason": reason, "limit": limit} for rule, limit in LIMITS.items()
    }


@pytest.mark.parametrize(
    ("rows", "holdout", "outcome"),
    [
        (500, 1, Outcome.PASSED),
        (500, 470, Outcome.PASSED),
        (500, 471, Outcome.FAILED),
        (499, 100, Outcome.FAILED),
        (500, 0, Outcome.FAILED),
        (500, 500, Outcome.FAILED),
        (0, 0, Outcome.FAILED),
    ],
)
def test_enough_rows_on_both_sides_of_the_holdout(
    rows: int, holdout: int, outcome: Outcome
) -> None:
    verdict = POLICY.judge(Evidence(rows, holdout))
    figures = {
        "rows": rows,
        "min_rows": 500,
        "holdout_rows": holdout,
        "rows_before": rows - holdout,
        "min_rows_before": 30,
    }
    assert verdict.checks == (Check("enough_rows", outcome, figures),)
    assert verdict.passed is (outcome is Outcome.PASSED)


@pytest.mark.parametrize(
    ("mine", "naive", "outcome"),
    [
        (99.9, 100.0, Outcome.PASSED),
        (100.0, 100.0, Outcome.FAILED),
        (nan, 100.0, Outcome.FAILED),
        (100.0, inf, Outcome.FAILED),
    ],
)
def test_a_model_must_be_better_than_the_naive_one(mine: Any, naive: Any, outcome: Outcome) -> None:
    candidate = evaluation(evolve(ACTIVE, mae=mine))
    baseline = evaluation(evolve(ACTIVE, mae=naive))
    measured = Measured(candidate, baseline, Incumbent.NONE)
    verdict = POLICY.judge(Evidence(5000, 1000, measured))
    figures = {"n": 1000, "candidate": mine, "baseline": naive}
    assert the("beats_baseline", verdict) == Check("beats_baseline", outcome, figures)
    assert verdict.passed is (outcome is Outcome.PASSED)


@pytest.mark.parametrize("n", [29, 30])
def test_the_naive_model_is_compared_on_enough_rows(n: int) -> None:
    few, naive = evaluation(evolve(ACTIVE, n=n)), evaluation(evolve(ACTIVE, mae=1e9))
    measured = Measured(few, naive, Incumbent.NONE)
    check = the("beats_baseline", POLICY.judge(Evidence(5000, 1000, measured)))
    assert (check.outcome is Outcome.INCONCLUSIVE) is (n < 30)
    if n < 30:
        assert check.figures == {"n": 29, "min_rows": 30}
        assert check.blocks(accept_inconclusive=False)


@pytest.mark.parametrize("rule", ["overall_mae", "enebolig_mae"])
def test_no_row_at_all_is_never_a_pass(rule: str) -> None:
    nothing = evaluation(evolve(ACTIVE, n=0, mae=nan), None)
    verdict = judge(nothing, segment_min_rows=0, tail_min_rows=0)
    assert the(rule, verdict).outcome is Outcome.FAILED


def test_a_check_has_its_figures() -> None:
    interval = {"overall": {"mae": Interval(0.01, 0.07)}}
    candidate = evaluation(evolve(ACTIVE, mae=104.0))
    check = MaxDegradation("mae", 0.05).check(Comparison(candidate, evaluation(), interval))
    assert check.figures == {
        "n": 1000,
        "limit": 0.05,
        "candidate": 104.0,
        "active": 100.0,
        "degradation": pytest.approx(0.04),
        "degradation_interval": [0.01, 0.07],
    }


def test_an_interval_is_that_of_the_segment() -> None:
    intervals = {"overall": {"mae": Interval(0, 1)}, "enebolig": {"mae": Interval(2, 3)}}
    comparison = Comparison(evaluation(), evaluation(), intervals)
    check = MaxDegradation("mae", 0.07, "enebolig").check(comparison)
    assert check.figures["degradation_interval"] == [2, 3]


def test_without_an_interval_the_figure_stands_alone() -> None:
    check = MaxDegradation("mae", 0.05).check(Comparison(evaluation(), evaluation()))
    assert check.figures == {
        "n": 1000,
        "limit": 0.05,
        "candidate": 100.0,
        "active": 100.0,
        "degradation": 0.0,
    }


def test_an_inconclusive_check_tells_how_many_rows_it_needs() -> None:
    check = MaxDegradation("mae", 0.05, "hytte").check(Comparison(evaluation(), evaluation()))
    assert check.figures == {"n": 0, "limit": 0.05, "min_rows": 30}
    assert check.rule == "hytte_mae"


@pytest.mark.parametrize(("mae", "outcome"), [(0.0, Outcome.PASSED), (0.1, Outcome.FAILED)])
def test_an_active_model_without_error_has_no_relative_degradation(
    mae: float, outcome: Outcome
) -> None:
    comparison = Comparison(
        evaluation(evolve(ACTIVE, mae=mae)), evaluation(evolve(ACTIVE, mae=0.0))
    )
    check = MaxDegradation("mae", 0.05).check(comparison)
    assert (check.outcome, check.figures["degradation"]) == (outcome, None)


def test_a_figure_that_is_not_finite_is_reported_without_a_degradation() -> None:
    candidate = evaluation(evolve(ACTIVE, mae=nan))
    check = MaxDegradation("mae", 0.05).check(Comparison(candidate, evaluation()))
    assert set(check.figures) == {"n", "limit", "candidate", "active"}


@pytest.mark.parametrize("limit", [-0.01, nan])
def test_a_limit_is_not_negative(limit: float) -> None:
    with pytest.raises(ValueError, match="limit"):
        MaxDegradation("mae", limit)
    assert MaxDegradation("mae", 0).limit == 0


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("overall_limit", ["overall_mae", "overall_mdape", "overall_p90"]),
        ("overall_wape_limit", ["overall_wape"]),
        ("enebolig_limit", ["enebolig_mae", "enebolig_mdape", "enebolig_p90"]),
        ("enebolig_wape_limit", ["enebolig_wape"]),
    ],
)
def test_each_limit_is_a_setting(setting: str, rules: list[str]) -> None:
    policy = GatingPolicy(**{setting: 0.5})  # type: ignore[arg-type]
    assert [rule.rule for rule in policy.degradations if rule.limit == 0.5] == rules


@pytest.mark.parametrize(("few", "tail", "p90"), [(30, 200, 200), (300, 200, 300)])
def test_the_fewest_rows_are_a_setting(few: int, tail: int, p90: int) -> None:
    policy = GatingPolicy(segment_min_rows=few, tail_min_rows=tail)
    fewest = {rule.rule: rule.min_rows for rule in policy.degradations}
    assert fewest == dict.fromkeys(LIMITS, few) | {"enebolig_p90": p90}


@pytest.mark.parametrize(
    ("outcome", "blocks", "blocks_when_accepted"),
    [
        (Outcome.PASSED, False, False),
        (Outcome.NOT_APPLICABLE, False, False),
        (Outcome.INCONCLUSIVE, True, False),
        (Outcome.FAILED, True, True),
    ],
)
def test_which_outcomes_keep_a_model_out(
    outcome: Outcome, blocks: bool, blocks_when_accepted: bool
) -> None:
    check = Check("rule", outcome)
    assert check.figures == {}
    assert check.blocks(accept_inconclusive=False) is blocks
    assert check.blocks(accept_inconclusive=True) is blocks_when_accepted
    assert Verdict((check,)).passed is not blocks


def test_outcomes_have_the_words_of_the_reports() -> None:
    assert [outcome.value for outcome in Outcome] == [
        "passed",
        "failed",
        "inconclusive",
        "not_applicable",
    ]
