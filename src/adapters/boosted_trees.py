"""The model that is trained: trees boosted on what is known of homes and of their market."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from attrs import define, field

from ..domain.appraisal import Appraisal
from ..domain.explanation import MOST_COMPARABLES, Explanation
from .conformal import Conformal
from .contributions import contributions
from .features import FEATURES
from .frames import Frame, offsets
from .market import Market
from .objects import digest
from .reference_home import ReferenceHome
from .stored_arrays import Arrays, npz
from .training_domain import TrainingDomain, nearness
from .trees import Trees

Column = npt.NDArray[np.float64]
_AT_ONCE = 4_096
"""Homes whose features are held in memory."""


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
        trees, frames = Trees.from_arrays(arrays, len(FEATURES)), arrays["frames"]
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
        return np.exp(_joined(logs.mean(axis=1) for _, logs in self._seen(homes)))

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        """Prices with intervals and fsd, and how far the homes are from what was sold."""
        logs, errors, distances = [], [], []
        for x, members in self._seen(homes):
            logs.append(members.mean(axis=1))
            distances.append(nearness(x))
            if self.conformal:
                errors.append(self.conformal.expected_error(x, members))
        price = np.exp(_joined(logs))
        reaches = self.domain.reaches(homes, _joined(distances)) if self.domain else ()
        if self.conformal is None:
            return Appraisal(price, reaches=reaches)
        off = self.conformal.errors(homes["realestate_type"], _joined(errors))
        intervals = {share: off.interval(price, share) for share in coverages}
        return Appraisal(price, intervals, off.fsd(), reaches)

    def explain(self, homes: Mapping[str, Any]) -> list[Explanation]:
        """Against the reference, whose estimate is the base; all is base where there is none."""
        return [each for part in _parts(homes) for each in self._explained(part)]

    def see(self, homes: Mapping[str, Any]) -> tuple[Any, Any]:
        """Features, and the log of the price by each member: shape (homes, members)."""
        x = self.market.features(homes)
        hedonic = self.market.hedonic.log_per_sqm(homes)
        return x, self.trees.predict(x) + offsets(homes, hedonic, self.frames)

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

    def _seen(self, homes: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
        yield from map(self.see, _parts(homes))


def _parts(homes: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(homes["day"]), _AT_ONCE):
        yield {name: column[start : start + _AT_ONCE] for name, column in homes.items()}


def _joined(columns: Iterable[Column]) -> Column:
    return np.concatenate([np.empty(0), *columns])
