"""How far homes are from those that a model was trained on: warned of, or not answered."""

from math import isfinite
from typing import Any

from attrs import frozen

from .rules import Fault, outside

Bounds = tuple[Any, Any]


@frozen(eq=False)
class Reach:
    """One respect in which homes may be unlike those that were sold.

    *value* and the inclusive bounds are columns. Beyond *warn* an estimate carries a warning,
    beyond *refuse* there is none.
    """

    what: str
    field: str
    unit: str
    value: Any
    warn: Bounds
    refuse: Bounds

    @property
    def refused(self) -> Any:
        """Which are too far."""
        return outside(self.value, *self.refuse)

    @property
    def warned(self) -> Any:
        """Which are far; those that are refused are, too."""
        return outside(self.value, *self.warn)

    @property
    def warning(self) -> str:
        """The code of an estimate that carries it."""
        return f"near_edge:{self.what}"

    def fault(self, row: int) -> Fault:
        """Why the home in this row is not valued, with the figure."""
        low, high = (float(bound[row]) for bound in self.refuse)
        bounds = [f"at least {low:,.7g}"] if isfinite(low) else []
        bounds += [f"at most {high:,.7g}"] if isfinite(high) else []
        message = f"{float(self.value[row]):,.7g}{self.unit}; {' and '.join(bounds)} is valued"
        return Fault(self.field, f"out_of_domain:{self.what}", message)
