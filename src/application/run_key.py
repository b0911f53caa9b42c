"""What makes two retrains the same one."""

import json
from collections.abc import Mapping
from hashlib import sha256

from attrs import asdict

from ..domain.dataset import DatasetManifest
from ..domain.gating import GatingPolicy
from ..domain.model import Recipe


def run_key(
    manifest: DatasetManifest,
    recipe: Recipe,
    policy: GatingPolicy,
    environment: Mapping[str, str],
) -> str:
    """SHA-256 over the period, its months' digests, the recipe, the gate and the environment."""
    parts = {
        "period": str(manifest.period),
        "months": [[str(month.period), month.digest] for month in manifest.snapshots],
        "recipe": asdict(recipe),
        "gate": asdict(policy),
        "environment": dict(environment),
    }
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
