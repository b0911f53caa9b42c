"""How sales are counted into bins."""

import numpy as np
import pytest
from attrs import evolve

from ree.adapters import codec
from ree.adapters.tally import NumpyTally
from ree.domain.dataset import Dataset
from ree.domain.distribution import CategoryBins, Distributions, NumberBins
from ree.domain.drift import FEATURES
from ree.domain.model import Kind, Recipe, TrainingRecord

from ...integration.made_up_sales import sales

TALLY = NumpyTally()
SALES = sales(2_000)
ESTIMATE = SALES.columns["price"] * 1.1


def changed(**columns: object) -> Dataset:
    return Dataset({**SALES.columns, **columns})


def trained(dataset: Dataset = SALES) -> Distributions:
    return TALLY.distributions(dataset, dataset.columns["price"] * 1.1)


def test_every_feature_is_counted_once_a_sale() -> None:
    found = trained()
    assert {*found, "price_level"} == set(FEATURES)
    assert {sum(bins.counts) for bins in found.values()} == {2_000}
    observed = TALLY.observe(SALES, ESTIMATE, found)
    assert observed.sales == 2_000
    assert observed.counts == {name: bins.counts for name, bins in found.items()}
    assert observed.shift == pytest.approx(1 / 1.1 - 1)


def test_the_order_of_the_sales_is_nothing() -> None:
    rows = np.random.default_rng(1).permutation(2_000)
    other = SALES.where(rows)
    assert trained(other) == trained()
    assert TALLY.observe(other, ESTIMATE[rows], trained()) == TALLY.observe(
        SALES, ESTIMATE, trained()
    )


def test_bins_of_a_number_are_about_equal_and_have_round_edges() -> None:
    price = trained()["price_per_sqm"]
    assert isinstance(price, NumberBins)
    assert len(price.edges) == 9
    assert min(price.counts[:-1]) > 180
    assert all(edge == float(f"{edge:.3g}") for edge in price.edges)


def test_a_number_with_few_values_has_a_bin_for_each_and_one_for_what_is_missing() -> None:
    rooms = np.repeat([1.0, 2.0, 3.0, np.nan], 500)
    found = trained(changed(rooms=rooms))["rooms"]
    assert found == NumberBins((2.0, 3.0), (500, 500, 500, 500))
    observed = TALLY.observe(changed(rooms=rooms + 1), ESTIMATE, {"rooms": found})
    assert observed.counts["rooms"] == (0, 500, 1_000, 500)
    nothing = trained(changed(rooms=np.full(2_000, np.nan)))["rooms"]
    assert nothing == NumberBins((), (0, 2_000))


def test_small_categories_are_among_the_others_and_so_are_new_ones() -> None:
    numbers = np.repeat([301.0, 4601.0, 1103.0, 5001.0], [1_000, 921, 40, 39])
    found = trained(changed(municipality_number=numbers))["municipality_number"]
    assert found == CategoryBins(("0301", "4601", "1103"), (1_000, 921, 40, 39))
    later = changed(municipality_number=np.where(numbers == 301.0, 3203.0, numbers))
    counts = TALLY.observe(later, ESTIMATE, {"municipality_number": found}).counts
    assert counts["municipality_number"] == (0, 921, 40, 1_039)


def test_age_is_that_at_the_sale() -> None:
    found = trained()
    later = changed(year=SALES.columns["year"] + 1, built_year=SALES.columns["built_year"] + 1)
    assert TALLY.observe(later, ESTIMATE, found).counts["age"] == found["age"].counts
    older = changed(year=SALES.columns["year"] + 1)
    assert TALLY.observe(older, ESTIMATE, found).counts["age"] != found["age"].counts


def test_an_estimate_that_is_none_is_missing() -> None:
    estimate = ESTIMATE.copy()
    estimate[:3] = [np.nan, np.inf, -np.inf]
    observed = TALLY.observe(SALES, estimate, trained())
    assert observed.counts["estimate_per_sqm"][-1] == 3
    assert observed.shift == pytest.approx(1 / 1.1 - 1)


def test_no_sale_at_all() -> None:
    none = SALES.take([])
    observed = TALLY.observe(none, np.empty(0), trained())
    assert observed.sales == 0
    assert {sum(counts) for counts in observed.counts.values()} == {0}
    assert np.isnan(observed.shift)


def test_a_record_keeps_them_and_one_from_before_has_none() -> None:
    record = TrainingRecord(Kind.TRAINED, Recipe("x"), {})
    kept = codec.plain(evolve(record, distributions=trained()))
    assert codec.structured(kept, TrainingRecord, "a").distributions == trained()
    kept.pop("distributions")
    assert codec.structured(kept, TrainingRecord, "a").distributions == {}
