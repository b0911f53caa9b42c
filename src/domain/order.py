"""A retrain that was asked for, to be made once however often it is asked for."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256

from attrs import frozen

from .turnover import Period


@frozen
class Order:
    """One retrain; *run_id* is what its report will be called."""

    order_id: str
    run_id: str
    period: Period
    publish: bool
    recipe: str
    asked_by: str
    asked_at: datetime


def order_name(
    period: Period, *, publish: bool, recipe: str, environment: Mapping[str, str], day: date
) -> str:
    """YYYYMMDD-<16 hex>, the same for all who ask for the same on the same *day*."""
    asked = {
        "period": str(period),
        "publish": publish,
        "recipe": recipe,
        "environment": dict(environment),
    }
    return f"{day:%Y%m%d}-{sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]}"
