"""Saves the mlflow model: python -m serving_peers.save_mlflow FOLDER MODEL."""

import sys
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.pyfunc import save_model
from mlflow.types import ColSpec, Schema

from .pricing import NUMBERS, OPTIONAL

TEXTS = ("property_id", "realestate_type", "municipality_number")


def main() -> None:
    """With a signature, so that mlflow checks the types of what it is sent."""
    folder, model = sys.argv[1:]
    taken = [ColSpec("string", name) for name in TEXTS]
    taken += [ColSpec("double", name, required=name not in OPTIONAL) for name in NUMBERS]
    given = [ColSpec("string", "property_id")]
    given += [ColSpec("long", name) for name in ("estimated_price", "lower", "upper")]
    save_model(
        folder,
        python_model=str(Path(__file__).with_name("mlflow_model.py")),
        artifacts={"model": model},
        signature=ModelSignature(Schema(taken), Schema(given)),
        pip_requirements=[],
    )


if __name__ == "__main__":
    main()
