"""The objects that a version is made of."""

from collections.abc import Mapping
from io import BytesIO
from pickle import HIGHEST_PROTOCOL, dumps
from typing import Any

import numpy as np

from ..domain.errors import StorageError, UnreadableVersion
from ..domain.evaluation import Evaluation
from ..domain.model import ModelVersion, PriceModel, Status
from . import codec
from .features import FEATURES
from .objects import digest
from .price_models import KINDS, StorableModel, npz
from .report import html_report

FORMAT = 1
THREADS = 1
"""That a fit uses (ree.adapters.sklearn_model)."""
MANIFEST = "training_manifest.json"
MODEL = "model.npz"
ESTIMATOR = "model.pkl"
SCHEMA = "feature_schema.json"
METRICS = "metrics.json"
REPORT = "report.html"
FOLDERS: Mapping[Status, str] = {Status.PUBLISHED: "models", Status.REJECTED: "rejected"}


def encode_version(version: ModelVersion, model: StorableModel) -> dict[str, bytes]:
    """All objects but the manifest; a rejected version has no estimator to load."""
    bodies = {
        MODEL: npz(model.arrays()),
        SCHEMA: codec.to_json({"kind": model.kind, "features": list(FEATURES)}),
        METRICS: codec.to_json(metrics(version)),
        REPORT: html_report(version).encode(),
    }
    if model.estimator is not None and version.status is Status.PUBLISHED:
        bodies[ESTIMATOR] = dumps(model.estimator, protocol=HIGHEST_PROTOCOL)
    return bodies


def metrics(version: ModelVersion) -> dict[str, Any]:
    """The errors on the holdout, of the model and of the naive baseline."""
    return {
        **_metrics(version.record.evaluation),
        "baseline": _metrics(version.record.baseline),
    }


def encode_manifest(version: ModelVersion) -> bytes:
    """The training manifest: everything that is known of a version, and its objects' digests."""
    plain = codec.plain(version)
    record = plain.pop("record")
    return codec.to_json({"format": FORMAT, "threads": THREADS} | record | plain)


def decode_manifest(version: str, body: bytes) -> ModelVersion:
    """A version from its training manifest; UnreadableVersion."""
    try:
        plain = codec.from_json(body, MANIFEST)
        if plain.get("format") != FORMAT:
            raise UnreadableVersion(version, f"its format is {plain.get('format')!r}")
        found = codec.structured(plain | {"record": plain}, ModelVersion, MANIFEST)
    except StorageError as error:
        raise UnreadableVersion(version, str(error)) from error
    if found.version != version or MODEL not in found.objects:
        raise UnreadableVersion(version, f"{MANIFEST} belongs to another version")
    return found


def decode_model(version: str, bodies: Mapping[str, bytes]) -> PriceModel:
    """The model that is served, from plain arrays without objects; UnreadableVersion."""
    try:
        schema = codec.from_json(bodies[SCHEMA], SCHEMA)
        if schema.get("features") != list(FEATURES):
            raise UnreadableVersion(version, "it was trained on other features")
        with np.load(BytesIO(bodies[MODEL]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        model: PriceModel = KINDS[str(schema.get("kind"))].from_arrays(arrays)
    except UnreadableVersion:
        raise
    except Exception as error:
        raise UnreadableVersion(version, f"{MODEL} is not a model: {error}") from error
    if not version.endswith(f"-{digest(bodies[MODEL])[:8]}"):
        raise UnreadableVersion(version, f"{MODEL} belongs to another version")
    return model


def _metrics(evaluation: Evaluation | None) -> dict[str, Any]:
    if evaluation is None:
        return {"overall": None, "by_realestate_type": {}, "by_municipality": {}}
    plain: dict[str, Any] = codec.plain(evaluation)
    return plain
