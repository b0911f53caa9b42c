"""What a model says of homes: prices, between which bounds, and how sure that is."""

from math import inf, nan, nextafter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ree.domain.appraisal import COVERAGE, COVERAGES, Appraisal, Confidence, PriceInterval

PRICE = np.array([1e6, 2e6, 3e6])


def appraisal(lower: list[float], upper: list[float], fsd: list[float] | None = None) -> Appraisal:
    return Appraisal(
        PRICE[: len(lower)],
        {0.9: (np.array(lower), np.array(upper))},
        None if fsd is None else np.array(fsd),
    )


def test_coverages_rise_and_one_of_them_is_meant() -> None:
    assert list(COVERAGES) == sorted(set(COVERAGES))
    assert COVERAGE in COVERAGES
    assert all(0 < share < 1 for share in COVERAGES)


def test_a_home_has_its_own_interval() -> None:
    found = appraisal([0.9e6, 1.5e6], [1.1e6, 2.5e6])
    assert found.interval_of(0, 0.9) == PriceInterval(900_000, 1_100_000, 0.9)
    assert found.interval_of(1, 0.9) == PriceInterval(1_500_000, 2_500_000, 0.9)


def test_bounds_are_whole_kroner() -> None:
    found = appraisal([900_000.4], [1_100_000.6]).interval_of(0, 0.9)
    assert found == PriceInterval(900_000, 1_100_001, 0.9)
    assert found is not None
    assert {type(found.lower), type(found.upper)} == {int}


@pytest.mark.parametrize(
    ("lower", "upper"), [(nan, 1e6), (1e6, nan), (nan, nan), (1e6, inf), (-inf, 1e6)]
)
def test_bounds_that_are_not_finite_are_no_interval(lower: float, upper: float) -> None:
    found = appraisal([0.9e6, lower], [1.1e6, upper])
    assert found.interval_of(1, 0.9) is None
    assert found.interval_of(0, 0.9) is not None


def test_of_another_coverage_there_is_none() -> None:
    assert appraisal([0.9e6], [1.1e6]).interval_of(0, 0.8) is None


def test_a_model_that_knows_prices_alone() -> None:
    found = Appraisal(PRICE)
    assert found.intervals == {}
    assert found.reaches is None
    assert [found.interval_of(row, COVERAGE) for row in range(3)] == [None] * 3
    assert [found.fsd_of(row) for row in range(3)] == [None] * 3


@pytest.mark.parametrize(("fsd", "told"), [(0.0, 0.0), (0.17, 0.17), (nan, None), (inf, None)])
def test_a_standard_deviation_is_told_if_it_is_known(fsd: float, told: float | None) -> None:
    found = appraisal([0.9e6, 1e6], [1.1e6, 2e6], [0.1, fsd])
    assert found.fsd_of(1) == told
    assert found.fsd_of(0) == 0.1


bound = st.floats(0, 1e12) | st.sampled_from([nan, inf])


@settings(deadline=None)
@given(st.lists(st.tuples(bound, st.floats(0, 1e12), bound), min_size=1, max_size=9))
def test_a_price_within_its_bounds_stays_so_in_whole_kroner(
    homes: list[tuple[float, float, float]],
) -> None:
    lower, price, upper = (np.array(column) for column in zip(*homes, strict=True))
    found = Appraisal(price, {COVERAGE: (lower, upper)})
    for row, (low, estimate, high) in enumerate(homes):
        interval = found.interval_of(row, COVERAGE)
        assert (interval is not None) is bool(np.isfinite([low, high]).all())
        if interval is not None and low <= estimate <= high:
            assert interval.lower <= round(estimate) <= interval.upper


@pytest.mark.parametrize(
    ("fsd", "confidence"),
    [
        (0.0, Confidence.HIGH),
        (0.13, Confidence.HIGH),
        (nextafter(0.13, 1), Confidence.MEDIUM),
        (0.20, Confidence.MEDIUM),
        (nextafter(0.20, 1), Confidence.LOW),
        (inf, Confidence.LOW),
        (nan, Confidence.LOW),
    ],
)
def test_confidence_in_a_word(fsd: float, confidence: Confidence) -> None:
    assert Confidence.of(fsd) is confidence


@given(st.floats(0, 1), st.floats(0, 1))
def test_who_errs_more_is_not_surer(one: float, other: float) -> None:
    words = [Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH]
    less, more = sorted([one, other])
    assert words.index(Confidence.of(less)) >= words.index(Confidence.of(more))


def test_confidence_is_told_by_these_words() -> None:
    assert [word.value for word in Confidence] == ["high", "medium", "low"]
