"""What no line of the log may tell: secrets, and what somebody sent."""

import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from traceback import format_tb
from typing import Any
from urllib.parse import quote

from structlog.typing import EventDict

MASK = "***"
_SHORTEST = 8
"""Characters; a shorter secret would be found where it is not, and is none."""


def mask_of(secrets: Collection[str]) -> Callable[[str], str]:
    """Puts MASK for each of them, however it is written. The last line of defence, no other."""
    forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
    if not forms:
        return str
    found = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: found.sub(MASK, text)


def exceptions_without_words(_: Any, __: str, event: EventDict) -> EventDict:
    """A structlog processor: `exc_info` becomes `exception`, where it was raised and its type.

    Neither its message nor local variables: both can hold keys and what was sent.
    """
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n\n".join(_told(error, set()))
    return event


def _told(error: BaseException, seen: set[int]) -> Iterator[str]:
    """What led to it comes first."""
    seen.add(id(error))
    context = None if error.__suppress_context__ else error.__context__
    before = error.__cause__ or context
    if before is not None and id(before) not in seen:
        yield from _told(before, seen)
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _told(one, seen)
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    if isinstance(error, OSError) and error.errno is not None:
        name += f": {os.strerror(error.errno)}"
    yield f"Traceback (most recent call last):\n{''.join(format_tb(error.__traceback__))}{name}"


def _forms(secret: str) -> set[str]:
    plain = {secret, quote(secret), quote(secret, safe="")}
    return plain | {form for text in plain for form in (json.dumps(text)[1:-1], repr(text)[1:-1])}
