"""The IAAO ratio study."""

from math import isnan, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.adapters.ratio_study import FORMULAS, ratio_study
from ree.domain.ratio_study import BANDS, Ratio, RatioStudy


def study(estimate: list[float], price: list[float], resamples: int = 200) -> RatioStudy:
    found = ratio_study(np.array(estimate), np.array(price), resamples=resamples, seed=0)
    assert found is not None
    return found


def test_by_hand() -> None:
    # Ratios 0.8, 1.0, 1.2, 0.9 of prices 1, 2, 4 and 8.
    estimate, price = [0.8, 2.0, 4.8, 7.2], [1.0, 2.0, 4.0, 8.0]
    found = study(estimate, price)
    median = 0.95
    assert found.n == 4
    assert found.median_ratio.value == pytest.approx(median)
    assert found.cod.value == pytest.approx(100 * (0.15 + 0.05 + 0.25 + 0.05) / 4 / median)
    assert found.prd.value == pytest.approx((3.9 / 4) / (14.8 / 15))
    x = [log2((p + e / median) / 2) for e, p in zip(estimate, price, strict=True)]
    y = [(e / p - median) / median for e, p in zip(estimate, price, strict=True)]
    assert found.prb.value == pytest.approx(np.polyfit(x, y, 1)[0])


def test_equal_ratios_are_perfectly_uniform() -> None:
    found = study([1.1, 2.2, 3.3, 4.4], [1.0, 2.0, 3.0, 4.0])
    for name, value in (("median_ratio", 1.1), ("cod", 0), ("prd", 1), ("prb", 0)):
        figure: Ratio = getattr(found, name)
        assert figure.value == pytest.approx(value, abs=1e-12)
        assert figure.lower == pytest.approx(value, abs=1e-9)
        assert figure.upper == pytest.approx(value, abs=1e-9)


def test_dear_homes_estimated_too_low_are_regressive() -> None:
    price = np.geomspace(1e6, 1e7, 200)
    found = study(list(price * (price / 3e6) ** -0.2), list(price))
    assert found.prd.value > 1.03
    assert found.prb.value < -0.05
    assert found.statuses()["prb"] == found.statuses()["prd"] == "risk"


@given(
    st.lists(st.tuples(st.floats(1, 9), st.floats(1, 9)), min_size=3, max_size=30),
    st.floats(0.1, 50),
)
def test_currency_does_not_matter(rows: list[tuple[float, float]], factor: float) -> None:
    estimate, price = (np.array(column) for column in zip(*rows, strict=True))
    for name, formula in FORMULAS.items():
        one, other = formula(estimate, price), formula(estimate * factor, price * factor)
        assert np.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True), name


def test_one_sample_and_many_resamples_are_the_same_formula() -> None:
    random = np.random.default_rng(1)
    estimate, price = random.uniform(1, 9, (5, 40)), random.uniform(1, 9, (5, 40))
    for formula in FORMULAS.values():
        rows = [float(formula(*pair)) for pair in zip(estimate, price, strict=True)]
        assert formula(estimate, price) == pytest.approx(rows)


def test_an_interval_holds_its_figure_and_is_the_same_each_time() -> None:
    random = np.random.default_rng(2)
    price = random.uniform(2e6, 9e6, 300)
    estimate = price * random.lognormal(0, 0.15, 300)
    found = study(list(estimate), list(price))
    for name in BANDS:
        figure: Ratio = getattr(found, name)
        assert figure.lower < figure.value < figure.upper
    assert found == study(list(estimate), list(price))


@pytest.mark.parametrize("resamples", [1, 1_000])
def test_many_sales_are_looked_at_in_blocks(resamples: int) -> None:
    price = np.linspace(1e6, 9e6, 3_000)
    assert study(list(price), list(price), resamples).cod.upper == 0


def test_of_nothing_there_is_no_study() -> None:
    assert ratio_study(np.empty(0), np.empty(0), resamples=10, seed=0) is None


def test_one_sale_has_no_price_related_bias() -> None:
    found = study([2.0], [1.0])
    assert isnan(found.prb.value)
    assert found.statuses()["prb"] == "risk"


@pytest.mark.parametrize(
    ("figure", "n", "status"),
    [
        (Ratio(0.90, 0.8, 1.0), 30, "good"),
        (Ratio(1.10, 1.0, 1.2), 30, "good"),
        (Ratio(1.10, 1.0, 1.2), 29, "risk"),
        (Ratio(1.11, 1.10, 1.2), 30, "ok"),
        (Ratio(0.89, 0.8, 0.90), 30, "ok"),
        (Ratio(1.12, 1.11, 1.2), 30, "risk"),
        (Ratio(0.88, 0.8, 0.89), 30, "risk"),
        (Ratio(1.0, float("nan"), float("nan")), 30, "risk"),
    ],
)
def test_the_bands_are_those_of_the_standard(figure: Ratio, n: int, status: str) -> None:
    assert figure.status(BANDS["median_ratio"], n) == status
