"""Which models there are, by the kind that is stored with each."""

from collections.abc import Mapping
from typing import Any

from .boosted_trees import BoostedTrees
from .median_price import MedianPricePerSqm

KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (BoostedTrees, MedianPricePerSqm)}
