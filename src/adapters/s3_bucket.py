"""One bucket by boto3: an object at a time, and every failure as one line that says what to do."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, cached_property, partial
from threading import Lock
from time import sleep
from typing import Any

from attrs import field, frozen
from boto3.session import Session
from botocore.config import Config

from ..domain.errors import StorageError
from .objects import ObjectMissing
from .s3_calls import Call, called
from .s3_errors import FAILURES, KEYS, Refused
from .s3_generations import SIGNATURE

# boto3 sends again what failed, but leaves a body that breaks off to its reader.
_READS = 3
_BREAK = 0.2
_WRITE = "ree-write"
_connecting = Lock()
# A login page comes with a 200 too, and would pass for a stored object or for an empty bucket.
_NO_S3 = (
    "What answered is no S3 storage, though it says that all is well. Check that REE_S3_ENDPOINT "
    "is its address, and that nothing stands between."
)


@frozen
class Found:
    """What the storage tells of an object; *write* is the name of the write that stored it."""

    etag: str
    generation: str
    write: str | None = None

    @property
    def token(self) -> str:
        """Both in one text."""
        return f"{self.etag} {self.generation}"

    @classmethod
    def of(cls, token: str) -> "Found":
        """What a token was made of; empty for a text that is none."""
        etag, _, generation = token.rpartition(" ")
        return cls(etag, generation)


@frozen(eq=False, slots=False)
class S3Bucket:
    """A bucket; its client may be used by many threads."""

    name: str
    place: str
    client: Any = field(repr=False)
    _by_generation: Callable[[], Any] = field(repr=False)

    @classmethod
    def connect(
        cls,
        name: str,
        *,
        endpoint: str | None,
        access_key: str | None,
        secret_key: str | None,
        region: str,
        connect_timeout: float,
        read_timeout: float,
        attempts: int,
    ) -> "S3Bucket":
        """Nothing is sent yet; StorageError for what no request can be made of."""
        config = Config(
            s3={"addressing_style": "path"},
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=32,
            # Else boto3 sends aws-chunked bodies and checksums, which GCS and others refuse.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        made = partial(
            _client,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
        )
        try:
            plain = made(config)
        except FAILURES as error:
            raise StorageError(
                f"Cannot prepare requests to {endpoint or 'AWS'} ({type(error).__name__}). "
                f"Check REE_S3_ENDPOINT, REE_S3_REGION, {KEYS}."
            ) from None
        signed = config.merge(Config(signature_version=SIGNATURE))
        return cls(name, str(plain.meta.endpoint_url), plain, partial(made, signed))

    @cached_property
    def by_generation(self) -> Any:
        """The client that asks Google Cloud Storage for conditions; few storages need it."""
        return self._by_generation()

    def read(self, key: str, **condition: str) -> tuple[bytes, Found]:
        """The whole object; ObjectMissing."""
        try:
            with self._call("read", key) as call:
                return self._read(key, condition, call)
        except Refused as refused:
            # A 404 of another name can be a wrong address, behind which the object may well be.
            if refused.code == "NoSuchKey":
                raise ObjectMissing(key) from None
            raise

    def read_unless(self, key: str, etag: str) -> tuple[bytes, Found] | None:
        """The whole object, or None while it has this ETag; ObjectMissing."""
        try:
            return self.read(key, IfNoneMatch=etag)
        except Refused as refused:
            if refused.status == 304:
                return None
            raise

    def _read(self, key: str, condition: Mapping[str, str], call: Call) -> tuple[bytes, Found]:
        left = _READS
        while True:
            answer = self.client.get_object(Bucket=self.name, Key=key, **condition)
            call.answered(answer)
            try:
                with answer["Body"] as stream:
                    return stream.read(), _found(answer)
            except FAILURES:
                left -= 1
                if not left:
                    raise
            call.again += 1
            sleep(_BREAK)

    def look(self, key: str) -> Found | None:
        """What is there under *key*, if anything."""
        try:
            with self._call("look at", key) as call:
                answer = self.client.head_object(Bucket=self.name, Key=key)
                call.answered(answer)
                return _found(answer)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def put(
        self, key: str, body: bytes, write: str, condition: Mapping[str, str], *, client: Any
    ) -> None:
        """Store under *key* if the condition holds; Refused."""
        with self._call("write", key) as call:
            answer = client.put_object(
                Bucket=self.name, Key=key, Body=body, Metadata={_WRITE: write}, **condition
            )
            call.answered(answer)
            _found(answer)

    def delete(self, key: str) -> None:
        """Remove what is under *key*."""
        with self._call("delete", key):
            self.client.delete_object(Bucket=self.name, Key=key)

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with *prefix*."""
        with self._call("list", prefix or "everything"):
            pages = self.client.get_paginator("list_objects_v2")
            return [
                entry["Key"]
                for page in pages.paginate(Bucket=self.name, Prefix=prefix)
                for entry in _entries(page)
            ]

    def close(self) -> None:
        """Close what connections are open."""
        self.client.close()
        if "by_generation" in vars(self):
            self.by_generation.close()

    def _call(self, operation: str, key: str) -> AbstractContextManager[Call]:
        return called(operation, key, bucket=self.name, place=self.place)


@cache
def _session() -> Session:
    """One for all: what it reads of S3's description is most of what a client costs."""
    return Session()


def _client(config: Config, **settings: Any) -> Any:
    with _connecting:  # a session is no place for two threads at once
        return _session().client("s3", config=config, **settings)


def _found(answer: Mapping[str, Any]) -> Found:
    headers: Mapping[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    if not headers.get("etag"):
        raise StorageError(_NO_S3)
    writes = (headers.get(f"x-{family}-meta-{_WRITE}") for family in ("amz", "goog"))
    return Found(
        etag=headers["etag"],
        generation=headers.get("x-goog-generation", ""),
        write=next((write for write in writes if write), None),
    )


def _entries(page: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if "IsTruncated" not in page:
        raise StorageError(_NO_S3)
    found: Sequence[Mapping[str, Any]] = page.get("Contents", ())
    return found
