"""Training with scikit-learn."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from ..domain.dataset import Dataset
from ..domain.errors import ModelsDisagree, ReeError
from ..domain.model import PriceModel, Recipe
from .market import Market, as_known_then
from .price_models import BoostedTrees, Frame, MedianPricePerSqm, offsets
from .trees import Trees

MEMBERS: Mapping[str, tuple[Frame, str]] = {
    "residual": (Frame.HEDONIC, "squared_error"),
    "residual_absolute": (Frame.HEDONIC, "absolute_error"),
    "per_sqm": (Frame.AREA, "squared_error"),
    "per_sqm_absolute": (Frame.AREA, "absolute_error"),
    "price": (Frame.NOTHING, "squared_error"),
}
"""What a member is fitted to, in logs, and its loss."""
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "fast": {
        "members": ("residual", "per_sqm_absolute"),
        "vintages": 12,
        "max_iter": 150,
        "learning_rate": 0.1,
    },
    "accurate": {
        "members": tuple(MEMBERS),
        "vintages": 24,
        "max_iter": 350,
        "learning_rate": 0.035,
    },
}
_COMMON = {
    "max_leaf_nodes": 31,
    "min_samples_leaf": 15,
    "l2_regularization": 5.0,
    "max_features": 0.3,
    "random_state": 0,
}
AGREEMENT = 1e-12
"""Relative: members are averaged in another order by scikit-learn's side."""
FEWEST_SEEN = 20
"""Sales that have an earlier market, with fewer of which there is nothing to fit."""
STUB_PRICE_PER_SQM = 45_000.0
"""NOK per m2: about the national level of asking prices, and no more than a placeholder."""


class UnknownRecipe(ReeError):
    """No such way to train."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No estimator {name!r}; there are {', '.join(sorted(RECIPES))}.")


class TooFewDays(ReeError):
    """Sales that came all at once say nothing of what was known before each."""

    def __init__(self) -> None:
        super().__init__(
            "The sales before the holdout are of too few days: no market is known from before "
            "them. Train on a longer period."
        )


@frozen
class SklearnTrainer:
    """The Trainer port: gradient boosting on what was known of homes and their market then."""

    def recipe(self, name: str) -> Recipe:
        """A recipe by name; UnknownRecipe."""
        if name not in RECIPES:
            raise UnknownRecipe(name)
        return Recipe(name, {**RECIPES[name], **_COMMON})

    def fit(self, dataset: Dataset, recipe: Recipe) -> BoostedTrees:
        """A model of these sales; equal sales and settings give equal digests.

        TooFewDays: the first sales have no earlier market to be seen by.
        """
        settings = dict(recipe.settings)
        names, vintages = settings.pop("members"), settings.pop("vintages")
        frames = np.array([MEMBERS[name][0] for name in names], dtype=np.int32)
        # One thread: OpenMP's threads spin while they wait, ten times slower on a shared core.
        with threadpool_limits(1):
            market = Market.of(dataset.columns)
            seen = as_known_then(dataset.columns, vintages)
            if len(seen.rows) < FEWEST_SEEN:
                raise TooFewDays
            sold, x = dataset.where(seen.rows).columns, seen.features
            targets = np.log(sold["price"])[:, None] - offsets(sold, seen.hedonic, frames)
            # scikit-learn cannot bin a feature that no sale has; a constant is never split on.
            x[:, np.isnan(x).all(axis=0)] = 0.0
            members = {
                name: HistGradientBoostingRegressor(
                    loss=MEMBERS[name][1], early_stopping=False, **settings
                ).fit(x, targets[:, number])
                for number, name in enumerate(names)
            }
        return BoostedTrees(market, Trees.of([*members.values()]), frames, estimator=members)

    def confirm(self, model: PriceModel, sales: Dataset) -> None:
        """ModelsDisagree unless its arrays price as the fitted members do."""
        if not isinstance(model, BoostedTrees) or model.estimator is None:
            return
        homes, market = sales.columns, model.market
        x = market.features(homes)
        with threadpool_limits(1):
            fitted = [member.predict(x) for member in model.estimator.values()]
        logs = np.column_stack(fitted)
        logs += offsets(homes, market.hedonic.log_per_sqm(homes), model.frames)
        expected = np.exp(logs.mean(axis=1))
        off = np.abs(model.estimate(sales.columns) - expected) > AGREEMENT * expected
        if off.any():
            raise ModelsDisagree(int(off.sum()), len(sales))

    def baseline(self, dataset: Dataset) -> MedianPricePerSqm:
        """Median price per m2 of municipality and type."""
        columns = dataset.columns
        per_sqm = columns["price"] / columns["usable_area"]
        types = columns["realestate_type"].astype(np.int64)
        cells, which = np.unique(columns["municipality_number"] * 10 + types, return_inverse=True)
        return MedianPricePerSqm(
            cells,
            _medians(per_sqm, which, len(cells)),
            _medians(per_sqm, types, 6),
            np.array([np.median(per_sqm)]),
        )

    def stub(self) -> MedianPricePerSqm:
        """A plain price per m2."""
        none = np.empty(0)
        return MedianPricePerSqm(none, none, np.full(6, np.nan), np.array([STUB_PRICE_PER_SQM]))


def _medians(values: Any, group: Any, groups: int) -> Any:
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(groups + 1))
    sorted_values = values[order]
    return np.array(
        [
            np.median(sorted_values[start:end]) if end > start else np.nan
            for start, end in pairwise(ends)
        ]
    )
