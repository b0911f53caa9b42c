"""A strict double of Google Cloud Storage's S3 door, by TLS.

It refuses and ignores what the real one was measured to refuse and to ignore.
"""

import hmac
import ssl
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from attrs import define, field, frozen

from .access import Access
from .certificate import write_certificate

PAGE = 3
_CONDITION = "x-goog-if-generation-match"
_FAMILIES = ("x-amz-", "x-goog-")


@frozen
class Blob:
    """An object."""

    body: bytes
    generation: int
    meta: dict[str, str]

    @property
    def etag(self) -> str:
        return f'"{md5(self.body, usedforsecurity=False).hexdigest()}"'


@frozen
class Request:
    """A request as it came; names of headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def family(self) -> str:
        """How its own headers begin."""
        return next((f for f in _FAMILIES if f"{f}date" in self.headers), "x-goog-")


@frozen
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(factory=dict)


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


@define(eq=False)
class Gcs:
    """Started by `with`; two in one folder have one certificate.

    *deaf* to every condition on writes, it is as a storage that has none.
    """

    folder: Path
    deaf: bool = False
    seen: list[Request] = field(factory=list, init=False)
    access: Access = field(init=False)
    _buckets: dict[str, dict[str, Blob]] = field(factory=dict, init=False)
    _generations: "count[int]" = field(factory=lambda: count(1_700_000_000_000_000), init=False)
    _lock: Lock = field(factory=Lock, init=False)
    _server: ThreadingHTTPServer = field(init=False)

    @property
    def certificate(self) -> Path:
        """What a client has to trust."""
        return self.folder / "certificate.pem"

    def __enter__(self) -> "Gcs":
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "key.pem"
        if not key.exists():
            write_certificate(self.certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server = _Server(context, self._handle)
        self.access = Access(
            f"https://127.0.0.1:{self._server.server_address[1]}",
            access_key="GOOG1ECANARY7f3a9",
            region="auto",
        )
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: Request) -> Answer:
        try:
            self._check(request)
            with self._lock:
                self.seen.append(request)
                return self._answer(request)
        except Refusal as refusal:
            text = f"<Error><Code>{refusal.code}</Code><Message>{refusal}</Message></Error>"
            body = b"" if request.method == "HEAD" else text.encode()
            return Answer(refusal.status, body, {"Content-Type": "application/xml"})

    def _check(self, request: Request) -> None:
        headers = request.headers
        if request.method == "PUT" and "content-length" not in headers:
            raise Refusal(411, "MissingContentLength")
        for name, value in headers.items():
            if name.startswith(("x-amz-sdk-checksum", "x-amz-checksum", "x-amz-trailer")):
                raise Refusal(403, "SignatureDoesNotMatch", name)
            if "aws-chunked" in value or value.startswith("STREAMING-"):
                raise Refusal(403, "SignatureDoesNotMatch", name)
        if all(any(name.startswith(family) for name in headers) for family in _FAMILIES):
            raise Refusal(400, "ExcessHeaderValues", "both x-amz and x-goog headers")
        self._check_signature(request)
        content = headers.get(f"{request.family}content-sha256", "")
        if content not in (sha256(request.body).hexdigest(), "UNSIGNED-PAYLOAD"):
            raise Refusal(400, "XAmzContentSHA256Mismatch")
        digest = b64encode(md5(request.body, usedforsecurity=False).digest()).decode()
        if headers.get("content-md5", digest) != digest:
            raise Refusal(400, "BadDigest")

    def _check_signature(self, request: Request) -> None:
        headers = request.headers
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        if scheme != "AWS4-HMAC-SHA256":
            raise Refusal(403, "AccessDenied", "anonymous")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        key, *scope = given["Credential"].split("/")
        names = given["SignedHeaders"].split(";")
        if key != self.access.access_key:
            raise Refusal(403, "InvalidAccessKeyId")
        if any(name.startswith(_FAMILIES) and name not in names for name in headers):
            raise Refusal(403, "AccessDenied", "a header is not signed")
        if "host" not in names or scope[2:] != ["s3", "aws4_request"]:
            raise Refusal(403, "SignatureDoesNotMatch", "scope")
        moment = headers.get(f"{request.family}date", "")
        try:
            signed = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise Refusal(403, "AccessDenied", "no date") from None
        if abs(datetime.now(UTC) - signed) > timedelta(minutes=15) or scope[0] != moment[:8]:
            raise Refusal(403, "RequestTimeTooSkewed")
        expected = _signature(request, names, moment, scope, self.access.secret_key)
        if not hmac.compare_digest(given["Signature"], expected):
            raise Refusal(403, "SignatureDoesNotMatch")

    def _answer(self, request: Request) -> Answer:
        name, _, key = unquote(request.path).lstrip("/").partition("/")
        if request.method == "PUT" and not key:
            self._buckets.setdefault(name, {})
            return Answer(200)
        if name not in self._buckets:
            raise Refusal(404, "NoSuchBucket", name)
        bucket = self._buckets[name]
        if not key:
            if request.method != "GET" or request.query.get("list-type") != "2":
                raise Refusal(400, "InvalidArgument", "only list-type=2, and no multi-delete")
            return _page(bucket, request.query)
        if request.method == "PUT":
            return self._put(bucket, key, request)
        if key not in bucket:
            raise Refusal(404, "NoSuchKey", key)
        if request.method == "DELETE":
            self._check_generation(bucket.get(key), request)
            del bucket[key]
            return Answer(204)
        return _read(bucket[key], request)

    def _put(self, bucket: dict[str, Blob], key: str, request: Request) -> Answer:
        """If-Match and If-None-Match are ignored, as are conditions of the x-amz- family."""
        self._check_generation(bucket.get(key), request)
        meta = {
            name.removeprefix(f"{request.family}meta-"): value
            for name, value in request.headers.items()
            if name.startswith(f"{request.family}meta-")
        }
        blob = Blob(request.body, next(self._generations), meta)
        bucket[key] = blob
        return Answer(200, b"", {"ETag": blob.etag, "x-goog-generation": str(blob.generation)})

    def _check_generation(self, there: Blob | None, request: Request) -> None:
        asked = request.headers.get(_CONDITION)
        if asked is None or self.deaf:
            return
        if not asked.isdecimal():
            raise Refusal(400, "InvalidArgument", _CONDITION)
        if int(asked) != (there.generation if there else 0):
            raise Refusal(412, "PreconditionFailed")


def _read(blob: Blob, request: Request) -> Answer:
    headers = {"ETag": blob.etag, "x-goog-generation": str(blob.generation)}
    headers |= {f"{request.family}meta-{name}": value for name, value in blob.meta.items()}
    if request.headers.get("if-none-match") == blob.etag:
        return Answer(304, b"", headers)
    if request.headers.get("if-match", blob.etag) != blob.etag:
        raise Refusal(412, "PreconditionFailed")
    return Answer(200, blob.body, headers)


def _page(bucket: dict[str, Blob], query: dict[str, str]) -> Answer:
    """Few keys at a time, whatever is asked for: more than one page is nothing special."""
    coded = query.get("encoding-type") == "url"
    prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
    keys = sorted(key for key in bucket if key.startswith(prefix) and key > after)
    shown = keys[: min(PAGE, int(query.get("max-keys", "1000")))]
    more = len(keys) > len(shown)
    lines = [f"<Prefix>{escape(prefix)}</Prefix><IsTruncated>{str(more).lower()}</IsTruncated>"]
    if coded:
        lines.append("<EncodingType>url</EncodingType>")
    if more:
        lines.append(f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>")
    for key in shown:
        name = quote(key, safe="/") if coded else escape(key)
        lines.append(f"<Contents><Key>{name}</Key><Size>{len(bucket[key].body)}</Size></Contents>")
    text = f"<ListBucketResult>{''.join(lines)}</ListBucketResult>"
    return Answer(200, text.encode(), {"Content-Type": "application/xml"})


def _signature(
    request: Request, names: list[str], moment: str, scope: list[str], secret: str
) -> str:
    lines = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names]
    query = "&".join(sorted(request.target.partition("?")[2].split("&")))
    payload = request.headers.get(f"{request.family}content-sha256", "")
    canonical = [request.method, request.path, query, *lines, "", ";".join(names), payload]
    hashed = sha256("\n".join(canonical).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", moment, "/".join(scope), hashed])
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), sha256).digest()
    return hmac.new(key, text.encode(), sha256).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, handle: Callable[[Request], Answer]) -> None:
        self.context, self.handle = context, handle
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        """The handshake is left to the connection's own thread."""
        connection, address = super().get_request()
        wrapped = self.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us leaves in the middle of the handshake."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._chunks() if "transfer-encoding" in headers else self._body(headers)
        answer = self.server.handle(Request(self.command, self.path, headers, body))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _handle  # noqa: N815

    def _body(self, headers: dict[str, str]) -> bytes:
        return self.rfile.read(int(headers.get("content-length", 0)))

    def _chunks(self) -> bytes:
        """Read to their end, or the client would take our answer for a broken connection."""
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""
