"""From a DataFrame of homes to their prices, as the peers do it.

Usually that is one fitted Pipeline which takes the frame as it was sent: a ColumnTransformer that
encodes, then the estimator. The lean way leaves scikit-learn's machinery out and makes the columns
by hand, which few do; it is there to tell what that machinery costs.
"""

import os
import pickle
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

NUMBERS = ("lat", "lon", "built_year", "total_area", "usable_area", "floor", "bedrooms", "rooms")
OPTIONAL = ("floor", "bedrooms", "rooms")
TAKEN = ("realestate_type", "municipality_number", *NUMBERS, "day", "year")


class Valuation(BaseEstimator):  # type: ignore[misc]
    """The model as scikit-learn's estimators are: a matrix in, with the columns TAKEN."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, x: Any, y: Any = None) -> Self:  # noqa: ARG002
        """It is fitted already."""
        self.fitted_ = True
        return self

    def predict(self, x: Any) -> Any:
        """Price, lower and upper in NOK, shape (homes, 3)."""
        homes = {name: np.ascontiguousarray(x[:, place]) for place, name in enumerate(TAKEN)}
        return np.column_stack(self.model.appraise(homes))


def usual(model: Any, codes: Mapping[str, int]) -> Pipeline:
    """From a frame as it was sent, with the valuation's day and year, to prices."""
    encode = ColumnTransformer(
        [
            ("type", OrdinalEncoder(categories=[list(codes)]), ["realestate_type"]),
            ("numbers", FunctionTransformer(_as_numbers), [*TAKEN[1:]]),
        ]
    )
    home = {"realestate_type": "enebolig", "municipality_number": "0301"}
    sample = pd.DataFrame([home | dict.fromkeys((*NUMBERS, "day", "year"), 1.0)])
    return Pipeline([("encode", encode), ("value", Valuation(model))]).fit(sample)


def _as_numbers(frame: pd.DataFrame) -> Any:
    return frame.astype(np.float64)


@cache
def loaded(path: str) -> tuple[Any, Mapping[str, int], Pipeline]:
    """The model, the codes of the types, and the usual pipeline of both; once a process."""
    model, codes = pickle.loads(Path(path).read_bytes())  # noqa: S301
    return model, codes, usual(model, codes)


def priced(frame: pd.DataFrame, path: str, *, lean: bool = False) -> tuple[Any, Any, Any]:
    """Price, lower and upper in whole NOK, columns."""
    model, codes, pipeline = loaded(path)
    day = valuation_day()
    if lean:
        told = np.column_stack(model.appraise(columns(frame, codes, day)))
    else:
        told = pipeline.predict(frame.assign(day=day.toordinal(), year=day.year))
    price, lower, upper = np.rint(told).astype(np.int64).T
    return price, lower, upper


def columns(frame: pd.DataFrame, codes: Mapping[str, int], day: date) -> dict[str, Any]:
    """What the model takes: numbers alone; missing is NaN."""
    numbers = {name: frame[name].to_numpy(dtype=np.float64) for name in NUMBERS}
    return numbers | {
        "realestate_type": frame["realestate_type"].map(codes).to_numpy(dtype=np.float64),
        "municipality_number": pd.to_numeric(frame["municipality_number"]).to_numpy(np.float64),
        "day": np.full(len(frame), day.toordinal()),
        "year": np.full(len(frame), day.year),
    }


def valuation_day() -> date:
    """Today, or the day that the benchmark asks ree for."""
    given = os.environ.get("SERVING_DAY")
    return date.fromisoformat(given) if given else date.today()
