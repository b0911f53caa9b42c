"""The model by NumPy, SciPy's trees and the estimators that scikit-learn fitted."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from attrs import frozen

from ree.adapters.conformal import Errors, sights
from ree.adapters.frames import offsets
from ree.adapters.market import Market
from ree.domain.appraisal import COVERAGE


@frozen(eq=False)
class PlainModel:
    """Prices homes as ree's model does, with the fitted *members* and *expected_error*."""

    market: Market
    frames: Any
    members: tuple[Any, ...]
    expected_error: Any
    edges: Any
    below: Any
    above: Any

    @classmethod
    def of(cls, model: Any) -> Self:
        """From a trained model with its estimator."""
        conformal, fitted = model.conformal, model.estimator
        return cls(
            model.market,
            model.frames,
            tuple(fitted["members"].values()),
            fitted["expected_error"],
            conformal.edges,
            conformal.below,
            conformal.above,
        )

    def appraise(self, homes: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """NOK: price, lower and upper of the usual interval, columns."""
        x = self.market.features(homes)
        logs = np.column_stack([member.predict(x) for member in self.members])
        logs += offsets(homes, self.market.hedonic.log_per_sqm(homes), self.frames)
        price = np.exp(logs.mean(axis=1))
        expected = np.exp(self.expected_error.predict(sights(x, logs)))
        types = np.asarray(homes["realestate_type"], dtype=np.int64)
        group = types, np.searchsorted(self.edges, expected)
        errors = Errors(
            self.below[group] * expected[:, None], self.above[group] * expected[:, None]
        )
        return price, *errors.interval(price, COVERAGE)
