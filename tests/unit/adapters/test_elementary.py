"""Logarithm and exponential of columns."""

import math

import numpy as np
import pytest

from ree.adapters.elementary import exp, log


def test_they_are_those_of_the_standard_library_to_the_last_bit() -> None:
    x = np.random.default_rng(0).uniform(1e-3, 1e7, 10_000)
    assert log(x).tolist() == [math.log(one) for one in x]
    z = np.log(x)
    assert exp(z).tolist() == [math.exp(one) for one in z]
    assert exp(1.0) == math.e


def test_beyond_what_they_are_known_for() -> None:
    with np.errstate(all="ignore"):
        assert log(np.array([0.0, np.inf])).tolist() == [-np.inf, np.inf]
        assert np.isnan(log(np.array([-1.0, np.nan]))).all()
        assert exp(np.array([-np.inf, 1e9])).tolist() == [0.0, np.inf]


def test_shapes_are_kept() -> None:
    assert exp(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert log(np.ones((4, 3))[:, 1]) == pytest.approx(np.zeros(4))
