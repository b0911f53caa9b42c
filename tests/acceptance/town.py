"""A town whose sales the scenarios script, and what stands around it; real adapters otherwise."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Self

import numpy as np
from attrs import define, evolve, field, frozen

from ree.adapters.evaluator import NumpyEvaluator
from ree.adapters.median_price import MedianPricePerSqm
from ree.adapters.memory_objects import MemoryObjects
from ree.adapters.objects import ObjectMissing, Stored
from ree.domain.appraisal import Appraisal
from ree.domain.dataset import Dataset
from ree.domain.errors import StorageError
from ree.domain.evaluation import Comparison, Evaluation
from ree.domain.model import ConditionalWrites, PriceModel, Recipe
from ree.domain.property import Property, RealEstateType
from ree.domain.residuals import Residuals
from ree.domain.turnover import Period, Turnover, Unit

PRICE = 5_000_000
AREA = 100


@define
class Clock:
    """Stands still, at noon unless told otherwise."""

    today: date = date(2026, 6, 15)
    at: time = time(12, tzinfo=UTC)

    def now(self) -> datetime:
        return datetime.combine(self.today, self.at)

    def monotonic(self) -> float:
        return 0.0


def home(kind: str = "leilighet", **changes: Any) -> Property:
    """A sound home of 100 m2 in Oslo."""
    return evolve(Property(kind, 301, 59.9, 10.7, 1990, AREA, AREA, 2, 2, 3), **changes)


def turnover(number: int, day: date, price: float = PRICE) -> Turnover:
    """A sale of one unit at noon."""
    return Turnover((number,), price, f"{day}T12:00:00Z")


@define
class Town:
    """The MarketData port over scripted sales: the same number of each type every month."""

    a_month: dict[str, int] = field(factory=lambda: {"enebolig": 32, "leilighet": 400})
    in_month: dict[date, dict[str, int]] = field(factory=dict)
    prices: dict[date, int] = field(factory=dict)
    """What homes sell for in a month, if not for the usual price."""
    a_krone_less: dict[str, int] = field(factory=dict)
    """How many of a type are sold for that every month."""
    extra: list[Turnover] = field(factory=list)
    extra_units: dict[int, Unit] = field(factory=dict)
    extra_homes: dict[int, Property] = field(factory=dict)
    asked: list[Period] = field(factory=list)
    _homes: dict[int, Property] = field(factory=dict)

    def turnovers(self, period: Period) -> Iterable[Turnover]:
        self.asked.append(period)
        return [*self.sold(period), *self.extra]

    def units(self, ids: Sequence[int]) -> Mapping[int, Unit]:
        own = {number: Unit("0301-1/1", (number,)) for number in ids if number in self._homes}
        return own | {number: self.extra_units[number] for number in ids & self.extra_units.keys()}

    def properties(self, ids: Sequence[int]) -> Mapping[int, Property]:
        own = {number: self._homes[number] for number in ids if number in self._homes}
        return own | {number: self.extra_homes[number] for number in ids & self.extra_homes.keys()}

    def sold(self, period: Period) -> Iterator[Turnover]:
        """The regular sales, spread evenly over each month."""
        for part in period.months():
            month = part.start.replace(day=1)
            days = (date(month.year + month.month // 12, month.month % 12 + 1, 1) - month).days
            counts = self.in_month.get(month, self.a_month)
            kinds = [kind for kind, count in counts.items() for _ in range(count)]
            cheap = dict(self.a_krone_less)
            price = self.prices.get(month, PRICE)
            for place in range(len(kinds)):
                kind = kinds[place * 7919 % len(kinds)]
                day = month + timedelta(days=place * days // len(kinds))
                number = month.toordinal() * 10_000 + place
                self._homes[number] = home(kind)
                cheap[kind] = cheap.get(kind, 0) - 1
                if day in period:
                    yield turnover(number, day, price - (cheap[kind] >= 0))


@define
class Forecaster:
    """The Trainer port: models that miss by what a scenario says, on top or by type."""

    miss: int = 1_000_000
    enebolig_miss: int | None = None
    naive_miss: int = 3_000_000
    margin: int | None = None
    """NOK on each side of an estimate that an interval reaches; without it there are none."""

    def recipe(self, name: str) -> Recipe:
        told = {"miss": self.miss, "enebolig_miss": self.enebolig_miss, "margin": self.margin}
        return Recipe(name, told)

    def fit(self, dataset: Dataset, recipe: Recipe) -> MedianPricePerSqm:
        by_type = np.full(6, np.nan)
        if self.enebolig_miss is not None:
            by_type[RealEstateType.ENEBOLIG.code] = (PRICE + self.enebolig_miss) / AREA
        model = per_sqm((PRICE + self.miss) / AREA, by_type)
        return model if self.margin is None else Sure.of(model, self.margin)

    def confirm(self, model: PriceModel, sales: Dataset) -> None:
        """Nothing else was fitted."""

    def baseline(self, dataset: Dataset) -> MedianPricePerSqm:
        return per_sqm((PRICE + self.naive_miss) / AREA)

    def stub(self) -> MedianPricePerSqm:
        return per_sqm(45_000)


def per_sqm(price: float, by_type: Any = None) -> MedianPricePerSqm:
    """A model that knows a price per m2."""
    none = np.empty(0)
    by_type = np.full(6, np.nan) if by_type is None else by_type
    return MedianPricePerSqm(none, none, by_type, np.array([float(price)]))


@define(eq=False, slots=False)
class Sure(MedianPricePerSqm):
    """One that says how far off it may be: so many NOK for any home."""

    kind: ClassVar[str] = "sure_price_per_sqm"
    margin: Any = None

    @classmethod
    def of(cls, model: MedianPricePerSqm, margin: float) -> Self:
        return cls.from_arrays(model.arrays() | {"margin": np.array([float(margin)])})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        model = super().from_arrays(arrays)
        model.margin = arrays["margin"]
        return model

    def arrays(self) -> dict[str, Any]:
        return super().arrays() | {"margin": self.margin}

    def appraise(self, homes: Mapping[str, Any], coverages: Sequence[float]) -> Appraisal:
        price = self.estimate(homes)
        bounds = price - self.margin, price + self.margin
        return Appraisal(price, dict.fromkeys(coverages, bounds))


@define
class Assessor:
    """The Evaluator port; one metric of the candidate may be impossible to tell."""

    untold: str | None = None
    real: NumpyEvaluator = field(factory=lambda: NumpyEvaluator(resamples=10))

    def evaluate(self, sales: Dataset, appraisal: Appraisal) -> Evaluation:
        return self.real.evaluate(sales, appraisal)

    def residuals(self, sales: Dataset, estimate: Any) -> Residuals:
        return self.real.residuals(sales, estimate)

    def compare(self, sales: Dataset, candidate: Any, active: Any) -> Comparison:
        comparison = self.real.compare(sales, candidate, active)
        if self.untold is None:
            return comparison
        untold: dict[str, Any] = {self.untold: float("nan")}
        overall = evolve(comparison.candidate.overall, **untold)
        return evolve(comparison, candidate=evolve(comparison.candidate, overall=overall))


@frozen(eq=False)
class Storage:
    """An object store that can be damaged, and can fail."""

    inner: MemoryObjects = field(factory=MemoryObjects)
    damaged: set[str] = field(factory=set)
    failing: set[str] = field(factory=set)
    lost: set[str] = field(factory=set)
    exchanged: dict[str, bytes] = field(factory=dict)

    def get(self, key: str) -> Stored:
        if key in self.failing:
            raise StorageError(f"The storage does not answer for {key}; try again.")
        if key in self.lost:
            raise ObjectMissing(key)
        if key in self.exchanged:
            return Stored(self.exchanged[key], "exchanged")
        stored = self.inner.get(key)
        return evolve(stored, body=stored.body[:-1]) if key in self.damaged else stored

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        stored = self.get(key)
        return None if stored.token == token else stored

    def create(self, key: str, body: bytes) -> None:
        self.inner.create(key, body)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        self.inner.replace(key, body, token=token)

    def keys(self, prefix: str) -> list[str]:
        return self.inner.keys(prefix)

    def conditional_writes(self) -> ConditionalWrites:
        return self.inner.conditional_writes()

    def contents(self) -> dict[str, bytes]:
        """Everything that it holds."""
        return {key: self.inner.get(key).body for key in self.inner.keys("")}
