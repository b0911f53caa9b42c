"""How a test reaches an S3 server, whichever it is."""

from typing import Any

from attrs import field, frozen

from ree.adapters.s3_objects import S3Objects


@frozen
class Access:
    """An address and a pair of keys."""

    endpoint: str
    access_key: str = field(default="AKCANARY7f3a9", repr=False)
    secret_key: str = field(default="canary-7f3a9-secret", repr=False)
    region: str = "us-east-1"

    def store(self, bucket: str, **options: Any) -> S3Objects:
        """To be closed; without long waits."""
        options = {"connect_timeout": 1.0, "read_timeout": 20.0, "attempts": 3} | options
        return S3Objects.connect(
            bucket,
            endpoint=self.endpoint,
            access_key=self.access_key,
            secret_key=self.secret_key,
            region=self.region,
            **options,
        )

    def new_store(self, bucket: str, **options: Any) -> S3Objects:
        """With its bucket made."""
        store = self.store(bucket, **options)
        store.bucket.client.create_bucket(Bucket=bucket)
        return store


def empty(store: S3Objects) -> None:
    """Remove everything, scratch keys too."""
    for key in store.bucket.list(""):
        store.bucket.delete(key)
