"""A retrain that was asked for, to be made once however often it is asked for."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import TypeGuard

from attrs import frozen

from .turnover import Period

_ID = re.compile("[0-9]{8}-[0-9a-f]{16}(-[0-9]{1,9})?")


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


def is_order_id(value: object) -> TypeGuard[str]:
    """Whether an order could have it."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


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
