"""FastAPI, pydantic and pandas: strict models in and out."""

import os
from typing import Annotated, Literal

import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .pricing import loaded, priced

MODEL = os.environ["SERVING_MODEL"]
LEAN = os.environ.get("SERVING_LEAN") == "true"
PropertyId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Home(BaseModel):
    """The features of one home."""

    model_config = ConfigDict(strict=True, extra="forbid")

    realestate_type: Literal["enebolig", "tomannsbolig", "rekkehus", "leilighet", "hytte"]
    municipality_number: Annotated[str, StringConstraints(pattern="^[0-9]{4}$")]
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    built_year: float = Field(ge=1600, le=2100)
    total_area: float = Field(ge=5, le=1_000_000)
    usable_area: float = Field(ge=5, le=5_000)
    floor: float | None = Field(None, ge=-20, le=100)
    bedrooms: float | None = Field(None, ge=0, le=100)
    rooms: float | None = Field(None, ge=0, le=200)


class Estimate(BaseModel):
    """NOK."""

    estimated_price: int
    lower: int
    upper: int


app = FastAPI()
loaded(MODEL)


@app.get("/ready")
def ready() -> dict[str, str]:
    """The model is loaded."""
    return {"status": "ready"}


@app.post("/estimate")
def estimate(homes: dict[PropertyId, Home]) -> dict[str, Estimate]:
    """What the homes are worth."""
    frame = pd.DataFrame([vars(home) for home in homes.values()])
    figures = (column.tolist() for column in priced(frame, MODEL, lean=LEAN))
    return {
        name: Estimate(estimated_price=price, lower=lower, upper=upper)
        for name, price, lower, upper in zip(homes, *figures, strict=True)
    }
