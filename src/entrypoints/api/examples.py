"""The examples in the documentation; a test sends them and compares the answers."""

from typing import Any

from ...adapters.strict_json import MalformedJson
from ...domain.errors import (
    BatchTooLarge,
    EmptyBatch,
    ModelNotReady,
    NoDriftReport,
    UnknownVersion,
    UnreadableVersion,
)
from .body import UnsupportedBody
from .client_keys import NoClientKey, TooManyRequests
from .problems import kind_of
from .rate_limit import Pace

VERSION = "20260901-031500-5f0c2a91"
REQUEST_ID = "0f3c6f1e8f0b4d0c9d6f3f6c1a2b3c4d"

HOUSE = {
    "realestate_type": "enebolig",
    "municipality_number": 4003,
    "lat": 59.21,
    "lon": 9.584,
    "built_year": 2016,
    "total_area": 472.8,
    "bra": 167,
    "bedrooms": 2,
    "rooms": 4,
}
APARTMENT = {
    "realestate_type": "leilighet",
    "municipality_number": "0301",
    "lat": 59.927,
    "lon": 10.716,
    "built_year": 1936,
    "total_area": 71,
    "bra": 64,
    "floor": 3,
    "bedrooms": 2,
    "rooms": 3,
}
APARTMENT_WITHOUT_FLOOR = {
    "realestate_type": "leilighet",
    "municipality_number": "4601",
    "lat": 60.39,
    "lon": 5.322,
    "built_year": 2008,
    "total_area": 58,
    "bra": 52,
}
COTTAGE_IN_TEXTS = {
    "realestate_type": "hytte",
    "municipality_number": 3443,
    "lat": 61.2,
    "lon": 9.0,
    "built_year": "1974",
    "total_area": 60,
    "bra": 75,
    "sauna": True,
}
_GOOD = {"486002054": HOUSE, "486002071": APARTMENT}
_MIXED = _GOOD | {"486002088": APARTMENT_WITHOUT_FLOOR, "486002096": COTTAGE_IN_TEXTS}

REQUESTS: dict[str, Any] = {
    "good": {"summary": "A house and an apartment", "value": _GOOD},
    "mixed": {
        "summary": "A house, an apartment and two properties that are refused",
        "description": "Answered with 422; with `on_invalid=skip` the first two are priced.",
        "value": _MIXED,
    },
}

FAULTS = [
    {
        "property_id": "486002088",
        "field": "floor",
        "code": "missing:floor_for_leilighet",
        "message": "is needed for a leilighet",
    },
    {
        "property_id": "486002096",
        "field": "built_year",
        "code": "invalid_type:built_year",
        "message": "must be a number",
    },
    {
        "property_id": "486002096",
        "field": "sauna",
        "code": "unknown:sauna",
        "message": "is not a field; the API documentation lists them",
    },
    {
        "property_id": "486002096",
        "field": "total_area",
        "code": "invalid:total_area_lt_bra",
        "message": "must not be smaller than the usable area",
    },
]


def _priced(price: int, area: float, fsd: float, confidence: str) -> dict[str, Any]:
    lower, upper = round(price * (1 - 1.6 * fsd)), round(price * (1 + 1.8 * fsd))
    return {
        "estimated_price": price,
        "currency": "NOK",
        "interval": {"lower": lower, "upper": upper, "coverage": 0.9},
        "price_per_sqm": round(price / area),
        "fsd": fsd,
        "confidence": confidence,
        "model_version": VERSION,
        "valuation_date": "2026-09-15",
        "warnings": [],
    }


def _refused(fault: dict[str, str]) -> dict[str, Any]:
    return {"error": {name: fault[name] for name in ("code", "field", "message")}}


_PRICED = {
    "486002054": _priced(5_214_300, 167, 0.1714, "medium"),
    "486002071": _priced(6_402_900, 64, 0.0883, "high"),
}

_EXPLAINED = _PRICED["486002054"] | {
    "base": 4_387_200,
    "contributions": {
        "location": -1_104_500,
        "size": 1_942_800,
        "age": 318_700,
        "type": 96_200,
        "time": 0,
        "comparables": -426_100,
    },
    "comparables": [
        {
            "price": 5_150_000,
            "sold_on": "2026-06-11",
            "distance_km": 0.31,
            "usable_area": 158,
            "adjusted_price": 5_204_800,
            "lat": 59.20764,
            "lon": 9.58112,
        },
        {
            "price": 4_890_000,
            "sold_on": "2026-02-27",
            "distance_km": 0.84,
            "usable_area": 171,
            "adjusted_price": 5_031_300,
            "lat": 59.21702,
            "lon": 9.57869,
        },
    ],
}

ANSWERS: dict[str, Any] = {
    "good": {"summary": "A house and an apartment", "value": _PRICED},
    "mixed": {
        "summary": "Two that are priced and two that are not (on_invalid=skip)",
        "value": _PRICED | {"486002088": _refused(FAULTS[0]), "486002096": _refused(FAULTS[1])},
    },
    "explained": {
        "summary": "The house, and what its estimate is made of (explain=true)",
        "value": {"486002054": _EXPLAINED},
    },
}


