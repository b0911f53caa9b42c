"""What homes that are columns are worth, a list of each figure."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from math import inf, isfinite
from typing import Any

from attrs import define

from ..domain.appraisal import Appraisal, listed
from ..domain.estimate import Estimates
from ..domain.model import Kind, LoadedModel
from ..domain.municipality import RENUMBERED
from ..domain.rules import Fault

STUB_WARNING = "stub:model"
UNKNOWN_MUNICIPALITY = "unknown:municipality_number"
_NO_PRICE = Fault("", "out_of_domain:price", "the model gives no price for this home")


@define(eq=False, slots=False)
class ValueColumns:
    """Price homes that keep the rules, for days that a model may be asked for."""

    municipalities: Collection[str]

    def __call__(
        self,
        columns: Mapping[str, Any],
        loaded: LoadedModel,
        coverage: float,
        warnings: Sequence[tuple[str, ...]],
        renumbered: Sequence[int] = (),
    ) -> Estimates:
        """Homes with the *warnings* that each has already; those out of the domain are refused.

        Municipalities are those of today; *renumbered* are the rows in which another was given.
        """
        appraisal = loaded.model.appraise(columns, (coverage,))
        prices = listed(appraisal.price)
        refused = _refused(appraisal, prices)
        for row in refused:
            prices[row] = 0.0
        areas = listed(columns["usable_area"])
        fsd = [None] * len(prices) if appraisal.fsd is None else listed(appraisal.fsd)
        return Estimates(
            model_version=loaded.version.version,
            coverage=coverage,
            estimated_price=[round(price) for price in prices],
            price_per_sqm=[
                round(price / (area or 1)) for price, area in zip(prices, areas, strict=True)
            ],
            interval=_intervals(appraisal, coverage, len(prices)),
            fsd=[None if value is None or not isfinite(value) else value for value in fsd],
            warnings=self._warned(columns, loaded, appraisal, warnings, renumbered),
            refused=refused,
        )

    def _warned(
        self,
        columns: Mapping[str, Any],
        loaded: LoadedModel,
        appraisal: Appraisal,
        warnings: Sequence[tuple[str, ...]],
        renumbered: Sequence[int],
    ) -> list[tuple[str, ...]]:
        told = list(warnings)
        reaches = appraisal.reaches
        if reaches is not None:
            for row in _rows(reaches.warned):
                told[row] += reaches.warnings(row)
        if loaded.version.record.kind is Kind.STUB:
            told = [(*own, STUB_WARNING) for own in told]
        known = self._codes
        for row, code in enumerate(listed(columns["municipality_number"])):
            if code not in known:
                told[row] += (UNKNOWN_MUNICIPALITY,)
        for row in renumbered:
            told[row] += (RENUMBERED,)
        return told

    @cached_property
    def _codes(self) -> frozenset[float]:
        return frozenset(float(number) for number in self.municipalities)


def _refused(appraisal: Appraisal, prices: Sequence[float]) -> dict[int, tuple[Fault, ...]]:
    reaches = appraisal.reaches
    found = {row: reaches.faults(row) for row in _rows(reaches.refused)} if reaches else {}
    for row, price in enumerate(prices):
        if not 0 < price < inf:
            found.setdefault(row, (_NO_PRICE,))
    return found


def _rows(masks: Any) -> list[int]:
    """Of the homes in which anything is true."""
    return [row for row, mask in enumerate(listed(masks)) if True in mask]


def _intervals(appraisal: Appraisal, coverage: float, count: int) -> list[tuple[int, int] | None]:
    if coverage not in appraisal.intervals:
        return [None] * count
    lower, upper = (listed(bound) for bound in appraisal.intervals[coverage])
    return [
        (round(low), round(high)) if isfinite(low) and isfinite(high) else None
        for low, high in zip(lower, upper, strict=True)
    ]
