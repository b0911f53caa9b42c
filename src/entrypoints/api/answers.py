"""What the use cases give, as JSON."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from attrs import asdict
from flask.json.provider import DefaultJSONProvider
from msgspec import Struct
from msgspec.json import Encoder

from ...adapters.active_model import Followed
from ...adapters.codec import finite
from ...adapters.figures import (
    SEGMENTS,
    evaluation_figures,
    metrics_figures,
    tracked_figures,
)
from ...adapters.settings import Settings
from ...domain.appraisal import Confidence
from ...domain.estimate import CURRENCY, Estimates, PriceEstimate, Refusal
from ...domain.evaluation import Evaluation
from ...domain.model import LoadedModel, ModelVersion
from ...domain.places import CELL
from ...domain.rules import Fault
from ...domain.track_record import TrackedMonth


class StrictJson(DefaultJSONProvider):
    """JSON that every reader takes: in the order given, null for what is not a finite number."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """As text, in ASCII."""
        return super().dumps(finite(obj), allow_nan=False, **kwargs)


def priced(answers: Iterable[PriceEstimate | Refusal]) -> dict[str, Any]:
    """By property id, in the order of the request."""
    return {answer.property_id: _result(answer) for answer in answers}


def _result(answer: PriceEstimate | Refusal) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return {"error": _fault(answer.faults[0])}
    return {
        "estimated_price": answer.estimated_price,
        "currency": answer.currency,
        "interval": answer.interval and asdict(answer.interval),
        "price_per_sqm": answer.price_per_sqm,
        "fsd": answer.fsd and round(answer.fsd, 4),
        "confidence": answer.confidence and answer.confidence.value,
        "model_version": answer.model_version,
        "valuation_date": answer.valuation_date,
        "warnings": answer.warnings,
    } | (asdict(answer.explanation) if answer.explanation else {})


class _Interval(Struct):
    lower: int
    upper: int
    coverage: float


class _Priced(Struct):
    estimated_price: int
    currency: str
    interval: _Interval | None
    price_per_sqm: int
    fsd: float | None
    confidence: str | None
    model_version: str
    valuation_date: date
    warnings: tuple[str, ...]


def priced_columns(ids: Iterable[str], estimates: Estimates, day: date) -> bytes:
    """The same as JSON, of homes that are columns, made faster."""
    rows = zip(
        ids,
        estimates.estimated_price,
        estimates.interval,
        estimates.price_per_sqm,
        estimates.fsd,
        estimates.warnings,
        strict=True,
    )
    answers: dict[str, Any] = {
        property_id: _Priced(
            price,
            CURRENCY,
            bounds and _Interval(bounds[0], bounds[1], estimates.coverage),
            per_sqm,
            None if fsd is None else round(fsd, 4),
            None if fsd is None else Confidence.of(fsd).value,
            estimates.model_version,
            day,
            warnings,
        )
        for property_id, price, bounds, per_sqm, fsd, warnings in rows
    }
    places = [*answers] if estimates.refused else []
    for row, faults in estimates.refused.items():
        answers[places[row]] = {"error": _fault(faults[0])}
    return _ENCODER.encode(answers)


_ENCODER = Encoder()


def _fault(fault: Fault) -> dict[str, str]:
    return {"code": fault.code, "field": fault.field, "message": fault.message}


def identified(version: ModelVersion) -> dict[str, Any]:
    """Which version it is."""
    return {
        "model_version": version.version,
        "type": version.record.kind.value,
        "created_at": version.created_at,
        "trained_until": version.record.trained_until,
    }


def serving(state: Followed, settings: Settings) -> dict[str, Any]:
    """Which version is served, and how following the pointer goes; ModelNotReady."""
    served = state.in_use()
    return {
        "status": "ready",
        **identified(served.loaded.version),
        "sequence": served.activation.sequence,
        "activated_at": served.activation.activated_at,
        "conditional_writes": served.activation.conditional_writes.value,
        "refresh": {
            "failures": state.failures,
            "failing_since": state.failing_since,
            "reason": state.reason and placeless(state.reason, settings),
        },
    }


def placeless(reason: str, settings: Settings) -> str:
    """What went wrong, without where the storage is, which is not for clients."""
    found = reason.replace(f"{settings.storage_path}/", "REE_STORAGE_PATH/")
    return found.replace(settings.s3_endpoint, "REE_S3_ENDPOINT") if settings.s3_endpoint else found


def described(version: ModelVersion) -> dict[str, Any]:
    """What a version was trained on and how it was found to be."""
    record = version.record
    period = record.dataset.period if record.dataset else None
    return identified(version) | {
        "trained_on": {"start_date": period.start, "end_date": period.end} if period else None,
        "recipe": {"name": record.recipe.name, "settings": dict(record.recipe.settings)},
        "metrics": _overall(record.evaluation),
        "baseline": _overall(record.baseline),
        "segments": _segments(record.evaluation),
        "model_digest": version.model_digest,
        "objects": dict(version.objects),
    }


def located(loaded: LoadedModel) -> dict[str, Any]:
    """Where the sales are that a model compares with."""
    return {
        "model_version": loaded.version.version,
        "cell_degrees": CELL,
        "cells": [[place.lat, place.lon, place.sales] for place in loaded.model.places()],
    }


def tracked(months: Iterable[TrackedMonth]) -> dict[str, Any]:
    """How versions did on later sales."""
    return {"months": [tracked_figures(month) for month in months]}


def _overall(evaluation: Evaluation | None) -> dict[str, Any] | None:
    return None if evaluation is None else metrics_figures(evaluation.overall)


def _segments(evaluation: Evaluation | None) -> dict[str, Any]:
    figures = evaluation_figures(evaluation)
    return {name: figures[name] for name in SEGMENTS}