def _ready(**refresh: Any) -> dict[str, Any]:
    return {
        "status": "ready",
        "model_version": VERSION,
        "type": "trained",
        "created_at": "2026-09-01T03:15:00+00:00",
        "trained_until": "2026-08-31",
        "sequence": 7,
        "activated_at": "2026-09-01T03:15:02+00:00",
        "conditional_writes": "etag",
        "refresh": {"failures": 0, "failing_since": None, "reason": None} | refresh,
    }


_BEHIND = UnreadableVersion("20261001-031500-90c1d27e", "the SHA-256 of model.npz differs")

READY: dict[str, Any] = {
    "good": {"summary": "The active version is served", "value": _ready()},
    "behind": {
        "summary": "The last good version is served, since the active one is damaged",
        "value": _ready(failures=3, failing_since="2026-10-01T03:15:30+00:00", reason=str(_BEHIND)),
    },
}


PLACES: dict[str, Any] = {
    "good": {
        "summary": "Sales in Skien and Oslo",
        "value": {
            "model_version": VERSION,
            "cell_degrees": 0.02,
            "cells": [[59.19, 9.61, 14], [59.21, 9.59, 21], [59.91, 10.75, 139]],
        },
    },
    "stub": {
        "summary": "A stub compares with no sales",
        "value": {"model_version": VERSION, "cell_degrees": 0.02, "cells": []},
    },
}


def _errors(n: int, mdape: float, within_10: float, held: float) -> dict[str, Any]:
    return {
        "n": n,
        "mae": 431_250.0,
        "rmse": 688_140.0,
        "mape": 0.112,
        "mdape": mdape,
        "wape": 0.098,
        "p90": 921_800.0,
        "within_10": within_10,
        "within_20": 0.857,
        "ratios": None,
        "coverage": [
            {
                "status": "good",
                "n": n,
                "wanted": 0.9,
                "covered": held,
                "lower": held - 0.015,
                "upper": held + 0.013,
                "width": 0.47,
            }
        ],
    }


TRACK_RECORD: dict[str, Any] = {
    "good": {
        "summary": "A month",
        "value": {
            "months": [
                {
                    "model_version": VERSION,
                    "trained_until": "2026-08-31",
                    "month": "2026-09",
                    "metrics": _errors(1_904, 0.0792, 0.609, 0.897),
                    "holdout": _errors(1_871, 0.0775, 0.617, 0.905),
                    "segments": {
                        "by_realestate_type": {
                            "leilighet": {"status": "good"} | _errors(1_022, 0.0641, 0.702, 0.903)
                        },
                        "by_reach": {},
                    },
                    "excluded": {"missing:built_year": 41},
                    "snapshot_digest": "9a" * 32,
                    "scored_at": "2026-10-01T01:05:41+00:00",
                }
            ]
        },
    },
    "empty": {"summary": "Before the first month", "value": {"months": []}},
}


DRIFT: dict[str, Any] = {
    "watch": {
        "summary": "Fewer flats, and prices above the estimates",
        "value": {
            "model_version": VERSION,
            "trained_until": "2026-08-31",
            "period": {"start_date": "2026-09-01", "end_date": "2026-09-30"},
            "digest": "6d0f1e52a1c47f0f0a3b1a1f9e3f7f1c5d9d2b4f8f0a6c2e4b7d1c3a5e9f2b60",
            "checked_at": "2026-10-01T03:20:00+00:00",
            "verdict": "watch",
            "min_sales": 300,
            "features": [
                {
                    "feature": "realestate_type",
                    "verdict": "watch",
                    "trained_on": 14_873,
                    "sales": 1_204,
                    "psi": 0.0911,
                    "distance": 0.1472,
                    "shift": None,
                    "most_changed": {"bin": "leilighet", "trained": 0.5206, "sold": 0.3734},
                },
                {
                    "feature": "price_level",
                    "verdict": "watch",
                    "trained_on": 14_873,
                    "sales": 1_204,
                    "psi": None,
                    "distance": None,
                    "shift": 0.0534,
                    "most_changed": None,
                },
            ],
        },
    },
}


def _problem(error: Exception) -> dict[str, Any]:
    kind = kind_of(error)
    value = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.shown or str(error),
        "request_id": REQUEST_ID,
    }
    return {kind.name: {"summary": kind.title, "value": value}}


_INVALID = {
    "summary": "Two properties are refused",
    "value": {
        "type": "urn:ree:problem:invalid-properties",
        "title": "Invalid properties",
        "status": 422,
        "detail": "2 properties are invalid; correct them, or ask for on_invalid "
        '"skip" to price the rest.',
        "request_id": REQUEST_ID,
        "errors": FAULTS,
        "errors_total": 4,
    },
}

PROBLEMS: dict[int, Any] = {
    400: _problem(MalformedJson("The JSON is malformed: Expecting value (line 1, column 1).")),
    401: _problem(NoClientKey()),
    404: _problem(UnknownVersion(VERSION)) | _problem(NoDriftReport(VERSION)),
    413: _problem(BatchTooLarge(12_000, 10_000)),
    415: _problem(UnsupportedBody("Send JSON in UTF-8, with Content-Type: application/json.")),
    422: {"mixed": _INVALID} | _problem(EmptyBatch()),
    429: _problem(TooManyRequests(Pace(600), 1)),
    500: _problem(Exception()),
    503: _problem(ModelNotReady()),
}
