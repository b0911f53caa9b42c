"""Training with scikit-learn."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen
from threadpoolctl import threadpool_limits

from ..domain.dataset import Dataset
from ..domain.errors import ModelsDisagree, ReeError
from ..domain.model import PriceModel, Recipe
from .boosted_trees import BoostedTrees
from .conformal import sights
from .frames import offsets
from .lessons import MEMBERS, Lessons
from .market import as_known_then
from .median_price import MedianPricePerSqm
from .reference_home import ReferenceHome

ORIGINS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the sales, the oldest first, after which models that calibrate intervals begin."""
RECIPES: Mapping[str, Mapping[str, Any]] = {
    "fast": {
        "members": ("residual", "per_sqm_absolute"),
        "vintages": 12,
        "origins": ORIGINS,
        "max_iter": 150,
        "learning_rate": 0.1,
    },
    "accurate": {
        "members": tuple(MEMBERS),
        "vintages": 24,
        "origins": ORIGINS,
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

        Its intervals rest on the errors of models that were trained like it, each on the sales
        before an origin and asked for those up to the next.

        TooFewDays: the first sales have no earlier market to be seen by.
        """
        settings = dict(recipe.settings)
        names, vintages = settings.pop("members"), settings.pop("vintages")
        origins = settings.pop("origins", ())
        # One thread: OpenMP's threads spin while they wait, ten times slower on a shared core.
        with threadpool_limits(1):
            lessons = Lessons(dataset, as_known_then(dataset.columns, vintages), names, settings)
            model = lessons.learn()
            if model is None:
                raise TooFewDays
            calibrated = lessons.calibrate(origins)
        if calibrated is not None:
            model.conformal, model.estimator["expected_error"] = calibrated
        model.reference = ReferenceHome.of(dataset.columns)
        return model

    def confirm(self, model: PriceModel, sales: Dataset) -> None:
        """ModelsDisagree unless its arrays say what the fitted members do."""
        if not isinstance(model, BoostedTrees) or model.estimator is None:
            return
        homes, market = sales.columns, model.market
        x, served = model.see(homes)
        fitted = model.estimator
        with threadpool_limits(1):
            logs = np.column_stack([member.predict(x) for member in fitted["members"].values()])
            logs += offsets(homes, market.hedonic.log_per_sqm(homes), model.frames)
            expected = np.exp(logs.mean(axis=1))
            off = np.abs(model.estimate(homes) - expected) > AGREEMENT * expected
            if model.conformal is not None:
                _, seen = sights(x, served)
                found = np.exp(fitted["expected_error"].predict(seen))
                told = model.conformal.expected_error(seen)
                off |= np.abs(told - found) > AGREEMENT * found
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
