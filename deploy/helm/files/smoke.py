"""Is a service ready, and does it price a home? Exit code 0 or 1, and one line that says so.

    python smoke.py http://127.0.0.1:8000

CLIENT_KEY is sent where the service asks for a key. Needs nothing but Python.
"""

import json
import os
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 60.0
"""Seconds for the service to be ready: a new version is taken up within them."""
HOME = {
    "realestate_type": "leilighet",
    "municipality_number": "0301",
    "lat": 59.92,
    "lon": 10.75,
    "built_year": 1936,
    "total_area": 62,
    "bra": 62,
    "floor": 3,
}


class Failed(Exception):
    """What to tell."""


def ask(base: str, target: str, body: object = None) -> tuple[int, dict[str, Any]]:
    """Status and document of an answer; Failed."""
    parts = urlsplit(base)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("CLIENT_KEY"):
        headers["X-Api-Key"] = key
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=10)
        try:
            text = None if body is None else json.dumps(body)
            path = parts.path.rstrip("/") + target
            connection.request("GET" if text is None else "POST", path, text, headers)
            answer = connection.getresponse()
            document = json.loads(answer.read())
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        raise Failed(f"{target} of {base}: {str(error) or type(error).__name__}") from None
    if not isinstance(document, dict):
        raise Failed(f"{target} of {base} is no service of ree")
    return answer.status, document


def when_ready(base: str) -> dict[str, Any]:
    """What /ready tells; Failed if it tells nothing good in time."""
    end = monotonic() + PATIENCE
    while True:
        try:
            status, document = ask(base, "/ready")
            if status == 200 and document.get("status") == "ready":
                return document
            raise Failed(f"/ready answers {status}: {document.get('detail', document)}")
        except Failed:
            if monotonic() > end:
                raise
        sleep(1)


def check(base: str) -> str:
    """What is told of a service that works; Failed."""
    ready = when_ready(base)
    # The day of its newest sale: a model that is old is an alert, and no reason to undo a release.
    day = ready.get("trained_until")
    target = f"/estimate?valuation_date={day}" if day else "/estimate"
    status, document = ask(base, target, {"smoke": HOME})
    if status != 200:
        told = [fault["message"] for fault in document.get("errors", ())]
        raise Failed(f"/estimate answers {status}: {told or document.get('detail', document)}")
    price = document.get("smoke", {}).get("estimated_price")
    if not isinstance(price, int) or price <= 0:
        raise Failed(f"/estimate answers {document}")
    return f"{ready.get('model_version')} is ready and values a flat in Oslo at {price} NOK"


def main() -> int:
    """The exit code."""
    if len(sys.argv) != 2 or urlsplit(sys.argv[1]).scheme not in ("http", "https"):
        print("usage: python smoke.py BASE_URL", file=sys.stderr)
        return 2
    try:
        print(f"ok: {check(sys.argv[1])}")
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
