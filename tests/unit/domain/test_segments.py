"""How far a segment can be relied on."""

from math import nan

import pytest

from ree.domain.evaluation import Metrics
from ree.domain.segments import status


@pytest.mark.parametrize(
    ("n", "mdape", "expected"),
    [
        (30, 0.10, "good"),
        (30, 0.1001, "ok"),
        (30, 0.20, "ok"),
        (30, 0.2001, "risk"),
        (29, 0.01, "risk"),
        (0, nan, "risk"),
        (1_000, nan, "risk"),
    ],
)
def test_rows_and_median_error_decide(n: int, mdape: float, expected: str) -> None:
    assert status(Metrics(n, 1.0, 1.0, 0.1, mdape, 0.1, 1.0, 0.5, 0.9)) == expected
