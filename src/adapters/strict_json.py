"""JSON read strictly: what two readers could understand differently is refused."""

import json
import re
from collections import Counter
from typing import Any, NoReturn

from ..domain.errors import ReeError

_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
"""A surrogate, which UTF-8 can only have as an escape."""


class MalformedJson(ReeError):
    """Text that is not JSON, or JSON that is ambiguous."""


def parse(text: str | bytes, *, halves: bool = True) -> Any:
    """The value; MalformedJson for bad UTF-8, NaN, Infinity and a key given twice.

    Without *halves* also for half of a surrogate pair, which some readers refuse and others
    replace: an answer could not repeat it.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(
            decoded, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer
        )
        if not halves and _ESCAPED.search(decoded):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeEncodeError:
        raise MalformedJson("The JSON has half of a surrogate pair, which is no text.") from None
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The JSON is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"The JSON is malformed: {error.msg} ({where}).") from None
    except RecursionError:
        raise MalformedJson("The JSON is nested too deeply.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = counts.most_common(1)[0][0]
        raise MalformedJson(f"The JSON has the key {twice[:64]!r} twice in one object.")
    return found


def _constant(name: str) -> NoReturn:
    raise MalformedJson(f"The JSON has {name}, which is not a JSON number.")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= 400 else float(digits)
