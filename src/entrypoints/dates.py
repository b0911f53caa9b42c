"""Dates as people and programs give them."""

import re
from datetime import date


def day(text: str) -> date:
    """A date from YYYY-MM-DD; ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)
