"""Make the buckets that are named on the command line, unless they are there."""

import os
import sys
from time import monotonic, sleep

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE = 240.0
"""Seconds for the storage to start."""
THERE = ("BucketAlreadyExists", "BucketAlreadyOwnedByYou")


def make(name: str) -> None:
    """ClientError, BotoCoreError."""
    storage = boto3.client(
        "s3",
        endpoint_url=os.environ["REE_S3_ENDPOINT"],
        region_name=os.environ["REE_S3_REGION"],
        aws_access_key_id=os.environ["REE_S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["REE_S3_SECRET_KEY"],
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}),
    )
    try:
        storage.create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in THERE:
            raise
    storage.list_objects_v2(Bucket=name, MaxKeys=1)


def main(names: list[str]) -> int:
    """The exit code."""
    end = monotonic() + PATIENCE
    for name in names:
        while True:
            try:
                make(name)
                break
            except (ClientError, BotoCoreError) as error:
                if monotonic() > end:
                    print(f"{name}: {error}", file=sys.stderr)
                    return 1
            sleep(2)
        print(f"{name} is there")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
