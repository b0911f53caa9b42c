"""The HTTP surface of the market API, in front of any market."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from hmac import compare_digest
from typing import Annotated

import msgspec
from flask import Flask, Response, request
from msgspec import Meta, Struct
from werkzeug.exceptions import BadRequest, HTTPException, Unauthorized

from .faults import Faults, Unreliable
from .market import Market, TurnoverRecord

__all__ = ["PROPERTIES", "TURNOVERS", "UNITS", "Faults", "create_sandbox"]

TURNOVERS = "/gbk_int/turnovers/valuer_formatted"
UNITS = "/dc_int/units/valuer_formatted"
PROPERTIES = "/mat_int/properties/estimation_params"

_FREE_SALE = 2
_LARGEST_PAGE = 1000
LARGEST_BODY = 1_000_000
_REMEMBERED_QUERIES = 24

_ANY_PRICE = -(10**18)

_Ids = Annotated[list[int], Meta(max_length=100)]


class _UnitsQuery(Struct):
    cadastral_unit_gbk_ids: _Ids


class _PropertiesQuery(Struct):
    ids: _Ids


def create_sandbox(market: Market, *, faults: Faults) -> Flask:
    """Counts of the requests are in ``extensions["sandbox"].served``."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    unreliable = Unreliable(app.wsgi_app, faults)
    app.wsgi_app = unreliable  # type: ignore[method-assign]
    app.extensions["sandbox"] = unreliable
    key = faults.require_key

    @lru_cache(_REMEMBERED_QUERIES)
    def sales(start: date, end: date, min_price: float) -> Sequence[TurnoverRecord]:
        return [sale for sale in market.turnovers(start, end) if _price(sale) >= min_price]

    @app.before_request
    def authenticate() -> None:
        sent = request.headers.get("Apikey", "")
        if key is not None and not compare_digest(sent.encode(), key.encode()):
            raise Unauthorized("The header Apikey is missing or wrong.")

    @app.get(TURNOVERS)
    def turnovers() -> Response:
        start, end = _date("start_date"), _date("end_date")
        if end < start:
            raise BadRequest("end_date is before start_date.")
        size = _number("per_page", default=100, least=1, most=_LARGEST_PAGE)
        first = (_number("page", default=1, least=1) - 1) * size
        if _number("type", default=_FREE_SALE) != _FREE_SALE:
            return _json({"data": []})
        found = sales(start, end, _number("min_price", default=_ANY_PRICE))
        return _json({"data": found[first : first + size]})

    @app.post(UNITS)
    def units() -> Response:
        query = msgspec.json.decode(request.get_data(), type=_UnitsQuery)
        return _json(market.units(query.cadastral_unit_gbk_ids))

    @app.post(PROPERTIES)
    def properties() -> Response:
        query = msgspec.json.decode(request.get_data(), type=_PropertiesQuery)
        return _json(market.properties(query.ids))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return _json({"error": error.description}, error.code or 500)

    @app.errorhandler(msgspec.DecodeError)
    def malformed(error: msgspec.DecodeError) -> Response:
        return _json({"error": str(error)}, 400)

    return app


def _price(sale: TurnoverRecord) -> float:
    """An unknown price is no reason to withhold a turnover."""
    return sale["attributes"].get("price", float("inf"))


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, mimetype="application/json")


def _date(name: str) -> date:
    try:
        return date.fromisoformat(request.args[name])
    except (KeyError, ValueError):
        raise BadRequest(f"{name} is expected as YYYY-MM-DD.") from None


def _number(name: str, *, default: int, least: int | None = None, most: int | None = None) -> int:
    try:
        value = int(request.args.get(name, default))
    except ValueError:
        raise BadRequest(f"{name} is expected to be a whole number.") from None
    if (least is not None and value < least) or (most is not None and value > most):
        raise BadRequest(f"{name} is out of range.")
    return value
