"""What a member's trees add to: what of the price is known without them."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]


class Frame(IntEnum):
    """What a member's trees add to, for the log of the price."""

    NOTHING = 0
    AREA = 1
    HEDONIC = 2


def offsets(homes: Mapping[str, Any], hedonic: Column, frames: npt.NDArray[np.int32]) -> Column:
    """What the trees of each member add to, shape (homes, members); *hedonic* is per m2, a log."""
    area = np.log(homes["usable_area"])
    known = np.stack([np.zeros(len(area)), area, area + hedonic])
    return np.ascontiguousarray(known[frames].T)
