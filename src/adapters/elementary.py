"""The logarithm and the exponential of columns: the same bits on every processor with FMA.

NumPy's own have others where there is AVX-512, and what is trained on them is another model.
"""

import math
from typing import Any

from .compiled import elementwise


@elementwise
def log(x: Any) -> Any:
    """The natural logarithm; -inf of 0, NaN of what is negative."""
    return math.log(x)


@elementwise
def exp(x: Any) -> Any:
    """e to the power of x; inf where that is too large."""
    return math.exp(x)
