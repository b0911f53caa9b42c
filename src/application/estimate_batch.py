"""What homes are worth, by the active model."""

from collections.abc import Collection, Sequence

from attrs import field, frozen

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
        self, homes: Sequence[Home], on_invalid: OnInvalid = OnInvalid.FAIL
    ) -> tuple[PriceEstimate | Refusal, ...]:
        """One answer a home, in order.

        EmptyBatch, BatchTooLarge, ModelNotReady; InvalidProperties with every fault of every home
        if one has any and *on_invalid* is FAIL.
        """
        if not homes:
            raise EmptyBatch
        if len(homes) > self.max_batch:
            raise BatchTooLarge(len(homes), self.max_batch)
        loaded = self.model.current()
        until = loaded.version.record.trained_until
        looks = [self.dates.look(home.valuation_date, until) for home in homes]
        looked = [
            (home, home.faults + bad, warnings)
            for home, (bad, warnings) in zip(homes, looks, strict=True)
        ]
        prices = iter(self._prices([home for home, bad, _ in looked if not bad], loaded))
        answers = tuple(
            Refusal(home.property_id, bad)
            if bad
            else self._estimate(home, next(prices), warnings, loaded)
            for home, bad, warnings in looked
        )
        refused = [answer for answer in answers if isinstance(answer, Refusal)]
        if refused and on_invalid is OnInvalid.FAIL:
            raise InvalidProperties(
                [(refusal.property_id, fault) for refusal in refused for fault in refusal.faults]
            )
        return answers

    def _prices(self, homes: Sequence[Home], loaded: LoadedModel) -> list[float]:
        if not homes:
            return []
        return [float(price) for price in loaded.model.estimate(self.tabulate.homes(homes))]

    def _estimate(
        self, home: Home, price: float, warnings: tuple[str, ...], loaded: LoadedModel
    ) -> PriceEstimate | Refusal:
        if not 0 < price < float("inf"):
            message = "the model gives no price for this home"
            return Refusal(home.property_id, (Fault("", "out_of_domain:price", message),))
        if loaded.version.record.kind is Kind.STUB:
            warnings = (*warnings, STUB_WARNING)
        if home.home.municipality_number not in self.municipalities:
            warnings = (*warnings, UNKNOWN_MUNICIPALITY)
        return PriceEstimate(
            home.property_id,
            round(price),
            round(price / (home.home.usable_area or 1)),
            loaded.version.version,
            home.valuation_date,
            warnings,
        )
