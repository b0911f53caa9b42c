"""The models that are served, each made of plain arrays."""

from collections.abc import Mapping
from enum import IntEnum
from functools import cached_property
from io import BytesIO
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from attrs import define, field

from .features import FEATURES
from .market import Market
from .objects import digest
from .trees import Trees

Arrays = Mapping[str, npt.NDArray[Any]]
_AT_ONCE = 4_096
"""Homes whose features are held in memory."""


@runtime_checkable
class StorableModel(Protocol):
    """A PriceModel that can be kept as arrays; *estimator* is for people, never for serving."""

    kind: ClassVar[str]
    estimator: Any

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that it needs to price homes."""

    @property
    def digest(self) -> str:
        """SHA-256 of its arrays as they are stored."""

    def estimate(self, homes: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """NOK, one for each home."""


def npz(arrays: Arrays) -> bytes:
    """Arrays as an uncompressed .npz; equal arrays give equal bytes."""
    buffer = BytesIO()
    np.savez(buffer, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return buffer.getvalue()


@define(eq=False, slots=False)
class BoostedTrees:
    """The mean of members that are boosted on what is known of homes and of their market.

    Averaged in logs, which is nearer to a median than a mean of prices.
    """

    kind: ClassVar[str] = "boosted_trees"
    market: Market
    trees: Trees
    frames: npt.NDArray[np.int32]
    estimator: Any = field(default=None, repr=False)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read and checked; ValueError, KeyError."""
        trees, frames = Trees.from_arrays(arrays, len(FEATURES)), arrays["frames"]
        if frames.dtype != np.int32 or frames.shape != trees.ends.shape:
            raise ValueError("there is one frame a member")
        if not np.isin(frames, list(Frame)).all():
            raise ValueError("a frame is unknown")
        return cls(Market.from_arrays(arrays), trees, frames)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that it needs to price homes."""
        return self.market.arrays() | self.trees.arrays() | {"frames": self.frames}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its arrays as they are stored."""
        return digest(npz(self.arrays()))

    def estimate(self, homes: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """NOK, one for each home."""
        prices = np.empty(len(homes["day"]))
        for start in range(0, len(prices), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            asked = {name: column[part] for name, column in homes.items()}
            logs = self.trees.predict(self.market.features(asked))
            logs += offsets(asked, self.market.hedonic.log_per_sqm(asked), self.frames)
            prices[part] = np.exp(logs.mean(axis=1))
        return prices


class Frame(IntEnum):
    """What a member's trees add to, for the log of the price."""

    NOTHING = 0
    AREA = 1
    HEDONIC = 2


def offsets(
    homes: Mapping[str, Any],
    hedonic: npt.NDArray[np.float64],
    frames: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """What the trees of each member add to, shape (homes, members); *hedonic* is per m2, a log."""
    area = np.log(homes["usable_area"])
    known = np.stack([np.zeros(len(area)), area, area + hedonic])
    return np.ascontiguousarray(known[frames].T)


@define(eq=False, slots=False)
class MedianPricePerSqm:
    """The naive model: median NOK per m2 of municipality and type, else of the type, else of all.

    *cells* are municipality * 10 + type, sorted. With no cell and no type it is a plain price.
    """

    kind: ClassVar[str] = "median_price_per_sqm"
    cells: npt.NDArray[np.float64]
    cell_medians: npt.NDArray[np.float64]
    type_medians: npt.NDArray[np.float64]
    median: npt.NDArray[np.float64]
    estimator: Any = None

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read and checked; ValueError, KeyError."""
        _finite_rows(arrays, "cells", "cell_medians", "median")
        model = cls(*(arrays[name] for name in _MEDIANS))
        if model.cells.shape != model.cell_medians.shape or (np.diff(model.cells) <= 0).any():
            raise ValueError("the medians do not belong to the cells")
        if model.type_medians.shape != (6,) or model.type_medians.dtype != np.float64:
            raise ValueError("there is one median of each type")
        if model.median.shape != (1,) or not 0 < model.median[0] < np.inf:
            raise ValueError("the overall median is not a price")
        return model

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that it needs to price homes."""
        return {name: getattr(self, name) for name in _MEDIANS}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its arrays as they are stored."""
        return digest(npz(self.arrays()))

    def estimate(self, homes: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """NOK, one for each home."""
        types = homes["realestate_type"].astype(np.int64)
        per_sqm = self.type_medians[types]
        per_sqm = np.where(np.isnan(per_sqm), self.median, per_sqm)
        if len(self.cells):
            cells = homes["municipality_number"] * 10 + types
            place = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
            known = self.cells[place] == cells
            per_sqm = np.where(known, self.cell_medians[place], per_sqm)
        return np.asarray(per_sqm * homes["usable_area"])


def _finite_rows(arrays: Arrays, *names: str) -> None:
    for name in names:
        row = arrays[name]
        if row.dtype != np.float64 or row.ndim != 1 or not np.isfinite(row).all():
            raise ValueError(f"{name} is not a row of finite numbers")


_MEDIANS = ("cells", "cell_medians", "type_medians", "median")
KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (BoostedTrees, MedianPricePerSqm)}
