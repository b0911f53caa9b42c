"""What homes are worth, by the active model."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from attrs import Factory, evolve, field, frozen

from ..domain.appraisal import COVERAGE
from ..domain.errors import BatchTooLarge, EmptyBatch, InvalidProperties
from ..domain.estimate import Estimates, Home, OnInvalid, PriceEstimate, Refusal, ValuationDates
from ..domain.model import LoadedModel
from ..domain.ports import ActiveModel, HomeColumns, Tabulate
from ..domain.rules import flawed
from .value_columns import ValueColumns

FEW = 10
"""Homes up to which the rules cost less one by one than in columns."""


@frozen
class EstimateBatch:
    """Price a batch of homes, refusing what the rules refuse."""

    model: ActiveModel
    tabulate: Tabulate
    municipalities: Collection[str]
    dates: ValuationDates = field(factory=ValuationDates)
    max_batch: int = 10_000
    _value: ValueColumns = field(
        init=False, default=Factory(lambda self: ValueColumns(self.municipalities), takes_self=True)
    )

    def __call__(
        self,
        homes: Sequence[Home],
        on_invalid: OnInvalid = OnInvalid.FAIL,
        *,
        coverage: float = COVERAGE,
        explain: bool = False,
    ) -> tuple[PriceEstimate | Refusal, ...]:
        """One answer a home, in order, with intervals of a coverage in COVERAGES.

        With *explain* each estimate has its explanation.

        EmptyBatch, BatchTooLarge, ModelNotReady; InvalidProperties with every fault of every home
        if one has any and *on_invalid* is FAIL.
        """
        if not homes:
            raise EmptyBatch
        if len(homes) > self.max_batch:
            raise BatchTooLarge(len(homes), self.max_batch)
        loaded = self.model.current()
        record = loaded.version.record
        oldest = record.dataset.period.start if record.dataset else None
        looks = [
            self.dates.look(home.valuation_date, record.trained_until, oldest) for home in homes
        ]
        looked = [
            (home, home.faults + bad, warnings)
            for home, (bad, warnings) in zip(homes, looks, strict=True)
        ]
        sound = [(home, warnings) for home, bad, warnings in looked if not bad]
        priced = iter(self._priced(sound, loaded, coverage) if sound else ())
        answers = tuple(
            Refusal(home.property_id, bad) if bad else next(priced) for home, bad, _ in looked
        )
        refused = [answer for answer in answers if isinstance(answer, Refusal)]
        if refused and on_invalid is OnInvalid.FAIL:
            raise InvalidProperties(
                [(refusal.property_id, fault) for refusal in refused for fault in refusal.faults]
            )
        return self._explained(homes, answers, loaded) if explain else answers

    def _explained(
        self,
        homes: Sequence[Home],
        answers: tuple[PriceEstimate | Refusal, ...],
        loaded: LoadedModel,
    ) -> tuple[PriceEstimate | Refusal, ...]:
        """The same answers; only homes that are priced are explained."""
        priced = [
            home
            for home, answer in zip(homes, answers, strict=True)
            if isinstance(answer, PriceEstimate)
        ]
        found = iter(loaded.model.explain(self._of_today(priced)) if priced else ())
        return tuple(
            evolve(answer, explanation=next(found)) if isinstance(answer, PriceEstimate) else answer
            for answer in answers
        )

    def _priced(
        self,
        homes: Sequence[tuple[Home, tuple[str, ...]]],
        loaded: LoadedModel,
        coverage: float,
    ) -> Iterator[PriceEstimate | Refusal]:
        """Of homes without a fault, each with the warnings it has already."""
        columns, renumbered = self.tabulate.renumber(
            self.tabulate.homes([home for home, _ in homes])
        )
        warnings = [own for _, own in homes]
        found = self._value(columns, loaded, coverage, warnings, renumbered)
        return (found.of(row, home) for row, (home, _) in enumerate(homes))

    def _of_today(self, homes: Sequence[Home]) -> Mapping[str, Any]:
        columns, _ = self.tabulate.renumber(self.tabulate.homes(homes))
        return columns

    def columns(
        self, columns: HomeColumns, day: date, *, coverage: float = COVERAGE
    ) -> Estimates | None:
        """The same answers for homes that are columns, all valued for one day, made faster.

        None if a home breaks a rule or the day is refused; only __call__ tells what is wrong.

        BatchTooLarge, ModelNotReady.
        """
        count = len(columns["day"])
        if count > self.max_batch:
            raise BatchTooLarge(count, self.max_batch)
        if _any_flawed(columns, count):
            return None
        loaded = self.model.current()
        record = loaded.version.record
        oldest = record.dataset.period.start if record.dataset else None
        refused, warnings = self.dates.look(day, record.trained_until, oldest)
        if refused:
            return None
        today, renumbered = self.tabulate.renumber(columns)
        return self._value(today, loaded, coverage, [warnings] * count, renumbered)


def _any_flawed(columns: HomeColumns, count: int) -> bool:
    if count > FEW:
        return bool(flawed(columns).any())
    return any(map(flawed, columns.rows()))
