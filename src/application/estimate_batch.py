"""What homes are worth, by the active model."""

from collections.abc import Collection, Iterator, Sequence

from attrs import evolve, field, frozen

from ..domain.appraisal import COVERAGE, Appraisal, Confidence
from ..domain.errors import BatchTooLarge, EmptyBatch, InvalidProperties
from ..domain.estimate import Home, OnInvalid, PriceEstimate, Refusal, ValuationDates
from ..domain.model import Kind, LoadedModel
from ..domain.ports import ActiveModel, Tabulate
from ..domain.rules import Fault

STUB_WARNING = "stub:model"
UNKNOWN_MUNICIPALITY = "unknown:municipality_number"


@frozen
class EstimateBatch:
    """Price a batch of homes, refusing what the rules refuse."""

    model: ActiveModel
    tabulate: Tabulate
    municipalities: Collection[str]
    dates: ValuationDates = field(factory=ValuationDates)
    max_batch: int = 10_000

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
        found = iter(loaded.model.explain(self.tabulate.homes(priced)) if priced else ())
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
        columns = self.tabulate.homes([home for home, _ in homes])
        appraisal = loaded.model.appraise(columns, (coverage,))
        reaches = appraisal.reaches
        for row, (home, warnings) in enumerate(homes):
            faults = reaches.faults(row) if reaches else ()
            if not faults and not 0 < appraisal.price[row] < float("inf"):
                message = "the model gives no price for this home"
                faults = (Fault("", "out_of_domain:price", message),)
            if faults:
                yield Refusal(home.property_id, faults)
                continue
            near_edge = reaches.warnings(row) if reaches else ()
            yield self._estimate(home, appraisal, row, warnings + near_edge, loaded, coverage)

    def _estimate(
        self,
        home: Home,
        appraisal: Appraisal,
        row: int,
        warnings: tuple[str, ...],
        loaded: LoadedModel,
        coverage: float,
    ) -> PriceEstimate:
        if loaded.version.record.kind is Kind.STUB:
            warnings = (*warnings, STUB_WARNING)
        if home.home.municipality_number not in self.municipalities:
            warnings = (*warnings, UNKNOWN_MUNICIPALITY)
        price = float(appraisal.price[row])
        fsd = appraisal.fsd_of(row)
        return PriceEstimate(
            home.property_id,
            round(price),
            round(price / (home.home.usable_area or 1)),
            loaded.version.version,
            home.valuation_date,
            warnings,
            appraisal.interval_of(row, coverage),
            fsd,
            None if fsd is None else Confidence.of(fsd),
        )
