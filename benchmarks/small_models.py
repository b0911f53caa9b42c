"""Small models of made-up sales, published to a folder; trained within seconds."""

from datetime import date
from pathlib import Path

import numpy as np
from attrs import evolve, frozen
from dependency_injector import providers

from ree.adapters.settings import Settings
from ree.adapters.sklearn_model import SklearnTrainer
from ree.container import Container
from ree.domain.dataset import Dataset
from ree.domain.model import Kind, TrainingRecord

_YEAR = date(2025, 1, 1)


@frozen
class Shelf:
    """The storage that a service in *folder* looks at."""

    folder: Path
    container: Container

    @classmethod
    def of(cls, folder: Path) -> "Shelf":
        """In `store` below it."""
        container = Container()
        settings = Settings(storage_path=folder / "store")
        container.settings.override(providers.Object(settings))
        return cls(folder, container)

    def publish(self, seed: int) -> str:
        """A version; every seed is another market with other prices."""
        sold, trainer = sales(600, seed), SklearnTrainer()
        recipe = trainer.recipe("fast")
        recipe = evolve(recipe, settings={**recipe.settings, "max_iter": 20, "origins": (0.8,)})
        record = TrainingRecord(
            Kind.TRAINED, recipe, {"python": "3"}, trained_until=date(2025, 12, 31)
        )
        version: str = self.container.registry().publish(trainer.fit(sold, recipe), record).version
        return version

    def activate(self, version: str) -> None:
        """Move the pointer to it."""
        registry = self.container.registry()
        active = registry.active()
        registry.activate(
            version, expected=active and active.version, by="a trial", why="to serve it"
        )


def sales(count: int, seed: int) -> Dataset:
    """Of 2025, around 60 N 10 E."""
    random = np.random.default_rng(seed)
    area = random.uniform(30, 200, count).round()
    per_sqm = random.normal(40_000 + 5_000 * (seed % 8), 4_000, count)
    return Dataset(
        {
            "property_id": np.arange(count),
            "day": random.integers(_YEAR.toordinal(), _YEAR.toordinal() + 365, count),
            "year": np.full(count, _YEAR.year),
            "price": area * per_sqm,
            "realestate_type": random.choice([0.0, 3.0], count),
            "municipality_number": random.choice([301.0, 4601.0], count),
            "lat": 60 + random.uniform(-0.1, 0.1, count),
            "lon": 10 + random.uniform(-0.1, 0.1, count),
            "built_year": random.integers(1900, 2020, count).astype(float),
            "total_area": area * 1.2,
            "usable_area": area,
            "floor": random.integers(0, 6, count).astype(float),
            "bedrooms": random.choice([1.0, 2.0, np.nan], count),
            "rooms": np.full(count, 3.0),
        }
    )
