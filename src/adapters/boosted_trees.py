"""The model that is trained: trees boosted on what is known of homes and of their market."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from attrs import define, field

from ..domain.appraisal import Appraisal
from ..domain.explanation import MOST_COMPARABLES, Explanation
from ..domain.places import Place
from ..domain.reach import Reaches
from . import elementary
from .conformal import Conformal, sights
from .contributions import contributions
from .features import FEATURES
from .frames import Frame, add_offsets
from .market import Market
from .objects import digest
from .reference_home import ReferenceHome
from .stored_arrays import Arrays, npz
from .table import HomeTable
from .training_domain import TrainingDomain, nearness
from .trees import Trees

Column = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
_AT_ONCE = 256
"""Homes that are looked at together, so that what is told of them stays in the cache."""


@define(eq=False, slots=False)
class BoostedTrees:
    """The mean of members that are boosted on what is known of homes and of their market.

    Averaged in logs, which is nearer to a median than a mean of prices. *conformal* tells how far
    off it may be, *domain* what it has seen, *reference* is what it explains estimates against; a
    version of format 2 has none of them.
    """

    kind: ClassVar[str] = "boosted_trees"
    market: Market
    trees: Trees
    frames: npt.NDArray[np.int32]
    conformal: Conformal | None = None
    domain: TrainingDomain | None = None
    reference: ReferenceHome | None = None
    estimator: Any = field(default=None, repr=False)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read and checked; ValueError, KeyError."""
        trees, frames = Trees.from_arrays(arrays, len(FEATURES)), arrays["frames"].copy()
        if frames.dtype != np.int32 or frames.shape != trees.ends.shape:
            raise ValueError("there is one frame a member")
        if not np.isin(frames, list(Frame)).all():
            raise ValueError("a frame is unknown")
        return cls(
            Market.from_arrays(arrays),
            trees,
            frames,
            Conformal.from_arrays(arrays) if Conformal.inside(arrays) else None,
            TrainingDomain.from_arrays(arrays) if TrainingDomain.inside(arrays) else None,
            ReferenceHome.from_arrays(arrays) if ReferenceHome.inside(arrays) else None,
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that it needs to price homes."""
        arrays = self.market.arrays() | self.trees.arrays() | {"frames": self.frames}
        for part in (self.conformal, self.domain, self.reference):
            arrays |= part.arrays() if part else {}
        return arrays

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its arrays as they are stored."""
        return digest(npz(self.arrays()))

    def estimate(self, homes: Mapping[str, Any]) -> Column:
        """NOK, one for each home."""
        parts = HomeTable.of(homes).parts(_AT_ONCE)
        means = [sights(*self.see(part))[0] for part in parts]
        return np.asarray(elementary.exp(np.concatenate(means)))

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        """Prices with intervals and fsd, and how far the homes are from what was sold."""
        parts = HomeTable.of(homes).parts(_AT_ONCE)
        return _joined([self._appraised(part, coverages) for part in parts])

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        """Against the reference, whose estimate is the base; all is base where there is none."""
        parts = HomeTable.of(homes).parts(_AT_ONCE)
        return [each for part in parts for each in self._explained(part)]

    def places(self) -> list[Place]:
        """Of the sales that its market knows."""
        return self.market.comparables.cells()

    def see(self, homes: Mapping[str, Any]) -> tuple[Matrix, Matrix]:
        """Features, and the log of the price by each member: shape (homes, members)."""
        table = HomeTable.of(homes)
        x, hedonic = self.market.see(table)
        members = self.trees.predict(x)
        add_offsets(members, table["usable_area"], hedonic, self.frames)
        return x, members

    def _appraised(self, homes: HomeTable, coverages: Sequence[float]) -> Appraisal:
        x, members = self.see(homes)
        mean, seen = sights(x, members)
        price = elementary.exp(mean)
        reaches = self.domain.reaches(homes, nearness(x)) if self.domain else None
        if self.conformal is None:
            return Appraisal(price, reaches=reaches)
        expected = self.conformal.expected_error(seen)
        types = homes["realestate_type"]
        return Appraisal(price, *self.conformal.bounds(price, types, expected, coverages), reaches)

    def _explained(self, homes: Mapping[str, Any]) -> list[Explanation]:
        prices = self.estimate(homes).tolist()
        sold = self.market.comparable_sales(homes, MOST_COMPARABLES)
        if self.reference is None:
            return [*map(Explanation.whole, prices, sold)]
        reference = self.reference.columns()
        (base,) = self.estimate(reference).tolist()
        found = contributions(self.market, self.trees, self.frames, homes, reference)
        return [
            Explanation.of(base, parts, price, five)
            for parts, price, five in zip(found, prices, sold, strict=True)
        ]


def _joined(parts: Sequence[Appraisal]) -> Appraisal:
    """What was said of parts, of all their homes."""
    first = parts[0]
    if len(parts) == 1:
        return first
    reached = [part.reaches for part in parts if part.reaches is not None]
    return Appraisal(
        _whole([part.price for part in parts]),
        {share: _pair([part.intervals[share] for part in parts]) for share in first.intervals},
        None if first.fsd is None else _whole([part.fsd for part in parts]),
        Reaches(
            reached[0].respects,
            _whole([reach.value for reach in reached]),
            _pair([reach.warn for reach in reached]),
            _pair([reach.refuse for reach in reached]),
        )
        if reached
        else None,
    )


def _whole(columns: Sequence[Any]) -> Any:
    return np.concatenate(columns)


def _pair(pairs: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    return _whole([lower for lower, _ in pairs]), _whole([upper for _, upper in pairs])
