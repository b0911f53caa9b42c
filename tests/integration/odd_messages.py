"""Messages that no task of ours is made of, as anybody could put them into the queue."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from attrs import field, frozen

BODY = json.dumps([["nope"], {}, {}])
_SOUND = {"task": "ree.train", "id": "odd"}
_VALUES: tuple[Any, ...] = (
    None, True, -1, 7, 2**40, 1.5, "", "abc", "a\nb", "x" * 5_000, "9999-12-31T23:59:59-14:00",
    [], ["x", "y"], [None, None], {}, {"a": {"b": [1]}}, datetime(2026, 1, 1),
)  # fmt: skip
_HEADERS = (
    "task", "id", "lang", "root_id", "parent_id", "group", "meth", "shadow", "eta", "retries",
    "timelimit", "argsrepr", "kwargsrepr", "origin", "replaced_task_nesting", "ignore_result",
    "stamped_headers", "stamps", "callbacks", "errbacks", "chain", "chord", "delivery_info",
    "x-delivery-count", "ree_request_id", "ree_run_id", "ree_asked_at", "celery_beat_task",
)  # fmt: skip
_BODIES = (
    "", "[]", "[[], {}]", "null", "[5, 6, 7]", "5", '"text"', "{}", "[[], {}, {}, {}]",
    "[[], [], {}]", "[{}, {}, {}]", "[[], {}, []]", "[null, null, null]", "{bad", "[" * 9_000,
    f'[[{"[" * 900}{"]" * 900}], {{}}, {{}}]', '[[], {}, {"chain": ["x"]}]',
    '[[], {}, {"callbacks": [{"task": "ree.train"}]}]', '[[], {}, {"chord": 1}]',
    '{"task": "ree.train", "id": "1", "args": [], "kwargs": {}}', '{"task": ["ree.train"]}',
    '[[{"__type__": "datetime", "__value__": "x"}], {}, {}]',
)  # fmt: skip


@frozen
class Odd:
    """As it is published."""

    body: str | bytes = BODY
    headers: dict[str, Any] = field(factory=_SOUND.copy)
    content_type: str = "application/json"
    content_encoding: str = "utf-8"


def odd_messages() -> Iterator[Odd]:
    """Each header with each value, bodies of all kinds, and some that cannot be read at all."""
    for name in _HEADERS:
        for value in _VALUES:
            yield Odd(headers=_SOUND | {name: value})
    yield Odd(headers=_SOUND | {"expires": "nonsense"})
    for task in ("ree.train", "ree.nope", "celery.map", "celery.backend_cleanup"):
        for body in _BODIES:
            yield Odd(body, {"task": task, "id": "odd"})
    for body in _BODIES:
        yield Odd(body, {})
        yield Odd(body, {"task": "ree.nope"})
    yield Odd(b"\x80\x04.", content_type="application/x-python-serialize")
    yield Odd(b"\xff\xfe", content_encoding="binary")
    yield Odd(content_type="text/plain")
    yield Odd(content_type="application/data")
    yield Odd(content_encoding="no-such")
    yield Odd(headers=_SOUND | {"compression": "application/x-gzip"})
