"""What goes in and out, as the OpenAPI document tells it."""

from collections.abc import Mapping
from typing import Any

from ...domain.appraisal import COVERAGE, COVERAGES, Confidence
from ...domain.drift import FEATURES as DRIFTING
from ...domain.drift import DriftVerdict
from ...domain.explanation import GROUPS, MOST_COMPARABLES
from ...domain.model import ConditionalWrites
from ...domain.property import RealEstateType

Schema = dict[str, Any]


def reference(name: str) -> Schema:
    """A schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema, *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties} | more


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description} | more


def _number(description: str, **more: Any) -> Schema:
    return {"type": "number", "description": description} | more


def _count(description: str, **more: Any) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description} | more


def _optional(schema: Schema) -> Schema:
    return schema | {"nullable": True}


_TYPES = [kind.value for kind in RealEstateType]
_AREA = {"minimum": 5, "maximum": 5_000, "nullable": True}
_REGISTER = _optional(_number("Of the cadastre; accepted and not used."))

FEATURES = _object(
    {
        "realestate_type": _text("Which kind of home.", enum=_TYPES),
        "municipality_number": {
            "description": "Four digits, leading zeros may be missing: 301, "
            '"301" and "0301" are Oslo.',
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 9999},
                {"type": "string", "pattern": "^[0-9]+$"},
            ],
            "example": "0301",
        },
        "lat": _number("Latitude in degrees (WGS 84).", minimum=-90, maximum=90),
        "lon": _number("Longitude in degrees (WGS 84).", minimum=-180, maximum=180),
        "built_year": _number("At most two years after the valuation date.", minimum=1600),
        "total_area": _number(
            "Total area in m2, not smaller than the usable area.", minimum=5, maximum=1_000_000
        ),
        "bra": _number("Usable area (bruksareal) in m2; either this or `usable_area`.", **_AREA),
        "usable_area": _number("Another spelling of `bra`.", **_AREA),
        "floor": _optional(
            _number("Needed for a leilighet (apartment).", minimum=-20, maximum=100)
        ),
        "bedrooms": _optional(_number("How many.", minimum=0, maximum=100)),
        "rooms": _optional(_number("How many, bedrooms included.", minimum=0, maximum=200)),
        "gnr_number": _REGISTER,
        "bnr_number": _REGISTER,
        "snr_number": _REGISTER,
    },
    optional=(
        "bra",
        "usable_area",
        "floor",
        "bedrooms",
        "rooms",
        "gnr_number",
        "bnr_number",
        "snr_number",
    ),
    additionalProperties=False,
    description="What is known of a home. `null` is the same as absent.",
)

_FIELD = _text("Which field; several are joined by commas, none is the property as a whole.")
_CODE = _text("For programs.", example="invalid:built_year")
_MESSAGE = _text("For people.", example="must lie between 5 and 5,000 m2")
_VERSION = _text("The model's version.", example="20260901-031500-5f0c2a91")
_KIND = _text(
    "A `stub` gives a plain price per m2, until one is trained.", enum=["trained", "stub"]
)
_UNTIL = _optional(_text("The day of the newest sale it has seen.", format="date"))
_CREATED = _text("When it was made (UTC).", format="date-time")
_SHARE = {"nullable": True}

METRICS = {
    "n": _count("How many sales it was measured on."),
    "mae": _number("Mean absolute error, NOK.", **_SHARE),
    "rmse": _number("Root mean squared error, NOK.", **_SHARE),
    "mape": _number("Mean absolute error as a fraction of the price.", **_SHARE),
    "mdape": _number("Median absolute error as a fraction of the price.", **_SHARE),
    "wape": _number("Sum of absolute errors over the sum of prices.", **_SHARE),
    "p90": _number("90th percentile of the absolute error, NOK.", **_SHARE),
    "within_10": _number("Share of estimates within 10 % of the price.", **_SHARE),
    "within_20": _number("Share of estimates within 20 % of the price.", **_SHARE),
}
_RATIO = _object(
    {
        "value": _number("The figure.", **_SHARE),
        "lower": _number("Of its 95 % bootstrap interval.", **_SHARE),
        "upper": _number("Of its 95 % bootstrap interval.", **_SHARE),
        "status": _text(
            "`good` inside the standard's band, `ok` if the interval meets it, else `risk`.",
            enum=["good", "ok", "risk"],
        ),
    }
)
METRICS["ratios"] = _optional(
    _object(
        {
            "n": _count("How many sales it was measured on."),
            "median_ratio": _RATIO | {"description": "Median of estimate / price; 0.90 to 1.10."},
            "cod": _RATIO | {"description": "Coefficient of dispersion, percent; 5 to 15."},
            "prd": _RATIO | {"description": "Price-related differential; 0.98 to 1.03."},
            "prb": _RATIO | {"description": "Price-related bias; -0.05 to 0.05."},
        },
        description="The ratio study of the IAAO (Standard on Ratio Studies, 2013).",
    )
)
METRICS["coverage"] = {
    "type": "array",
    "description": "How many prices fell inside the intervals, by rising coverage.",
    "items": _object(
        {
            "status": _text(
                "`good` within 2 points of what was wanted, `ok` if it may be within 3, else "
                "`risk`.",
                enum=["good", "ok", "risk"],
            ),
            "n": _count("How many intervals."),
            "wanted": _number("The share that they were made to hold.", example=0.9),
            "covered": _number("The share that they held."),
            "lower": _number("Of its exact 95 % binomial interval."),
            "upper": _number("Of its exact 95 % binomial interval."),
            "width": _number("Mean of (upper - lower) / estimate."),
        }
    ),
}
_STATUS = _text(
    "`good`: 30 sales or more and an MdAPE of at most 10 %; `ok`: at most 20 %; `risk`: all else.",
    enum=["good", "ok", "risk"],
)

_DRIFTED = _text(
    "`too_few` sales to tell, else by the limits of docs/drift.md.",
    enum=[verdict.value for verdict in DriftVerdict],
)


def _by_name(description: str) -> Schema:
    segment = reference("Segment")
    return {"type": "object", "description": description, "additionalProperties": segment}


def _nullable_reference(name: str, description: str) -> Schema:
    return {"allOf": [reference(name)], "nullable": True, "description": description}


SCHEMAS: Mapping[str, Schema] = {
    "Features": FEATURES,
    "Batch": {
        "type": "object",
        "description": "Property id (1 to 64 printable ASCII characters) -> features.",
        "minProperties": 1,
        "additionalProperties": reference("Features"),
    },
    "Estimate": _object(
        {
            "estimated_price": _count("Whole NOK."),
            "currency": _text("Always NOK.", enum=["NOK"]),
            "interval": _optional(
                _object(
                    {
                        "lower": _count("Whole NOK."),
                        "upper": _count("Whole NOK."),
                        "coverage": _number("The share of prices that such intervals hold."),
                    },
                    description="Where the price lies; null by a stub, which does not know it.",
                )
            ),
            "price_per_sqm": _count("Whole NOK per m2 of usable area."),
            "fsd": _optional(
                _number("Forecast standard deviation, a fraction of the price.", example=0.11)
            ),
            "confidence": _optional(
                _text(
                    "By the fsd: `high` up to 0.13, `medium` up to 0.20, else `low`.",
                    enum=[None, *(each.value for each in Confidence)],
                )
            ),
            "model_version": _VERSION,
            "valuation_date": _text("The day it is valued for.", format="date"),
            "warnings": {
                "type": "array",
                "items": {"type": "string"},
                "description": "`stub:model`, `stale:valuation_date`, "
                "`unknown:municipality_number`, `renumbered:municipality_number` (a number of 2019 "
                "or of 2020 to 2023, valued under the one of today); `near_edge:` and `distance`, "
                "`usable_area`, `total_area`, `age`, `realestate_type`, `municipality_number` (far "
                "from where its homes were sold) or `valuation_date` of a home that few sales "
                "resemble in that.",
            },
            "base": _count(
                "With `explain=true`. Whole NOK that the contributions are added to: the estimate "
                "of the version's reference home, a typical one. A stub's whole estimate."
            ),
            "contributions": {
                "type": "object",
                "description": "With `explain=true`. Whole NOK that each group of facts adds, "
                "against the reference home; with `base` they sum to `estimated_price`. Empty "
                "where the model tells no groups apart, as a stub.",
                "properties": {name: {"type": "integer"} for name in GROUPS},
                "additionalProperties": False,
            },
            "comparables": {
                "type": "array",
                "maxItems": MOST_COMPARABLES,
                "description": "With `explain=true`. The past sales that counted most, that one "
                "first; none from after the valuation date.",
                "items": reference("ComparableSale"),
            },
        },
        optional=("base", "contributions", "comparables"),
    ),
    "ComparableSale": _object(
        {
            "price": _count("Whole NOK that were paid."),
            "sold_on": _text("The day of the sale.", format="date"),
            "distance_km": _number("From the home, to 10 m.", minimum=0),
            "usable_area": _number("In m2."),
            "adjusted_price": _count("Whole NOK at the price level of the valuation date."),
            "lat": _number("Latitude in degrees (WGS 84), to a metre.", minimum=-90, maximum=90),
            "lon": _number("Longitude in degrees (WGS 84).", minimum=-180, maximum=180),
        }
    ),
    "Refused": _object(
        {"error": _object({"code": _CODE, "field": _FIELD, "message": _MESSAGE})},
        description="The first fault of a property that is not priced (`on_invalid=skip`).",
    ),
    "Answers": {
        "type": "object",
        "description": "Property id -> result, in the order of the request.",
        "additionalProperties": {"oneOf": [reference("Estimate"), reference("Refused")]},
    },
    "Fault": _object(
        {
            "property_id": _optional(_text("Null for a query parameter.")),
            "field": _FIELD,
            "code": _CODE,
            "message": _MESSAGE,
        }
    ),
    "Problem": _object(
        {
            "type": _text(
                "Tells kinds of problems apart.",
                format="uri",
                example="urn:ree:problem:invalid-properties",
            ),
            "title": _text("The kind in words."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": _text("What is wrong and what to do."),
            "request_id": _text("As in the X-Request-Id header."),
            "errors": {
                "type": "array",
                "maxItems": 1000,
                "items": reference("Fault"),
                "description": "The first 1,000 faults.",
            },
            "errors_total": _count("How many faults there are."),
        },
        optional=("errors", "errors_total"),
        description="RFC 9457.",
    ),
    "Health": _object(
        {
            "status": {"type": "string", "enum": ["ok"]},
            "service": {"type": "string", "enum": ["ree"]},
            "env": _text("The setting REE_ENV.", example="production"),
        }
    ),
    "Ready": _object(
        {
            "status": {"type": "string", "enum": ["ready"]},
            "model_version": _VERSION,
            "type": _KIND,
            "created_at": _CREATED,
            "trained_until": _UNTIL,
            "sequence": _count("The number of the move that activated it."),
            "activated_at": _text("When that was (UTC).", format="date-time"),
            "conditional_writes": _text(
                "What keeps two movers of the pointer apart at the storage.",
                enum=[writes.value for writes in ConditionalWrites],
            ),
            "refresh": _object(
                {
                    "failures": _count("Looks for a newer version that failed since the start."),
                    "failing_since": _optional(
                        _text("Since when they fail, if they do.", format="date-time")
                    ),
                    "reason": _optional(_text("Why they do. The last good model stays.")),
                }
            ),
        }
    ),
    "Metrics": _object(METRICS),
    "Segment": _object({"status": _STATUS} | METRICS),
    "Model": _object(
        {
            "model_version": _VERSION,
            "type": _KIND,
            "created_at": _CREATED,
            "trained_until": _UNTIL,
            "trained_on": _object(
                {
                    "start_date": {"type": "string", "format": "date"},
                    "end_date": {"type": "string", "format": "date"},
                },
                nullable=True,
                description="The period of its sales.",
            ),
            "recipe": _object(
                {
                    "name": _text("How it is trained.", example="fast"),
                    "settings": {"type": "object", "additionalProperties": True},
                }
            ),
            "metrics": _nullable_reference("Metrics", "On sales it had not seen; null for a stub."),
            "baseline": _nullable_reference(
                "Metrics", "The same of the median price per m2 of municipality and type."
            ),
            "segments": _object(
                {
                    "by_realestate_type": _by_name("By type of home."),
                    "by_municipality": _by_name(
                        "By municipality number, the ten with the most sales."
                    ),
                    "by_price_fifth": _by_name("By fifth of the price paid, 1 the cheapest."),
                    "by_reach": _by_name(
                        "`usual` homes, those answered with a warning (`near_edge`), and those "
                        "refused (`out_of_domain`), priced all the same to be measured."
                    ),
                }
            ),
            "model_digest": _text("SHA-256 of the model's arrays: equal digests price alike."),
            "objects": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "SHA-256 of each stored object, by name.",
            },
        }
    ),
    "TrackedMonth": _object(
        {
            "model_version": _VERSION,
            "trained_until": _text(
                "The day of the newest sale it had seen; only later ones count.", format="date"
            ),
            "month": _text("In which the homes were sold.", pattern="^[0-9]{4}-[0-9]{2}$"),
            "metrics": _nullable_reference("Metrics", "Of estimates for the day of each sale."),
            "holdout": _nullable_reference(
                "Metrics", "What the version had shown on its own holdout, when it was published."
            ),
            "segments": _object(
                {
                    "by_realestate_type": _by_name("By type of home."),
                    "by_reach": _by_name("As in `Model`."),
                }
            ),
            "excluded": {
                "type": "object",
                "additionalProperties": {"type": "integer"},
                "description": "Sales of the month that do not count, by reason: "
                "`within_training_period`, `resale_within_window`, or a row rule's code.",
            },
            "snapshot_digest": _text("SHA-256 of the sales as they were fetched."),
            "scored_at": _CREATED | {"description": "When they were compared (UTC)."},
        }
    ),
    "TrackRecord": _object({"months": {"type": "array", "items": reference("TrackedMonth")}}),
    "Drift": _object(
        {
            "model_version": _VERSION,
            "trained_until": _UNTIL,
            "period": _object(
                {
                    "start_date": {"type": "string", "format": "date"},
                    "end_date": {"type": "string", "format": "date"},
                },
                description="Of the sales that its training data are compared with.",
            ),
            "digest": _text("SHA-256 of what the report was made of."),
            "checked_at": _text("When that was (UTC).", format="date-time"),
            "verdict": _DRIFTED | {"description": "The worst of all features."},
            "min_sales": _count("So many are needed to tell."),
            "features": {
                "type": "array",
                "items": _object(
                    {
                        "feature": _text("Of the homes or prices.", enum=list(DRIFTING)),
                        "verdict": _DRIFTED,
                        "trained_on": _count("Sales of the training data."),
                        "sales": _count("Sales of the period."),
                        "psi": _number("Population stability index, less chance.", **_SHARE),
                        "distance": _number("From 0 to 1; null of the price level.", **_SHARE),
                        "shift": _number(
                            "Of the price level alone: the median of price / estimate - 1.",
                            **_SHARE,
                        ),
                        "most_changed": _optional(
                            _object(
                                {
                                    "bin": _text("Which values.", example="45 to under 60"),
                                    "trained": _number("Its share of the training data."),
                                    "sold": _number("Its share of the period's sales."),
                                },
                                description="The values whose share differs most.",
                            )
                        ),
                    }
                ),
            },
        }
    ),
    "Places": _object(
        {
            "model_version": _VERSION,
            "cell_degrees": _number(
                "How high and how wide a cell is, in degrees.", minimum=0, example=0.02
            ),
            "cells": {
                "type": "array",
                "description": "Those in which a home was sold; empty for a stub.",
                "items": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 3,
                    "maxItems": 3,
                    "description": "Latitude and longitude of the centre in degrees (WGS 84), and "
                    "how many sales there are.",
                },
            },
        }
    ),
}

ESTIMATE_PARAMETERS: list[Schema] = [
    {
        "name": "valuation_date",
        "in": "query",
        "description": "The day to value the homes for, as 2026-09-15; today in Norway if not "
        "given.",
        "schema": {"type": "string", "format": "date"},
    },
    {
        "name": "on_invalid",
        "in": "query",
        "description": "`fail`: one invalid property and none is priced. `skip`: each invalid "
        "one is answered with its first fault, and the rest are priced.",
        "schema": {"type": "string", "enum": ["fail", "skip"], "default": "fail"},
    },
    {
        "name": "coverage",
        "in": "query",
        "description": "The share of prices that intervals hold.",
        "schema": {"type": "number", "enum": list(COVERAGES), "default": COVERAGE},
    },
    {
        "name": "explain",
        "in": "query",
        "description": "Whether to tell what each estimate is made of: `base`, `contributions` and "
        "`comparables`. Of 1,000 properties at most.",
        "schema": {"type": "boolean", "default": False},
    },
]
