"""Sales at random, with prices by municipality and size."""

from datetime import date
from typing import Any

import numpy as np

from ree.domain.dataset import Dataset


def sales(rows: int, seed: int = 7) -> Dataset:
    """Of 2025, all over the country; a third of what may be missing is."""
    random = np.random.default_rng(seed)
    municipalities = random.choice([301.0, 1103.0, 3403.0, 4601.0, 5001.0], rows)
    usable = np.round(random.uniform(20, 300, rows), 1)
    per_sqm = 3e4 + 10 * municipalities + random.normal(0, 8e3, rows)

    def some(values: Any) -> Any:
        return np.where(random.random(rows) < 0.3, np.nan, values)

    return Dataset(
        {
            "property_id": np.arange(rows),
            "day": date(2025, 1, 1).toordinal() + random.integers(0, 365, rows),
            "year": np.full(rows, 2025),
            "price": np.round(usable * per_sqm, -3),
            "realestate_type": random.integers(0, 5, rows).astype(float),
            "municipality_number": municipalities,
            "lat": random.uniform(58, 70, rows),
            "lon": random.uniform(5, 30, rows),
            "built_year": random.integers(1850, 2026, rows).astype(float),
            "total_area": usable + np.round(random.uniform(0, 80, rows), 1),
            "usable_area": usable,
            "floor": some(random.integers(-1, 12, rows)),
            "bedrooms": some(random.integers(0, 6, rows)),
            "rooms": some(random.integers(1, 9, rows)),
        }
    )
