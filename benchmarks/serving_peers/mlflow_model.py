"""The model as mlflow logs it from code: a DataFrame in, a DataFrame out."""

from math import nan
from typing import Any

import mlflow
import pandas as pd

from serving_peers.pricing import OPTIONAL, loaded, priced


class Pricing(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """The pyfunc."""

    def load_context(self, context: Any) -> None:
        """Once a worker."""
        self.path = context.artifacts["model"]
        loaded(self.path)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """What the homes are worth, by property id."""
        for name in OPTIONAL:
            if name not in model_input:
                model_input[name] = nan
        price, lower, upper = priced(model_input, self.path)
        return pd.DataFrame(
            {
                "property_id": model_input["property_id"],
                "estimated_price": price,
                "lower": lower,
                "upper": upper,
            }
        )


mlflow.models.set_model(Pricing())
