"""From the bytes of a batch to the bytes of its answer, on one of two paths."""

from flask import Response, current_app

from ...application.estimate_batch import EstimateBatch
from ...domain.errors import BatchTooLarge
from ...domain.estimate import Home, OnInvalid
from . import typed_body
from .answers import priced, priced_columns
from .body import complete_reading, json_object
from .query import EstimateQuery

MOST_EXPLAINED = 1_000
"""Properties in one request with `explain=true`: an explanation costs milliseconds."""


def fast_answer(batch: EstimateBatch, text: bytes, query: EstimateQuery) -> Response | None:
    """The answer for homes that nothing is wrong with, made fast."""
    if query.explain:
        return None
    homes = typed_body.read(text, query.valuation_date)
    if homes is None:
        return None
    ids, columns = homes
    estimates = batch.columns(columns, query.valuation_date, coverage=query.coverage)
    if estimates is None or (estimates.refused and query.on_invalid is OnInvalid.FAIL):
        return None
    answer = priced_columns(ids, estimates, query.valuation_date)
    return Response(answer, mimetype="application/json")


def complete_answer(batch: EstimateBatch, text: bytes, query: EstimateQuery) -> Response:
    """Any answer, and every fault."""
    with complete_reading(len(text)):
        properties = json_object(text)
        most = min(MOST_EXPLAINED, batch.max_batch) if query.explain else batch.max_batch
        if len(properties) > most:  # before the work of reading them
            raise BatchTooLarge(len(properties), most)
        homes = [
            Home.parse(property_id, features, query.valuation_date)
            for property_id, features in properties.items()
        ]
        answers = batch(homes, query.on_invalid, coverage=query.coverage, explain=query.explain)
        return current_app.make_response(priced(answers))
