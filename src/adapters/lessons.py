"""Sales to learn from, each seen by what was known before it: a model up to any day."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen
from sklearn.ensemble import HistGradientBoostingRegressor

from ..domain.dataset import Dataset
from . import elementary
from .boosted_trees import BoostedTrees
from .calibration import calibrated
from .conformal import Conformal
from .frames import Frame, offsets
from .market import Market, Seen
from .training_domain import TrainingDomain, nearness
from .trees import Trees

MEMBERS: Mapping[str, tuple[Frame, str]] = {
    "residual": (Frame.HEDONIC, "squared_error"),
    "residual_absolute": (Frame.HEDONIC, "absolute_error"),
    "per_sqm": (Frame.AREA, "squared_error"),
    "per_sqm_absolute": (Frame.AREA, "absolute_error"),
    "price": (Frame.NOTHING, "squared_error"),
}
"""What a member is fitted to, in logs, and its loss."""
FEWEST_SEEN = 20
"""Sales that have an earlier market, with fewer of which there is nothing to fit."""


@frozen
class Lessons:
    """Sales with what was known of them before, to learn from up to any day."""

    sales: Dataset
    seen: Seen
    names: Sequence[str]
    settings: Mapping[str, Any]

    def learn(self, until: float = np.inf) -> BoostedTrees | None:
        """A model of the sales before the day *until*; None of too few."""
        early = self.sales.columns["day"][self.seen.rows] < until
        if early.sum() < FEWEST_SEEN:
            return None
        frames = np.array([MEMBERS[name][0] for name in self.names], dtype=np.int32)
        known = self.sales.where(self.sales.columns["day"] < until).columns
        sold = self.sales.where(self.seen.rows[early]).columns
        x, hedonic = self.seen.features[early], self.seen.hedonic[early]
        newest = -(-len(x) // 5)
        domain = TrainingDomain.of(known, nearness(x[-newest:]))
        # scikit-learn cannot bin a feature that no sale has; a constant is never split on.
        x[:, np.isnan(x).all(axis=0)] = 0.0
        targets = elementary.log(sold["price"])[:, None] - offsets(sold, hedonic, frames)
        members = {
            name: HistGradientBoostingRegressor(
                loss=MEMBERS[name][1], early_stopping=False, **self.settings
            ).fit(x, targets[:, number])
            for number, name in enumerate(self.names)
        }
        trees = Trees.of([*members.values()])
        return BoostedTrees(
            Market.of(known), trees, frames, domain=domain, estimator={"members": members}
        )

    def calibrate(self, origins: Sequence[float]) -> tuple[Conformal, Any] | None:
        """How far off models are that learn up to an origin, on the sales up to the next.

        *origins* are shares of the sales, the oldest first. A sale that a model would have refused
        to value says nothing of those that it values.
        """
        day = self.sales.columns["day"]
        ordered = np.sort(day)
        starts = [int(ordered[int(share * len(ordered))]) for share in origins]
        told = []
        for start, end in pairwise([*starts, np.inf]):
            asked = self.sales.where((day >= start) & (day < end)).columns
            model = self.learn(start) if len(asked["day"]) else None
            if model is not None and model.domain is not None:
                x, members = model.see(asked)
                reaches = model.domain.reaches(asked, nearness(x))
                kept = ~reaches.refused.any(axis=1)
                part = (x, members, asked["realestate_type"], asked["price"])
                told.append([column[kept] for column in part])
        if not told:
            return None
        return calibrated(*(np.concatenate(parts) for parts in zip(*told, strict=True)))
