"""The double of Google's storage refuses and ignores what the real one does."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from attrs import evolve
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError

from ree.adapters.s3_errors import Refused
from ree.adapters.s3_objects import S3Objects

from ..servers.gcs import PAGE, Gcs
from .conftest import BUCKET

PLAIN = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


@pytest.fixture
def client(gcs: Gcs, gcs_bucket: S3Objects) -> Iterator[Callable[..., Any]]:
    """Clients of boto3 as a user may set them up."""
    opened = []

    def connect(secret: str = gcs.access.secret_key, **options: Any) -> Any:
        made = Session().client(
            "s3",
            endpoint_url=gcs.access.endpoint,
            region_name="auto",
            aws_access_key_id=gcs.access.access_key,
            aws_secret_access_key=secret,
            config=Config(
                s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **options
            ),
        )
        opened.append(made)
        return made

    yield connect
    for made in opened:
        made.close()


def refusal(action: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        action()
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def with_header(client: Any, name: str, value: str) -> Any:
    def add(request: Any, **_: object) -> None:
        del request.headers[name]
        request.headers[name] = value

    client.meta.events.register("before-sign.s3", add)
    return client


def put(client: Any, **options: Any) -> Any:
    return client.put_object(Bucket=BUCKET, Key="a", Body=b"body", **options)


def test_boto3_as_it_comes_is_refused(client: Callable[..., Any]) -> None:
    assert refusal(lambda: put(client())) == (411, "MissingContentLength")


def test_a_checksum_of_the_sdk_is_refused(client: Callable[..., Any]) -> None:
    asked = client(**PLAIN)
    assert refusal(lambda: put(asked, ChecksumSHA256="x" * 43 + "="))[0] == 403
    assert refusal(lambda: put(with_header(asked, "x-amz-trailer", "x-amz-checksum-crc32")))[0] == (
        403
    )


def test_a_wrong_secret_is_refused(client: Callable[..., Any]) -> None:
    asked = client("another", **PLAIN)
    assert refusal(lambda: put(asked)) == (403, "SignatureDoesNotMatch")
    assert refusal(lambda: asked.list_objects_v2(Bucket=BUCKET)) == (403, "SignatureDoesNotMatch")


def test_a_wrong_key_is_refused(gcs: Gcs, gcs_bucket: S3Objects) -> None:
    store = evolve(gcs.access, access_key="another").store(BUCKET)
    with pytest.raises(Refused, match="InvalidAccessKeyId"):
        store.get("a")
    store.close()


def test_headers_of_both_families_are_refused(client: Callable[..., Any]) -> None:
    asked = with_header(client(**PLAIN), "x-goog-if-generation-match", "0")
    assert refusal(lambda: put(asked)) == (400, "ExcessHeaderValues")


def test_a_damaged_body_is_refused(client: Callable[..., Any]) -> None:
    asked = with_header(client(**PLAIN), "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")
    assert refusal(lambda: put(asked)) == (400, "BadDigest")


def test_conditions_of_s3_are_ignored_on_writes(client: Callable[..., Any]) -> None:
    asked = client(**PLAIN)
    generations = []
    for condition in ({}, {"IfNoneMatch": "*"}, {"IfMatch": '"0"'}):
        answer = put(asked, **condition)
        generations.append(int(answer["ResponseMetadata"]["HTTPHeaders"]["x-goog-generation"]))
    assert sorted(set(generations)) == generations
    put(with_header(client(**PLAIN), "x-amz-if-generation-match", "0"))
    asked.delete_object(Bucket=BUCKET, Key="a", IfMatch='"0"')
    assert refusal(lambda: asked.get_object(Bucket=BUCKET, Key="a")) == (404, "NoSuchKey")


def test_conditions_of_s3_hold_on_reads(client: Callable[..., Any]) -> None:
    asked = client(**PLAIN)
    etag = put(asked)["ETag"]
    assert refusal(lambda: asked.get_object(Bucket=BUCKET, Key="a", IfNoneMatch=etag))[0] == 304
    assert refusal(lambda: asked.get_object(Bucket=BUCKET, Key="a", IfMatch='"0"'))[0] == 412


def test_there_is_no_deletion_of_many(client: Callable[..., Any]) -> None:
    asked = client(**PLAIN)
    many = {"Objects": [{"Key": "a"}]}
    assert refusal(lambda: asked.delete_objects(Bucket=BUCKET, Delete=many))[0] in (400, 403)


def test_a_listing_has_pages(client: Callable[..., Any]) -> None:
    asked = client(**PLAIN)
    keys = [f"page/a b&{number}" for number in range(2 * PAGE + 1)]
    for key in keys:
        asked.put_object(Bucket=BUCKET, Key=key, Body=b"")
    pages = list(asked.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="page/"))
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    assert len(pages) == 3


def test_a_generation_is_compared_and_written_at_once(gcs: Gcs, gcs_bucket: S3Objects) -> None:
    bucket = gcs_bucket.bucket

    def created(number: int) -> int:
        won = 0
        for key in range(10):
            try:
                bucket.put(
                    f"race/{key}", b"", "", {"IfNoneMatch": "*"}, client=bucket.by_generation
                )
            except Refused as refused:
                assert refused.status == 412  # noqa: PT017
                continue
            won += 1
        return won

    for key in bucket.list("race/"):
        bucket.delete(key)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(created, range(4))) == 10
