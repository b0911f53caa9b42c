"""The market API over HTTP, as the core wants it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self, TypeVar

from attrs import frozen
from msgspec.json import Decoder

from ..domain.property import Property
from ..domain.turnover import Period, Turnover, Unit
from .market_http import MarketHttp, Question
from .market_schema import PROPERTIES, TURNOVERS, UNITS

PER_PAGE = 100
PER_REQUEST = 100
T = TypeVar("T")


@frozen(eq=False)
class HttpMarket:
    """MarketData from an API that somebody else runs; whatever it does wrong is a MarketError."""

    _http: MarketHttp
    _max_pages: int

    @classmethod
    def connect(
        cls,
        base_url: str | None,
        api_key: str | None,
        *,
        timeout_seconds: float = 30.0,
        attempts: int = 5,
        wait_max: float = 20.0,
        max_pages: int = 10_000,
    ) -> Self:
        """Nothing is sent yet. *wait_max* (seconds) bounds the pauses that the API did not ask for.

        A Retry-After is honoured up to a minute.
        """
        http = MarketHttp.connect(
            base_url,
            api_key,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            wait_max=wait_max,
        )
        return cls(http, max_pages)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def turnovers(self, period: Period) -> Iterator[Turnover]:
        """Page by page, while they are taken. Which day a turnover belongs to, the API decides."""
        previous: tuple[Turnover, ...] = ()
        for page in range(1, self._max_pages + 1):
            question = _page_of(period, page)
            told = self._ask(question, TURNOVERS).data
            if len(told) > PER_PAGE:
                raise self._http.broken_contract(
                    question, f"{len(told)} turnovers where {PER_PAGE} were asked for"
                )
            turnovers = tuple(record.turnover() for record in told)
            if turnovers and turnovers == previous:
                raise self._http.broken_contract(question, "the page before once more")
            yield from turnovers
            if len(turnovers) < PER_PAGE:
                return
            previous = turnovers
        raise self._http.broken_contract(question, "and there is still no last page")

    def units(self, ids: Sequence[int]) -> Mapping[int, Unit]:
        """Asked for by the hundred."""
        path, key = "/dc_int/units/valuer_formatted", "cadastral_unit_gbk_ids"
        return {id_: record.unit() for id_, record in self._by_id(path, key, ids, UNITS)}

    def properties(self, ids: Sequence[int]) -> Mapping[int, Property]:
        """Asked for by the hundred."""
        path, key = "/mat_int/properties/estimation_params", "ids"
        return {id_: record.home() for id_, record in self._by_id(path, key, ids, PROPERTIES)}

    def _by_id(
        self, path: str, key: str, ids: Sequence[int], decoder: Decoder[dict[int, T | None]]
    ) -> Iterator[tuple[int, T]]:
        for start in range(0, len(ids), PER_REQUEST):
            asked = list(ids[start : start + PER_REQUEST])
            question = Question("POST", path, f"ids {asked[0]} to {asked[-1]}", json={key: asked})
            told = self._ask(question, decoder)
            strangers = told.keys() - set(asked)
            if strangers:
                raise self._http.broken_contract(
                    question, f"{len(strangers)} ids that were not asked for, as {min(strangers)}"
                )
            yield from ((id_, record) for id_, record in told.items() if record is not None)

    def _ask(self, question: Question, decoder: Decoder[T]) -> T:
        try:
            return decoder.decode(self._http.ask(question))
        except RecursionError:
            reason = "its JSON is nested too deeply"
        except ValueError as error:
            reason = str(error)
        raise self._http.broken_contract(question, reason)


def _page_of(period: Period, page: int) -> Question:
    return Question(
        "GET",
        "/gbk_int/turnovers/valuer_formatted",
        f"page {page}",
        params={
            "start_date": str(period.start),
            "end_date": str(period.end),
            "type": 2,
            "min_price": 1000,
            "page": page,
            "per_page": PER_PAGE,
        },
    )
