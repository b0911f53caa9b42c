"""Figures of drift and what is made of them."""

from datetime import date
from math import isnan, log, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.domain.distribution import CategoryBins, NumberBins, chance, psi
from ree.domain.drift import DriftRules, DriftVerdict, Limits, Observed
from ree.domain.turnover import Period

from ...drift_report import drift_report

counted = st.lists(st.integers(0, 5_000), min_size=3, max_size=20)
pairs = st.integers(3, 20).flatmap(
    lambda bins: st.tuples(
        *(st.lists(st.integers(0, 5_000), min_size=bins, max_size=bins) for _ in range(2))
    )
)
WRONG = r"rise|bins|counts|above|must be"
FLATS = CategoryBins(("leilighet",), (500, 500))


def numbers(counts: list[int]) -> NumberBins:
    return NumberBins(tuple(map(float, range(len(counts) - 2))), tuple(counts))


def categories(counts: list[int]) -> CategoryBins:
    return CategoryBins(tuple(map(str, range(len(counts) - 1))), tuple(counts))


def test_the_index_is_siddiqis_less_what_chance_makes_of_it() -> None:
    n, m = 10_000_000, 5_000_000
    whole = 0.2 * log(0.7 / 0.5) - 0.2 * log(0.3 / 0.5)
    assert psi((n // 2, n // 2), (7 * m // 10, 3 * m // 10)) == pytest.approx(whole, abs=1e-6)
    p, q = (50.5 / 101, 50.5 / 101), (70.5 / 101, 30.5 / 101)
    smoothed = sum((b - a) * log(b / a) for a, b in zip(p, q, strict=True))
    assert psi((50, 50), (70, 30)) == pytest.approx(smoothed - (1 / 100 + 1 / 100))
    assert psi((50, 0, 50), (70, 0, 30)) == psi((50, 50), (70, 30))
    assert 0 < psi((1_000, 0), (900, 100)) < 1


@given(pairs)
def test_figures_are_of_the_shares_and_within_their_bounds(both: tuple[list[int], ...]) -> None:
    trained, sold = both
    for bins in (numbers(trained), categories(trained)):
        distance = bins.distance(sold)
        if sum(trained) and sum(sold):
            assert 0 <= distance <= 1
            assert psi(trained, sold) >= 0
            assert bins.distance([3 * count for count in sold]) == pytest.approx(distance)
            shares = [
                abs(b / sum(sold) - a / sum(trained)) for a, b in zip(trained, sold, strict=True)
            ]
            if isinstance(bins, CategoryBins):
                assert distance == pytest.approx(sum(shares) / 2)
            else:
                assert max(shares) / 2 - 1e-9 <= distance <= sum(shares) / 2 + 1e-9
        else:
            assert isnan(distance)
            assert isnan(psi(trained, sold))


@given(counted)
def test_the_same_sales_are_not_apart(counts: list[int]) -> None:
    if sum(counts):
        assert numbers(counts).distance(counts) == categories(counts).distance(counts) == 0
        assert psi(counts, counts) == 0


def test_the_distance_of_numbers_is_that_of_their_distribution_functions() -> None:
    bins = NumberBins((50.0, 100.0), (10, 20, 10, 0))
    assert bins.distance((20, 20, 0, 0)) == 0.25
    assert bins.distance((0, 0, 0, 8)) == 1
    assert bins.names == ("under 50", "50 to under 100", "100 or more", "missing")
    assert NumberBins((), (3, 0)).names == ("all", "missing")
    assert NumberBins((1_250_000.0,), (3, 4, 0)).names[0] == "under 1 250 000"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: NumberBins((1.0,), (1, 2)),
        lambda: NumberBins((2.0, 1.0), (1, 2, 3, 4)),
        lambda: NumberBins((nan, 1.0), (1, 2, 3, 4)),
        lambda: NumberBins((1.0,), (1, 2, -1)),
        lambda: CategoryBins(("a",), (1, 2, 3)),
        lambda: CategoryBins(("a",), (1, -2)),
        lambda: Limits(0.2, 0.2),
        lambda: Limits(0.0, 0.2),
        lambda: DriftRules(min_sales=0),
    ],
)
def test_what_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=WRONG):
        wrong()


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (0.0, DriftVerdict.STABLE),
        (0.0999, DriftVerdict.STABLE),
        (0.1, DriftVerdict.WATCH),
        (0.2499, DriftVerdict.WATCH),
        (0.25, DriftVerdict.DRIFTED),
        (9.0, DriftVerdict.DRIFTED),
        (nan, DriftVerdict.TOO_FEW),
    ],
)
def test_a_limit_belongs_to_what_is_beyond_it(figure: float, verdict: DriftVerdict) -> None:
    assert Limits(0.1, 0.25).verdict(figure) is verdict


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([], "too_few"),
        (["too_few", "too_few"], "too_few"),
        (["stable", "too_few"], "stable"),
        (["drifted", "stable", "watch"], "drifted"),
        (["watch", "stable"], "watch"),
    ],
)
def test_the_worst_verdict_is_told(verdicts: list[str], worst: str) -> None:
    assert DriftVerdict.worst([DriftVerdict(name) for name in verdicts]).value == worst


