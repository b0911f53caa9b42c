"""The bytes of one request, until they are whole; gunicorn's own parser has the say on them."""

import re
from io import BytesIO
from typing import Any

from attrs import frozen
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import (
    ChunkMissingTerminator,
    InvalidChunkSize,
    InvalidHeader,
    InvalidRequestLine,
    LimitRequestHeaders,
    NoMoreData,
    ParseException,
)
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

from .body import BodyTooLarge

MAX_HEAD = 64 * 1024
"""Bytes of a request line with its header fields, and of a chunked body's trailer."""
FRAMING = 64 * 1024
"""Bytes that the framing of a chunked body may have beyond an eighth of what it frames."""
_LINE = 8_190
_PIECE = 8_192
_RECEIVE = 64 * 1024
_RECEIVE_BODY = 1024 * 1024
_HEX = re.compile(rb"[0-9A-Fa-f]+")


@frozen
class Limits:
    """What clients may take."""

    seconds: float
    """For a request to come in whole, and for its answer to be read."""
    body: int
    """Bytes of one body."""
    memory: int
    """Bytes of all bodies in a worker, and once more of the answers that wait to be read."""


class ChunksTooSmall(ParseException):
    """A chunked body with more framing than is read for its bytes."""


class Incoming:
    """One request, fed as its bytes come in; nothing here reads from a socket or waits.

    The head is parsed by gunicorn as soon as it is complete, and what its parser found (a length or
    chunks) decides where the body ends. Chunks are only counted here: gunicorn's reader decodes
    them, and must end at the same byte.
    """

    __slots__ = (
        "_body",
        "_cfg",
        "_chunks",
        "_head",
        "_limit",
        "_missing",
        "_peer",
        "awaits_continue",
        "begun",
        "held",
        "request",
        "rest",
    )

    def __init__(self, cfg: Any, peer: Any, limit: int) -> None:
        self._cfg, self._peer, self._limit = cfg, peer, limit
        self._head = bytearray()
        self._body: BytesIO | None = None
        self._chunks: _Chunks | None = None
        self._missing = 0
        self.request: Any = None
        self.begun = False
        self.held = 0
        """Bytes that are kept."""
        self.awaits_continue = False
        self.rest = b""
        """What was sent behind the request, once it is whole."""

    @property
    def wanted(self) -> int:
        """How many bytes to receive at once."""
        return min(max(self._missing, _RECEIVE), _RECEIVE_BODY)

    def feed(self, data: bytes) -> bool:
        """Whether the request is whole; ParseException, BodyTooLarge."""
        self.begun = True
        if self.request is None:
            behind = self._feed_head(data)
            if behind is None:
                self.held = len(self._head)
                return False
            data = behind
        if self._chunks is not None:
            return self._feed_chunks(self._chunks, data)
        return self._feed_length(data)

    def read_body(self) -> None:
        """Give the whole request its body, from memory; ParseException."""
        if self._chunks is not None:
            self.request.body = BytesIO(self._decoded(self._chunks))
        else:
            self.request.body = self._body

    def _feed_head(self, data: bytes) -> bytes | None:
        """What follows the head, once it is complete."""
        head: bytes | bytearray = data
        before = len(self._head)
        if before:
            self._head += data
            head = self._head
        end = head.find(b"\r\n\r\n", max(0, before - 3)) + 4
        if end > MAX_HEAD or (end < 4 and self._is_doomed(head, before)):
            self._parse(bytes(head[:MAX_HEAD]))
            raise LimitRequestHeaders("header fields")
        if end < 4:
            if not before:
                self._head += data
            return None
        self.request = request = self._parse(bytes(head[:end]))
        self.awaits_continue = request._expected_100_continue
        request._expected_100_continue = False
        self._expect(request.body.reader)
        rest = bytes(head[end:])
        self._head = bytearray()
        return rest

    def _is_doomed(self, head: bytes | bytearray, before: int) -> bool:
        """Whether gunicorn refuses the head though its end has not come; it is asked then."""
        line = self._cfg.limit_request_line or MAX_HEAD
        return (
            len(head) > MAX_HEAD
            or _has_bare_newline(head, before)
            or (len(head) > line + 4 and not 0 <= head.find(b"\r\n", 2) <= line + 2)
        )

    def _parse(self, head: bytes) -> Any:
        held = _Held(head)
        try:
            request = Request(self._cfg, held, self._peer)
        except (NoMoreData, StopIteration):
            raise LimitRequestHeaders("header fields") from None
        if held.left:
            raise InvalidRequestLine("an end of the head that is none")
        return request

    def _expect(self, reader: Any) -> None:
        if isinstance(reader, LengthReader):
            self._missing = reader.length
            if self._missing > self._limit:
                raise BodyTooLarge(self._limit)
        else:
            self._chunks = _Chunks(self._limit)

    def _feed_length(self, data: bytes) -> bool:
        missing = self._missing
        if len(data) > missing:
            self.rest = data[missing:]
            data = data[:missing]
        if self._body is None and len(data) == missing:
            self._body = BytesIO(data)  # shares the bytes
        else:
            self._body = self._body or BytesIO()
            self._body.write(data)
        self._missing = missing - len(data)
        self.held = self._body.tell() or len(data)
        if self._missing:
            return False
        self._body.seek(0)
        return True

    def _feed_chunks(self, chunks: "_Chunks", data: bytes) -> bool:
        end = chunks.feed(data)
        self.held = len(chunks.raw)
        if end is None:
            return False
        self.rest = bytes(chunks.raw[end:])
        del chunks.raw[end:]
        return True

    def _decoded(self, chunks: "_Chunks") -> bytes:
        held: _Held = self.request.unreader
        held.hold(chunks.raw)
        try:
            body: bytes = self.request.body.read()
        except NoMoreData:
            raise ChunkMissingTerminator(b"") from None
        if held.left or len(body) != chunks.size:
            raise ChunkMissingTerminator(b"")
        return body


