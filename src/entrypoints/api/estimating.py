"""From the bytes of a batch to the bytes of its answer, on one of two paths."""

from collections.abc import Sequence
from time import perf_counter

from flask import Response, current_app, g

from ...application.estimate_batch import EstimateBatch
from ...domain.errors import BatchTooLarge, InvalidProperties
from ...domain.estimate import Estimates, Home, OnInvalid, PriceEstimate, Refusal
from ..logs import MODEL_VERSION
from . import typed_body
from .answers import priced, priced_columns
from .body import complete_reading, json_object
from .exchange import Exchange
from .query import EstimateQuery

_EXPLAINED = 16
"""By how much a body that is explained counts as larger: its homes cost milliseconds each."""
MOST_EXPLAINED = 1_000
"""Properties in one request with `explain=true`: an explanation costs milliseconds."""


def fast_answer(batch: EstimateBatch, text: bytes, query: EstimateQuery) -> Response | None:
    """The answer for homes that nothing is wrong with, made fast."""
    if query.explain:
        return None
    began = perf_counter()
    homes = typed_body.read(text, query.valuation_date)
    if homes is None:
        return None
    ids, columns = homes
    decoded = perf_counter()
    estimates = batch.columns(columns, query.valuation_date, coverage=query.coverage)
    if estimates is None or (estimates.refused and query.on_invalid is OnInvalid.FAIL):
        return None
    valued = perf_counter()
    MODEL_VERSION.set(estimates.model_version)
    answer = priced_columns(ids, estimates, query.valuation_date)
    exchange: Exchange = g.exchange
    exchange.timings += [
        ("decode", decoded - began),
        ("value", valued - decoded),
        ("encode", perf_counter() - valued),
    ]
    codes = [faults[0].code for faults in estimates.refused.values()]
    exchange.priced(len(ids), codes, "fast", _warned(estimates))
    return Response(answer, content_type="application/json")


def complete_answer(batch: EstimateBatch, text: bytes, query: EstimateQuery) -> Response:
    """Any answer, and every fault."""
    with complete_reading(len(text) * (_EXPLAINED if query.explain else 1)):
        properties = json_object(text)
        most = min(MOST_EXPLAINED, batch.max_batch) if query.explain else batch.max_batch
        if len(properties) > most:  # before the work of reading them
            raise BatchTooLarge(len(properties), most)
        homes = [
            Home.parse(property_id, features, query.valuation_date)
            for property_id, features in properties.items()
        ]
        exchange: Exchange = g.exchange
        try:
            answers = batch(homes, query.on_invalid, coverage=query.coverage, explain=query.explain)
        except InvalidProperties as error:
            exchange.refused(len(homes), _first_codes(error), "complete")
            raise
        for each in answers:
            if isinstance(each, PriceEstimate):
                MODEL_VERSION.set(each.model_version)
                break
        refused = [each.faults[0].code for each in answers if isinstance(each, Refusal)]
        warned = [each.warnings for each in answers if isinstance(each, PriceEstimate)]
        exchange.priced(len(homes), refused, "complete", warned)
        return current_app.make_response(priced(answers))


def _warned(estimates: Estimates) -> Sequence[tuple[str, ...]]:
    """The warnings of those that are priced."""
    if not estimates.refused:
        return estimates.warnings
    told = enumerate(estimates.warnings)
    return [warnings for row, warnings in told if row not in estimates.refused]


def _first_codes(error: InvalidProperties) -> list[str]:
    """One for each property at fault."""
    first = {property_id: fault.code for property_id, fault in reversed(error.faults)}
    return [*first.values()]
