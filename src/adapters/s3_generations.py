"""Conditional writes as Google Cloud Storage has them behind its S3 door.

It ignores If-Match and If-None-Match on writes and honours x-goog-if-generation-match, but refuses
a request that has headers of both families: so all x-amz- names are changed before signing.
"""

from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

SIGNATURE = "ree-s3v4-generations"
_CONDITION = "x-goog-if-generation-match"


class _GenerationAuth(S3SigV4Auth):  # type: ignore[misc]
    """Takes If-Match for a generation, and If-None-Match: * for generation 0, which is nothing."""

    def _modify_request_before_signing(self, request: Any) -> None:
        super()._modify_request_before_signing(request)
        headers = request.headers
        for name in list(headers):
            value, lower = headers[name], name.lower()
            if lower.startswith("x-amz-"):
                _rename(headers, name, lower.replace("x-amz-", "x-goog-", 1), value)
            elif lower == "if-match":
                _rename(headers, name, _CONDITION, value)
            elif lower == "if-none-match":
                _rename(headers, name, _CONDITION, "0")


def _rename(headers: Any, old: str, new: str, value: str) -> None:
    """An assignment adds to what a former attempt has set, so that goes first."""
    del headers[old]
    del headers[new]
    headers[new] = value


AUTH_TYPE_MAPS[SIGNATURE] = _GenerationAuth
