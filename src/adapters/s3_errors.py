"""boto3's errors as ours: one line that says what to do, and nothing of their text.

That may hold an access key or a signature.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, SSLError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from ..domain.errors import StorageError, StorageUnavailable

FAILURES = (BotoCoreError, ResponseParserError, HTTPError, OSError, ValueError)
KEYS = "REE_S3_ACCESS_KEY and REE_S3_SECRET_KEY"
_BUCKETS = "REE_S3_BUCKET_MODELS and REE_S3_BUCKET_SNAPSHOTS"


class Refused(StorageError):
    """The storage answered, and the answer is an error."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class RefusedForNow(Refused, StorageUnavailable):
    """The storage is overloaded or broken."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Refused for what the storage answered; StorageError for no answer to speak of."""
    try:
        yield
    except ClientError as error:
        raise _refused(doing, error.response) from None
    except NoCredentialsError:
        raise StorageError(f"Cannot {doing} without credentials. Set {KEYS}.") from None
    except SSLError:
        raise StorageError(
            f"Cannot {doing}: it does not speak TLS, or its certificate is not trusted. Check "
            "REE_S3_ENDPOINT, or name the file of its authority in AWS_CA_BUNDLE."
        ) from None
    except FAILURES as error:
        raise StorageUnavailable(
            f"Cannot {doing} ({type(error).__name__}). "
            f"Check REE_S3_ENDPOINT, {_BUCKETS}, and that the storage runs; then try again."
        ) from None


def _refused(doing: str, answer: Mapping[str, Any]) -> Refused:
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(answer.get("Error", {}).get("Code", ""))
    if not re.fullmatch("[A-Za-z0-9.]{1,60}", code):
        code = "error"
    kind = RefusedForNow if _is_overload(status) else Refused
    return kind(f"Cannot {doing} ({status} {code}). {_advice(status, code)}", status, code)


def _is_overload(status: int) -> bool:
    return status >= 500 or status == 429


def _advice(status: int, code: str) -> str:
    if code == "NoSuchBucket":
        return f"There is no such bucket: create it, or correct {_BUCKETS}."
    if status in (401, 403):
        return f"Check {KEYS}, and what they are allowed to do in this bucket."
    if status in (301, 307, 400):
        return f"Check REE_S3_ENDPOINT, REE_S3_REGION, {_BUCKETS}."
    if _is_overload(status):
        return "It is overloaded or broken; try again later."
    return "Check that REE_S3_ENDPOINT is the address of an S3 storage."
