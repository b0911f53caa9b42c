"""What a server sent back, taken apart and judged."""

import json
import re
from collections import Counter
from collections.abc import Sequence

from attrs import frozen
from msgspec import UNSET, DecodeError, Struct, UnsetType
from msgspec.json import Decoder

from fuzz_bodies import Request

_HEAD = re.compile(
    rb"HTTP/1\.[01] ([1-5][0-9][0-9]) [ -~]*\r\n"
    rb"((?:[!#-'*+.^-z|~A-Z0-9-]+: ?[\t -~\x80-\xff]*\r\n)*)\r\n"
)
_FOR_A_BODY = frozenset({200, 400, 413, 415, 422, 503})
"""The statuses that bytes may be answered with as long as the request itself is sound HTTP."""
_ALLOWED = _FOR_A_BODY | {404, 405, 408, 411, 414, 417, 426, 431}


class Wrong(Exception):
    """An answer that must not be."""


class Fault(Struct, forbid_unknown_fields=True):
    property_id: str | None
    field: str
    code: str
    message: str


class Problem(Struct, forbid_unknown_fields=True):
    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Fault] | UnsetType = UNSET
    errors_total: int | UnsetType = UNSET


class Result(Struct):
    """An estimate or a refusal."""

    estimated_price: int | UnsetType = UNSET
    model_version: str | UnsetType = UNSET
    error: dict[str, str] | UnsetType = UNSET


_PROBLEM = Decoder(Problem)
_RESULTS = Decoder(dict[str, Result])


@frozen
class Answer:
    """One, with the names of its header fields in small letters."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes

    @property
    def ends(self) -> bool:
        """Whether nothing follows it on its connection."""
        return self.fields.get(b"connection", b"").lower() == b"close"


def taken(text: bytes, at: int) -> tuple[Answer, int] | None:
    """The answer that begins there and where it ends, if it is whole; Wrong for what is none."""
    head = _HEAD.match(text, at)
    if head is None:
        if b"\r\n\r\n" in text[at:] or not b"HTTP/1.".startswith(text[at : at + 7]):
            raise Wrong(f"no answer: {text[at : at + 300]!r}")
        return None
    rows = [row.partition(b":") for row in head[2].split(b"\r\n")[:-1]]
    fields = {name.lower(): value.strip() for name, _, value in rows}
    status = int(head[1])
    if status < 200:
        return Answer(status, fields, b""), head.end()
    try:
        end = head.end() + int(fields[b"content-length"])
    except (KeyError, ValueError):
        raise Wrong(f"no length: {head[0]!r}") from None
    if len(text) < end:
        return None
    return Answer(status, fields, text[head.end() : end]), end


def judge(request: Request, answer: Answer, seen: Counter[str]) -> None:
    """Count what it is; Wrong."""
    status = answer.status
    if request.framed and answer.fields.get(b"x-request-id") != request.name:
        raise Wrong(f"the answer to another request: {answer}")
    if status not in (_FOR_A_BODY if request.framed else _ALLOWED):
        raise Wrong(f"status {status}: {answer}")
    if status == 200:
        _judge_results(request, answer)
        seen["200"] += 1
    else:
        problem = _judged_problem(answer)
        seen[f"{status} {problem.type.removeprefix('urn:ree:problem:')}"] += 1


def _judge_results(request: Request, answer: Answer) -> None:
    if answer.fields.get(b"content-type") != b"application/json":
        if request.framed or answer.body:
            raise Wrong(f"no JSON: {answer}")
        return  # of a method without a body
    try:
        results = _RESULTS.decode(answer.body)
    except DecodeError as error:
        raise Wrong(f"{error}: {answer}") from None
    for result in results.values():
        priced = result.estimated_price is not UNSET and result.model_version is not UNSET
        if priced == (result.error is not UNSET):
            raise Wrong(f"neither price nor error: {answer}")
    if request.framed and list(json.loads(request.body, parse_int=str)) != list(results):
        raise Wrong(f"not the properties of the request: {answer}")


def _judged_problem(answer: Answer) -> Problem:
    if answer.fields.get(b"content-type") != b"application/problem+json":
        raise Wrong(f"no problem: {answer}")
    try:
        problem = _PROBLEM.decode(answer.body)
    except DecodeError as error:
        raise Wrong(f"{error}: {answer}") from None
    said = problem.title and problem.detail and problem.type
    same = problem.request_id.encode() == answer.fields.get(b"x-request-id")
    waits = answer.status != 503 or b"retry-after" in answer.fields
    listed = (problem.errors is UNSET) == (problem.errors_total is UNSET)
    if not (said and same and waits and listed and problem.status == answer.status):
        raise Wrong(f"not a whole problem: {answer}")
    if problem.type == "urn:ree:problem:invalid-properties" and not problem.errors:
        raise Wrong(f"no fault is told: {answer}")
    return problem


def judge_all(batch: Sequence[Request], answers: Sequence[Answer], seen: Counter[str]) -> None:
    """Of a batch in order; interim answers count for nothing. Wrong, with the request."""
    final = [answer for answer in answers if answer.status >= 200]
    for number, answer in enumerate(final):
        request = batch[min(number, len(batch) - 1)]
        try:
            judge(request, answer, seen)
        except Wrong as wrong:
            raise Wrong(f"{wrong}\nto {request.raw[:2_000]!r}") from None
