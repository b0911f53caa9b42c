"""Models as arrays: how they are kept, and what is checked of them when they are read."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..domain.model import PriceModel

Arrays = Mapping[str, npt.NDArray[Any]]


@runtime_checkable
class StorableModel(PriceModel, Protocol):
    """A PriceModel that can be kept as arrays; *estimator* is for people, never for serving."""

    kind: ClassVar[str]
    estimator: Any

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that it needs to price homes."""


def npz(arrays: Arrays) -> bytes:
    """Arrays as an uncompressed .npz; equal arrays give equal bytes."""
    buffer = BytesIO()
    np.savez(buffer, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return buffer.getvalue()


def check_row(arrays: Arrays, *names: str) -> None:
    """ValueError unless each is a row of finite numbers; KeyError."""
    for name in names:
        row = arrays[name]
        if row.dtype != np.float64 or row.ndim != 1 or not np.isfinite(row).all():
            raise ValueError(f"{name} is not a row of finite numbers")
