"""An object store in a bucket of an S3 storage."""

from logging import getLogger
from threading import Lock

from attrs import field, frozen

from ..domain.errors import StorageError
from ..domain.model import ConditionalWrites
from .objects import ObjectExists, StaleToken, Stored, checked, checked_prefix
from .s3_bucket import Found, S3Bucket
from .s3_conditions import PROBES, Conditions, probed

_log = getLogger(__name__)


@frozen(eq=False)
class S3Objects:
    """The ObjectStore seam over S3. What its writes rest on is probed before the first of them.

    A storage that ignores conditions is only written to as *single_writer*.
    """

    bucket: S3Bucket
    single_writer: bool = False
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _probed: list[Conditions] = field(factory=list, init=False, repr=False)

    @classmethod
    def connect(
        cls,
        bucket: str,
        *,
        endpoint: str | None,
        access_key: str | None,
        secret_key: str | None,
        region: str,
        single_writer: bool = False,
        connect_timeout: float = 3.0,
        read_timeout: float = 20.0,
        attempts: int = 4,
    ) -> "S3Objects":
        """Timeouts in seconds. No endpoint is AWS; no keys are what the machine is given."""
        connected = S3Bucket.connect(
            bucket,
            endpoint=endpoint,
            access_key=access_key,
            secret_key=secret_key,
            region=region,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            attempts=attempts,
        )
        return cls(connected, single_writer)

    def get(self, key: str) -> Stored:
        """The object; ObjectMissing."""
        body, found = self.bucket.read(checked(key))
        return Stored(body, found.token)

    def get_if_changed(self, key: str, token: str) -> Stored | None:
        """The object, or None while *token* still stands for it; ObjectMissing."""
        etag = Found.of(token).etag
        if not etag:
            return self.get(key)
        read = self.bucket.read_unless(checked(key), etag)
        if read is None:
            return None
        body, found = read
        return Stored(body, found.token)

    def create(self, key: str, body: bytes) -> None:
        """Store under a new key; ObjectExists."""
        if not self._write(checked(key), body, None):
            raise ObjectExists(key)

    def replace(self, key: str, body: bytes, *, token: str | None) -> None:
        """Store over what *token* stands for; StaleToken."""
        if not self._write(checked(key), body, token):
            told = {"operation": "replace", "bucket": self.bucket.name, "key": key}
            _log.info("storage_conflict", extra=told)
            raise StaleToken(key)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with *prefix*, sorted; neither scratch keys nor folder marks."""
        found = self.bucket.list(checked_prefix(prefix))
        return sorted(key for key in found if not key.startswith(PROBES) and key[-1] != "/")

    def conditional_writes(self) -> ConditionalWrites:
        """What the storage was seen to hold to; it writes scratch keys to find out."""
        return self._conditions().kind

    def close(self) -> None:
        """Close what connections are open."""
        self.bucket.close()

    def _conditions(self) -> Conditions:
        with self._lock:
            if not self._probed:
                self._probed.append(probed(self.bucket))
            return self._probed[0]

    def _write(self, key: str, body: bytes, token: str | None) -> bool:
        conditions = self._conditions()
        if conditions.kind is not ConditionalWrites.NONE:
            over = None if token is None else Found.of(token)
            return conditions.write(self.bucket, key, body, over)
        if not self.single_writer:
            raise StorageError(
                f"The storage at {self.bucket.place} ignores conditional writes, so that two "
                "writers could overwrite each other. Use one that honours them, or set "
                "REE_STORAGE_SINGLE_WRITER=true if only one process ever writes."
            )
        with self._lock:
            found = self.bucket.look(key)
            if (None if found is None else found.token) != token:
                return False
            conditions.write_anyway(self.bucket, key, body)
            return True
