"""What a member's trees add to: what of the price is known without them."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from .compiled import compiled

Column = npt.NDArray[np.float64]


class Frame(IntEnum):
    """What a member's trees add to, for the log of the price."""

    NOTHING = 0
    AREA = 1
    HEDONIC = 2


_AREA, _HEDONIC = int(Frame.AREA), int(Frame.HEDONIC)


@compiled("void(float64[:,::1], float64[::1], float64[::1], int32[::1])")
def add_offsets(members: Any, usable_area: Any, hedonic: Any, frames: Any) -> None:
    """To *members*, shape (homes, members): areas in m2, *hedonic* per m2, a log."""
    for home in range(len(members)):
        area = np.log(usable_area[home])
        for member in range(members.shape[1]):
            if frames[member] == _AREA:
                members[home, member] += area
            elif frames[member] == _HEDONIC:
                members[home, member] += area + hedonic[home]


def offsets(homes: Mapping[str, Any], hedonic: Column, frames: npt.NDArray[np.int32]) -> Column:
    """What the trees of each member add to, shape (homes, members); *hedonic* is per m2, a log."""
    added = np.zeros((len(hedonic), len(frames)))
    area = np.ascontiguousarray(homes["usable_area"], dtype=np.float64)
    add_offsets(added, area, np.ascontiguousarray(hedonic), np.ascontiguousarray(frames))
    return added
