"""What keeps two writers apart on an S3 storage, found out by trying."""

from collections.abc import Mapping
from contextlib import suppress
from time import sleep
from typing import Any
from uuid import uuid4

from attrs import field, frozen

from ..domain.errors import StorageError
from ..domain.model import ConditionalWrites
from .s3_bucket import Found, S3Bucket
from .s3_errors import Refused

PROBES = "probes/"
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)
# Not the object's state but two requests at once, or too many a second: the same may be sent again.
_AGAIN = frozenset({"ConditionalRequestConflict", "OperationAborted"})
_TOO_MANY = 429


@frozen
class Conditions:
    """One way to write on a condition, as far as the storage holds to it."""

    kind: ConditionalWrites
    client: Any = field(repr=False)

    def write(self, bucket: S3Bucket, key: str, body: bytes, over: Found | None) -> bool:
        """Store over exactly *over* (None: over nothing); False if something else is there."""
        name = uuid4().hex
        condition = self._condition(over)
        if condition is None:
            return False
        try:
            self._put(bucket, key, body, name, condition)
        except Refused as refused:
            gone = over is not None and refused.code == "NoSuchKey"
            if not gone and refused.status != 412:
                raise
            # An answer that was lost makes boto3 send again, and meet its own object.
            found = bucket.look(key)
            if found is None and over is None:
                raise StorageError(
                    f"The storage at {bucket.place} takes {key} for existing and shows nothing "
                    f"there. Is {key} a folder of the bucket {bucket.name}?"
                ) from None
            return found is not None and found.write == name
        return True

    def write_anyway(self, bucket: S3Bucket, key: str, body: bytes) -> None:
        """Store over whatever is there."""
        self._put(bucket, key, body, uuid4().hex, {})

    def _condition(self, over: Found | None) -> Mapping[str, str] | None:
        if over is None:
            return {"IfNoneMatch": "*"}
        if self.kind is ConditionalWrites.GENERATION:
            return {"IfMatch": over.generation} if over.generation.isdecimal() else None
        return {"IfMatch": over.etag} if over.etag else None

    def _put(
        self, bucket: S3Bucket, key: str, body: bytes, name: str, condition: Mapping[str, str]
    ) -> None:
        for pause in _PAUSES:
            try:
                return bucket.put(key, body, name, condition, client=self.client)
            except Refused as refused:
                if refused.code not in _AGAIN and refused.status != _TOO_MANY:
                    raise
            sleep(pause)
        return bucket.put(key, body, name, condition, client=self.client)


def probed(bucket: S3Bucket) -> Conditions:
    """The conditions that hold, tried on scratch keys; StorageError if that cannot be told."""
    by_etag = Conditions(ConditionalWrites.ETAG, bucket.client)
    if _hold(by_etag, bucket, unsupported=frozenset({501})):
        return by_etag
    by_generation = Conditions(ConditionalWrites.GENERATION, bucket.by_generation)
    # Plain requests just worked: who refuses these does not know their signature.
    if _hold(by_generation, bucket, unsupported=frozenset({400, 401, 403, 501})):
        return by_generation
    return Conditions(ConditionalWrites.NONE, bucket.client)


def _hold(conditions: Conditions, bucket: S3Bucket, *, unsupported: frozenset[int]) -> bool:
    key = f"{PROBES}{uuid4().hex}"
    try:
        held = _keep_writers_apart(conditions, bucket, key)
    except Refused as refused:
        if refused.status not in unsupported:
            raise
        held = False
    _discard(bucket, key)
    return held


def _keep_writers_apart(conditions: Conditions, bucket: S3Bucket, key: str) -> bool:
    if not conditions.write(bucket, key, b"created", None):
        return False
    if conditions.write(bucket, key, b"created again", None):
        return False
    _, first = bucket.read(key)
    if not conditions.write(bucket, key, b"replaced", first):
        return False
    return not conditions.write(bucket, key, b"replaced by a stale token", first)


def _discard(bucket: S3Bucket, key: str) -> None:
    """A scratch key that stays, as that of a prober that was killed, does no harm."""
    with suppress(StorageError):
        bucket.delete(key)