class _Chunks:
    """Finds the end of a chunked body."""

    __slots__ = ("_limit", "_next", "_trailer", "raw", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._next = 0
        self._trailer = 0
        self.raw = bytearray()
        self.size = 0
        """Bytes of the chunks that were announced."""

    def feed(self, data: bytes) -> int | None:
        """Where it ends, if that is known; ParseException, BodyTooLarge."""
        before = len(self.raw)
        self.raw += data
        while not self._trailer:
            end = self._line_end()
            if end is None:
                return None
            self._begin(bytes(self.raw[self._next : end]), end + 2)
        return self._trailer_end(max(before, self._trailer))

    def _line_end(self) -> int | None:
        """Of the line that tells the next chunk's size."""
        raw, start = self.raw, self._next
        if len(raw) < start:
            return None
        if start and raw[start - 2 : start] != b"\r\n":
            raise ChunkMissingTerminator(bytes(raw[start - 2 : start]))
        end = raw.find(b"\r\n", start)
        if (len(raw) if end < 0 else end) - start > _LINE:
            raise InvalidChunkSize(b"a long line")
        return None if end < 0 else end

    def _begin(self, line: bytes, at: int) -> None:
        digits, semicolon, _ = line.partition(b";")
        if semicolon:
            digits = digits.rstrip(b" \t")
        if not _HEX.fullmatch(digits):
            raise InvalidChunkSize(digits)
        if at - self.size > FRAMING + self.size // 8:
            raise ChunksTooSmall
        size = int(digits, 16)
        self.size += size
        if self.size > self._limit:
            raise BodyTooLarge(self._limit)
        if size:
            self._next = at + size + 2
        else:
            self._trailer = at

    def _trailer_end(self, before: int) -> int | None:
        raw, start = self.raw, self._trailer
        if raw[start : start + 2] == b"\r\n":
            return start + 2
        end = raw.find(b"\r\n\r\n", max(start, before - 3)) + 4
        if (len(raw) if end < 4 else end) - start > MAX_HEAD:
            raise LimitRequestHeaders("trailer")
        if end < 4 and _has_bare_newline(raw, before):
            raise InvalidHeader("bare LF as line terminator")
        return None if end < 4 else end


class _Held(Unreader):
    """Bytes in memory, in pieces as a socket gives them; then nothing."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.hold(data)

    def hold(self, data: bytes | bytearray) -> None:
        """Give these from now on."""
        self._view = memoryview(data)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next piece."""
        size = max(_PIECE, size_hint or 0)
        piece, self._view = self._view[:size], self._view[size:]
        return bytes(piece)

    @property
    def left(self) -> int:
        """Bytes that nobody took."""
        return len(self._view) + len(self.buf.getvalue())


def _has_bare_newline(text: bytes | bytearray, before: int) -> bool:
    """Whether a line feed at *before* or later has no carriage return before it."""
    return text.count(b"\n", before) != text.count(b"\r\n", max(0, before - 1))
