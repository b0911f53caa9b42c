"""Training with scikit-learn."""

from itertools import pairwise
from typing import Any

import numpy as np
from attrs import frozen
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import TargetEncoder
from threadpoolctl import threadpool_limits

from ..domain.dataset import Dataset
from ..domain.errors import ModelsDisagree, ReeError
from ..domain.model import PriceModel, Recipe
from .features import MUNICIPALITY, matrix
from .price_models import BoostedTrees, MedianPricePerSqm
from .trees import Trees

RECIPES = {
    "fast": {"max_iter": 150, "learning_rate": 0.1},
    "accurate": {"max_iter": 600, "learning_rate": 0.04},
}
_COMMON = {
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "random_state": 0,
}
STUB_PRICE_PER_SQM = 45_000.0
"""NOK per m2: about the national level of asking prices, and no more than a placeholder."""


class UnknownRecipe(ReeError):
    """No such way to train."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No estimator {name!r}; there are {', '.join(sorted(RECIPES))}.")


@frozen
class SklearnTrainer:
    """The Trainer port: gradient boosting on log price, municipalities target-encoded.

    The encoding is fitted across folds, so that no sale's own price stands in its features.
    """

    def recipe(self, name: str) -> Recipe:
        """A recipe by name; UnknownRecipe."""
        if name not in RECIPES:
            raise UnknownRecipe(name)
        return Recipe(name, RECIPES[name] | _COMMON)

    def fit(self, dataset: Dataset, recipe: Recipe) -> BoostedTrees:
        """A model of these sales; equal sales and settings give equal digests."""
        pipeline = _pipeline(recipe)
        features = matrix(dataset.columns)
        # scikit-learn cannot bin a feature that no sale has; a constant is never split on.
        features[:, np.isnan(features).all(axis=0)] = 0.0
        # One thread: OpenMP's threads spin while they wait, ten times slower on a shared core.
        with threadpool_limits(1):
            pipeline.fit(features, np.log(dataset.columns["price"]))
        transformer, booster = pipeline[0], pipeline[1]
        encoder: TargetEncoder = transformer.named_transformers_["municipality"]
        return BoostedTrees(
            Trees.of(booster),
            encoder.categories_[0],
            encoder.encodings_[0],
            np.array([encoder.target_mean_]),
            estimator=pipeline,
        )

    def confirm(self, model: PriceModel, sales: Dataset) -> None:
        """ModelsDisagree unless its arrays price as the pipeline does, to the last bit."""
        if not isinstance(model, BoostedTrees) or model.estimator is None:
            return
        with threadpool_limits(1):
            fitted = np.exp(model.estimator.predict(matrix(sales.columns)))
        differing = int((model.estimate(sales.columns) != fitted).sum())
        if differing:
            raise ModelsDisagree(differing, len(sales))

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


def _pipeline(recipe: Recipe) -> Pipeline:
    folds = KFold(5, shuffle=True, random_state=0)
    encoder = TargetEncoder(target_type="continuous", cv=folds)
    encode = ColumnTransformer([("municipality", encoder, [MUNICIPALITY])], remainder="passthrough")
    booster = HistGradientBoostingRegressor(early_stopping=False, **recipe.settings)
    return make_pipeline(encode, booster)


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
