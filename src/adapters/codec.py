"""The domain's values as JSON, and back."""

import json
from datetime import date
from math import isfinite, nan
from typing import Any, TypeVar

from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter

from ..domain.errors import StorageError
from ..domain.turnover import Period

T = TypeVar("T")

_converter = make_converter()
_converter.register_unstructure_hook(float, lambda value: value if isfinite(value) else None)
_converter.register_structure_hook(float, lambda value, _: nan if value is None else float(value))
_START, _END = override(rename="start_date"), override(rename="end_date")
_converter.register_unstructure_hook(
    Period, make_dict_unstructure_fn(Period, _converter, start=_START, end=_END)
)
_converter.register_structure_hook(
    Period, make_dict_structure_fn(Period, _converter, start=_START, end=_END)
)


def plain(value: Any, of: Any = None) -> Any:
    """A value as dictionaries, lists, texts and numbers; what is not finite is None."""
    return finite(_converter.unstructure(value, unstructure_as=of))


def structured(value: Any, of: type[T], name: str) -> T:
    """A value back from its plain form; StorageError with the object's *name* if it is none."""
    try:
        return _converter.structure(value, of)
    except Exception as error:
        raise StorageError(
            f"The object {name} is not what ree writes; restore it. {error}"
        ) from error


def to_json(value: Any) -> bytes:
    """A plain value as JSON with sorted keys; equal values give equal bytes."""
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def from_json(body: bytes, name: str) -> dict[str, Any]:
    """The JSON object in *body*; StorageError with the object's *name* if it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StorageError(
            f"The object {name} is damaged (not JSON: {error}); restore it."
        ) from error
    if not isinstance(value, dict):
        raise StorageError(f"The object {name} is damaged (not a JSON object); restore it.")
    return value


def finite(value: Any) -> Any:
    """A value in which what is not a finite number is None, and a date is text."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value.isoformat() if isinstance(value, date) else value