def judged(sold: tuple[int, int], shift: float = 0.0, **rules: Any) -> dict[str, Any]:
    observed = Observed(sum(sold), {"realestate_type": sold}, shift)
    found = DriftRules(**rules).judge({"realestate_type": FLATS}, observed)
    return {one.feature: one for one in found}


def test_the_worse_of_index_and_distance_decides() -> None:
    assert judged((252, 148))["realestate_type"].verdict is DriftVerdict.WATCH
    lax = Limits(0.9, 0.95)
    assert judged((252, 148), distance=lax)["realestate_type"].verdict is DriftVerdict.STABLE
    assert judged((360, 40), distance=lax)["realestate_type"].verdict is DriftVerdict.DRIFTED
    assert judged((360, 40), psi=lax)["realestate_type"].verdict is DriftVerdict.DRIFTED


def test_what_changed_most_is_told_with_both_shares() -> None:
    change = judged((100, 300))["realestate_type"].most_changed
    assert (change.bin, change.trained, change.sold) == ("leilighet", 0.5, 0.25)


def test_few_sales_have_figures_but_no_verdict() -> None:
    found = judged((299, 0), shift=0.3)
    assert {one.verdict for one in found.values()} == {DriftVerdict.TOO_FEW}
    assert found["realestate_type"].distance == 0.5
    assert found["price_level"].shift == 0.3
    assert judged((300, 0))["realestate_type"].verdict is DriftVerdict.DRIFTED
    nothing = judged((0, 0), shift=nan)
    assert nothing["realestate_type"].most_changed is None
    assert isnan(nothing["realestate_type"].psi)


def test_many_bins_take_more_sales() -> None:
    bins = {"county": CategoryBins(tuple("abcdefghijklmno"[:14]), (200,) * 15)}
    rules = DriftRules()

    def verdict(sales: int) -> DriftVerdict:
        sold = (sales, *(0,) * 14)
        return rules.judge(bins, Observed(sales, {"county": sold}, 0.0))[0].verdict

    assert chance((200,) * 15, (396, *(0,) * 14)) > rules.most_chance
    assert chance((200,) * 15, (397, *(0,) * 14)) <= rules.most_chance
    assert verdict(396) is DriftVerdict.TOO_FEW
    assert verdict(397) is DriftVerdict.DRIFTED


def test_a_small_training_set_tells_nothing() -> None:
    bins = {"realestate_type": CategoryBins(("leilighet",), (299, 0))}
    found = DriftRules().judge(bins, Observed(400, {"realestate_type": (0, 400)}, 0.5))
    assert {one.verdict for one in found} == {DriftVerdict.TOO_FEW}


@pytest.mark.parametrize(
    ("until", "known"),
    [(date(2025, 12, 31), False), (date(2026, 1, 1), True), (None, False)],
)
def test_sales_that_the_version_was_trained_on_are_known(until: date | None, known: bool) -> None:
    report = drift_report(trained_until=until)
    assert report.period == Period(date(2026, 1, 1), date(2026, 1, 31))
    assert report.known_sales is known
