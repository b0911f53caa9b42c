"""Functions that are compiled to machine code when their module is imported.

Their signatures are given, so that a service compiles before it forks and never again. Nothing is
kept on disk, no thread is started, and sums are taken in the order they are written in: what is
said of a home does not depend on the homes beside it.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit, vectorize

F = TypeVar("F", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[F], F]:
    """For arrays and numbers of these types only; x / 0 is inf or NaN, as of arrays."""
    decorate: Any = njit(signature, nogil=True, error_model="numpy")
    return cast("Callable[[F], F]", decorate)


def inlined(function: F) -> F:
    """To be written into those that call it: it is compiled with each of them, and not alone."""
    return cast("F", njit(function, inline="always", error_model="numpy"))


def elementwise(function: F) -> F:
    """For a number or the numbers of an array, one by one; a number stays a number."""
    return cast("F", vectorize(["float64(float64)"])(function))
