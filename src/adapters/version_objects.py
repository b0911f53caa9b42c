"""The objects that a version is made of."""

from collections.abc import Mapping
from datetime import date
from io import BytesIO
from os import register_at_fork
from pickle import HIGHEST_PROTOCOL, dumps
from threading import Lock

import numpy as np

from ..domain.errors import StorageError, UnreadableVersion
from ..domain.model import ModelVersion, PriceModel, Status, TrainingRecord
from . import codec
from .figures import version_figures
from .golden import check_golden_rows, golden_rows
from .objects import digest
from .report import html_report
from .seal import Seal
from .stored_arrays import StorableModel, npz

FORMAT = 3
"""What is written: since 3 with intervals and the training domain."""
OLDEST_FORMAT = 2
"""What is still read: the format before."""
THREADS = 1
"""That a fit uses (ree.adapters.sklearn_model)."""
MANIFEST = "training_manifest.json"
MODEL = "model.npz"
ESTIMATOR = "model.pkl"
SCHEMA = "feature_schema.json"
METRICS = "metrics.json"
REPORT = "report.html"
FOLDERS: Mapping[Status, str] = {Status.PUBLISHED: "models", Status.REJECTED: "rejected"}
GOLDEN_DAY = date(2026, 1, 1)
"""That golden rows are valued on where nothing was trained on."""
_READING = Lock()
"""NumPy reads headers with `ast`, whose constructors threads disturb in CPython 3.11 and 3.12."""
# A fork waits for a reader, which the new process would not have: the lock would stay taken there.
register_at_fork(
    before=_READING.acquire, after_in_parent=_READING.release, after_in_child=_READING.release
)


def encode_version(version: ModelVersion, model: StorableModel) -> dict[str, bytes]:
    """All objects but the manifest; a rejected version has no estimator to load."""
    bodies = encode_model(model, version.record)
    bodies[REPORT] = html_report(version).encode()
    if model.estimator is not None and version.status is Status.PUBLISHED:
        bodies[ESTIMATOR] = dumps(model.estimator, protocol=HIGHEST_PROTOCOL)
    return bodies


def encode_model(model: StorableModel, record: TrainingRecord) -> dict[str, bytes]:
    """The objects that a model and its record alone decide: the same ones give the same bytes."""
    day = (record.trained_until or GOLDEN_DAY).toordinal()
    schema = {
        "kind": model.kind,
        "features": _features(),
        "golden_rows": golden_rows(model, day),
    }
    return {
        MODEL: npz(model.arrays()),
        SCHEMA: codec.to_json(schema),
        METRICS: codec.to_json(version_figures(record)),
    }


def encode_manifest(version: ModelVersion, seal: Seal) -> bytes:
    """The training manifest: everything that is known of a version, and its objects' digests."""
    plain = codec.plain(version)
    record = plain.pop("record")
    return codec.to_json(seal.close({"format": FORMAT, "threads": THREADS} | record | plain))


def decode_manifest(version: str, body: bytes, seal: Seal) -> ModelVersion:
    """A version from its training manifest, if that can be trusted; UnreadableVersion."""
    name = f"{version}/{MANIFEST}"
    try:
        told = codec.from_json(body, name).get("format")
        if type(told) is not int or not OLDEST_FORMAT <= told <= FORMAT:
            raise UnreadableVersion(version, f"its format is {str(told)[:20]!r}, not {FORMAT}")
        plain = seal.open(body, name)
        found = codec.structured(plain | {"record": plain}, ModelVersion, name)
    except StorageError as error:
        raise UnreadableVersion(version, str(error)) from error
    if found.version != version or not {MODEL, SCHEMA} <= found.objects.keys():
        raise UnreadableVersion(version, f"{MANIFEST} belongs to another version")
    return found


def decode_model(version: str, bodies: Mapping[str, bytes]) -> PriceModel:
    """The model that is served, from plain arrays without objects; UnreadableVersion."""
    if not version.endswith(f"-{digest(bodies[MODEL])[:8]}"):
        raise UnreadableVersion(version, f"{MODEL} belongs to another version")
    try:
        schema = codec.from_json(bodies[SCHEMA], SCHEMA)
        if schema.get("features") != _features():
            raise UnreadableVersion(version, "it was trained on other features")
        with _READING, np.load(BytesIO(bodies[MODEL]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        from .price_models import KINDS

        model: StorableModel = KINDS[str(schema.get("kind"))].from_arrays(arrays)
    except UnreadableVersion:
        raise
    except Exception as error:
        raise UnreadableVersion(version, f"{MODEL} is not a model: {error}") from error
    try:
        check_golden_rows(model, schema["golden_rows"])
    except Exception as error:
        raise UnreadableVersion(version, f"its golden rows do not hold: {error}") from error
    return model


def _features() -> list[str]:
    """Imported here, as models are: it compiles, which not every command has to wait for."""
    from .features import FEATURES

    return list(FEATURES)
