"""Looking up the figures of a segment."""

from attrs import evolve

from ree.domain.evaluation import Comparison, Evaluation, Interval, Metrics
from ree.domain.residuals import Driver, Residuals

OVERALL = Metrics(9, 1, 2, 3, 4, 5, 6, 7, 8)
HYTTE = Metrics(4, 1, 2, 3, 4, 5, 6, 7, 8)
EVALUATION = Evaluation(OVERALL, {"hytte": HYTTE}, {"0301": HYTTE})


def test_a_segment_is_a_type_or_all() -> None:
    assert EVALUATION.segment(None) is OVERALL
    assert EVALUATION.segment("hytte") is HYTTE
    assert EVALUATION.segment("rekkehus") is None
    assert EVALUATION.segment("0301") is None


def test_an_evaluation_may_have_no_segments() -> None:
    assert Evaluation(OVERALL).segment("hytte") is None
    assert Evaluation(OVERALL).by_municipality == {}


def test_an_interval_is_found_by_segment_and_metric() -> None:
    mae, wape = Interval(-0.1, 0.1), Interval(0, 1)
    intervals = {"overall": {"mae": mae}, "hytte": {"wape": wape}}
    comparison = Comparison(EVALUATION, EVALUATION, intervals)
    assert comparison.interval(None, "mae") is mae
    assert comparison.interval("hytte", "wape") is wape
    assert comparison.interval("hytte", "mae") is None
    assert comparison.interval("rekkehus", "mae") is None
    assert Comparison(EVALUATION, EVALUATION).interval(None, "mae") is None


def test_in_brief_an_evaluation_has_all_but_what_a_report_draws() -> None:
    drawn = evolve(
        EVALUATION, residuals=Residuals((), (), {}, 1.1, ()), drivers={"a": Driver(1, 1)}
    )
    assert drawn.brief == EVALUATION
    assert EVALUATION.brief == EVALUATION
