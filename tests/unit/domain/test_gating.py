"""The gate: which rule lets a model through, and where each draws the line."""

from math import inf, nan, nextafter
from typing import Any

import pytest
from attrs import evolve

from ree.domain.coverage import Coverage
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
    coverage=(
        Coverage(n=1000, wanted=0.8, covered=0.5, lower=0.47, upper=0.53, width=0.4),
        Coverage(n=1000, wanted=0.9, covered=0.9, lower=0.88, upper=0.92, width=0.5),
    ),
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
COVERAGES = ["overall_coverage", "enebolig_coverage"]
RULES = ["enough_rows", "beats_baseline", *LIMITS, *COVERAGES]


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
    assert [r for r, o in outcomes(verdict).items() if o is Outcome.INCONCLUSIVE] == RULES[6:10]


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
    compared = verdict.checks[2 : -len(COVERAGES)]
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


# What intervals hold


def covering(lower: float, upper: float, n: int = 1000, **changes: Any) -> Metrics:
    found = Coverage(n, 0.9, (lower + upper) / 2, lower, upper, 0.5)
    return evolve(ACTIVE, coverage=(evolve(found, **changes),))


@pytest.mark.parametrize("rule", COVERAGES)
@pytest.mark.parametrize(
    ("lower", "upper", "outcome"),
    [
        (0.88, 0.92, Outcome.PASSED),
        (0.80, 0.87, Outcome.PASSED),
        (0.80, nextafter(0.87, 0), Outcome.FAILED),
        (0.93, 0.99, Outcome.PASSED),
        (nextafter(0.93, 1), 0.99, Outcome.FAILED),
        (0.5, 1.0, Outcome.PASSED),
    ],
)
def test_the_share_that_intervals_hold_may_be_90_give_or_take_3(
    rule: str, lower: float, upper: float, outcome: Outcome
) -> None:
    metrics = covering(lower, upper)
    overall = rule.startswith("overall")
    verdict = judge(evaluation(metrics) if overall else evaluation(enebolig=metrics))
    assert outcomes(verdict) == dict.fromkeys(RULES, Outcome.PASSED) | {rule: outcome}
    assert verdict.passed is (outcome is Outcome.PASSED)
    figures = the(rule, verdict).figures
    assert figures["covered_interval"] == [lower, upper]
    assert figures["tolerance"] == 0.03


def test_the_tolerance_is_a_setting() -> None:
    candidate = evaluation(covering(0.80, 0.86))
    assert not judge(candidate).passed
    assert judge(candidate, coverage_tolerance=0.05).passed


@pytest.mark.parametrize(
    ("rule", "n", "outcome", "passed"),
    [
        ("overall_coverage", 29, Outcome.INCONCLUSIVE, False),
        ("overall_coverage", 30, Outcome.FAILED, False),
        ("enebolig_coverage", 199, Outcome.INCONCLUSIVE, True),
        ("enebolig_coverage", 200, Outcome.FAILED, False),
    ],
)
def test_few_intervals_tell_nothing(rule: str, n: int, outcome: Outcome, passed: bool) -> None:
    metrics = covering(0.1, 0.2, n)
    overall = rule.startswith("overall")
    verdict = judge(evaluation(metrics) if overall else evaluation(enebolig=metrics))
    assert the(rule, verdict).outcome is outcome
    assert verdict.passed is passed


def test_every_type_that_was_sold_is_looked_at() -> None:
    candidate = Evaluation(ACTIVE, {"enebolig": ACTIVE, "hytte": covering(0.1, 0.2)})
    assert [check.rule for check in judge(candidate).blocking] == ["hytte_coverage"]


def test_a_type_without_intervals_among_others_is_inconclusive() -> None:
    candidate = Evaluation(ACTIVE, {"enebolig": evolve(ACTIVE, coverage=())})
    assert the("enebolig_coverage", judge(candidate)).outcome is Outcome.INCONCLUSIVE


def test_a_model_without_intervals_is_not_asked_for_them() -> None:
    none = evolve(ACTIVE, coverage=())
    verdict = judge(evaluation(none, none))
    assert the("overall_coverage", verdict).outcome is Outcome.NOT_APPLICABLE
    assert the("overall_coverage", verdict).figures == {"reason": "no_intervals"}
    assert verdict.passed


def test_a_width_that_is_no_number_fails() -> None:
    candidate = evaluation(covering(0.88, 0.92, width=nan))
    assert the("overall_coverage", judge(candidate)).outcome is Outcome.FAILED
