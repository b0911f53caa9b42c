"""How far homes are from those that a model was trained on: warned of, or not answered."""

from functools import cached_property
from math import isfinite
from typing import Any

from attrs import frozen

from .rules import Fault, outside

Bounds = tuple[Any, Any]


@frozen
class Respect:
    """One in which homes may be unlike those that were sold, told by a field of theirs."""

    what: str
    field: str
    unit: str

    @property
    def warning(self) -> str:
        """The code of an estimate that carries it."""
        return f"near_edge:{self.what}"

    def fault(self, value: float, low: float, high: float) -> Fault:
        """Why a home is not valued, with the figure and the bounds that there are."""
        bounds = [f"at least {low:,.7g}"] if isfinite(low) else []
        bounds += [f"at most {high:,.7g}"] if isfinite(high) else []
        message = f"{value:,.7g}{self.unit}; {' and '.join(bounds)} is valued"
        return Fault(self.field, f"out_of_domain:{self.what}", message)


@frozen(eq=False, slots=False)
class Reaches:
    """How far homes are in all respects.

    *value* and the inclusive bounds have the shape (homes, respects). Beyond *warn* an estimate
    carries a warning, beyond *refuse* there is none.
    """

    respects: tuple[Respect, ...]
    value: Any
    warn: Bounds
    refuse: Bounds

    @cached_property
    def refused(self) -> Any:
        """Who is too far in which respect."""
        return outside(self.value, *self.refuse)

    @cached_property
    def warned(self) -> Any:
        """Who is far; those that are refused are, too."""
        return outside(self.value, *self.warn)

    def faults(self, row: int) -> tuple[Fault, ...]:
        """Why the home in this row is not valued; none if it is."""
        low, high = self.refuse
        return tuple(
            respect.fault(*(float(told[row, place]) for told in (self.value, low, high)))
            for place, respect in enumerate(self.respects)
            if self.refused[row, place]
        )

    def warnings(self, row: int) -> tuple[str, ...]:
        """The codes of the estimate of the home in this row."""
        far = self.warned[row].tolist()
        return tuple(
            respect.warning for respect, warned in zip(self.respects, far, strict=True) if warned
        )
