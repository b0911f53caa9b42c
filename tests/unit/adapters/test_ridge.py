"""Ridge regression with steps of time and effects of places."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ree.adapters.ridge import ridge


def normal_equations(
    traits: Any, y: Any, weeks: Any, places: Any, weights: Any, penalties: Any
) -> Any:
    """Solved as they are written: a column for each trait, step and place."""
    steps = weeks[:, None] > np.arange(weeks.max())
    sites = places[:, None] == np.arange(places.max() + 1)
    x = np.hstack([traits, steps, sites])
    gram = (x * weights[:, None]).T @ x + np.diag(penalties)
    return np.linalg.solve(gram, x.T @ (weights * y))


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 4), st.integers(1, 5))
def test_it_solves_the_normal_equations(seed: int, rows: int, weeks: int, sites: int) -> None:
    rng = np.random.default_rng(seed)
    traits = np.column_stack([np.ones(rows), rng.normal(size=(rows, 3))])
    y, weights = rng.normal(size=rows), rng.uniform(0.001, 1, rows)
    week, site = rng.integers(0, weeks, rows), rng.integers(0, sites, rows)
    penalty = np.array([1e-3, 1.0, 2.0, 3.0])
    found = ridge(traits, y, week, site, weights, penalty, 50.0, 4.0)
    penalties = [*penalty, *[50.0] * week.max(), *[4.0] * (site.max() + 1)]
    expected = normal_equations(traits, y, week, site, weights, penalties)
    assert np.concatenate(found) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_single_week_has_no_step() -> None:
    coefficients, steps, effects = ridge(
        np.ones((2, 1)), np.array([1.0, 3.0]), np.zeros(2, np.int64), np.arange(2), np.ones(2),
        np.array([1e-9]), 50.0, 4.0,
    )  # fmt: skip
    assert coefficients == pytest.approx([2.0])
    assert not steps.size
    assert effects == pytest.approx([-0.2, 0.2])
