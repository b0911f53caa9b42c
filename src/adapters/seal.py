"""JSON documents that nobody can change unnoticed: checksummed, and signed where there is a key."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Self

from attrs import field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..domain.errors import ReeError, StorageError
from . import codec
from .objects import digest

KEY_BYTES = 32
_FIELD = "signature"


class NotTrusted(StorageError):
    """A document that is not signed by a key of REE_VERIFY_KEYS."""


class CannotSign(ReeError):
    """What is to be written would be trusted by nobody."""


@frozen
class Seal:
    """Closes documents with a signature, and opens those that are closed by a trusted key.

    The signature is Ed25519 (RFC 8032) over the document without `signature` as UTF-8 JSON with
    sorted keys and no spaces. Without a verify key only the checksum is looked at.
    """

    _signing_key: Ed25519PrivateKey | None = field(default=None, repr=False)
    _verify_keys: Mapping[str, Ed25519PublicKey] = field(factory=dict)

    @classmethod
    def of(cls, signing_key: str | None, verify_keys: Sequence[str]) -> Self:
        """From keys as `ree keys generate` prints them; CannotSign, ValueError."""
        signs = (
            Ed25519PrivateKey.from_private_bytes(key_bytes(signing_key)) if signing_key else None
        )
        trusted = [Ed25519PublicKey.from_public_bytes(key_bytes(key)) for key in verify_keys]
        keys = {key_id(key): key for key in trusted}
        if signs and keys and key_id(signs.public_key()) not in keys:
            raise CannotSign(
                "The public key of REE_SIGNING_KEY is not in REE_VERIFY_KEYS, so that nobody would "
                "trust what it signs. Add it, or correct the keys."
            )
        return cls(signs, keys)

    @property
    def checks_signatures(self) -> bool:
        """Whether there is a key to check them with."""
        return bool(self._verify_keys)

    def close(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """The document with its signature; equal documents are closed alike. CannotSign."""
        if self._signing_key is None and self._verify_keys:
            raise CannotSign(
                "REE_VERIFY_KEYS trusts nothing that is not signed, and REE_SIGNING_KEY is not "
                "set. Set it to publish, activate or roll back. Nothing was written."
            )
        if self._signing_key is None:
            signed: dict[str, Any] = {"key_id": None, "value": None}
        else:
            value = self._signing_key.sign(_canonical(plain))
            signed = {
                "key_id": key_id(self._signing_key.public_key()),
                "value": b64encode(value).decode(),
            }
        return {**plain, _FIELD: signed | {"sha256": _checksum(plain, signed)}}

    def open(self, body: bytes, name: str) -> dict[str, Any]:
        """The document in *body* without its signature; StorageError, NotTrusted.

        Every byte counts: it has to be exactly what ree writes.
        """
        plain = codec.from_json(body, name)
        signature = plain.pop(_FIELD, None)
        try:
            signed = {part: signature[part] for part in ("key_id", "value")}
            whole = {**plain, _FIELD: signed | {"sha256": _checksum(plain, signed)}}
            intact = codec.to_json(whole) == body
        except (TypeError, KeyError, ValueError, RecursionError):
            intact = False
        if not intact:
            raise StorageError(
                f"The object {name} is damaged (its content is not what it was closed with); "
                "restore it."
            )
        if self._verify_keys:
            self._check(plain, signed, name)
        return plain

    def _check(self, plain: dict[str, Any], signed: Mapping[str, Any], name: str) -> None:
        if signed["value"] is None:
            raise NotTrusted(
                f"The object {name} is not signed, but REE_VERIFY_KEYS is set. Put back the "
                "signed one. (If it was written before there were keys: docs/storage.md, Keys.)"
            )
        key = self._verify_keys.get(str(signed["key_id"]))
        if key is None:
            raise NotTrusted(
                f"The object {name} is signed with the key {str(signed['key_id'])[:64]!r}, which "
                "is not in REE_VERIFY_KEYS. Add its public key if you trust it."
            )
        try:
            key.verify(b64decode(signed["value"], validate=True), _canonical(plain))
        except (InvalidSignature, TypeError, ValueError):
            raise NotTrusted(
                f"The signature of the object {name} does not fit its content; restore it."
            ) from None


def generate_keys() -> tuple[str, str]:
    """A new pair: the private key and the public key, as the settings take them."""
    key = Ed25519PrivateKey.generate()
    return (
        b64encode(key.private_bytes_raw()).decode(),
        b64encode(key.public_key().public_bytes_raw()).decode(),
    )


def key_bytes(text: str) -> bytes:
    """The 32 bytes of a key in Base64; ValueError."""
    try:
        key = b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not Base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"not {KEY_BYTES} bytes")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """What a key is called: 16 hex of its SHA-256."""
    return digest(key.public_bytes_raw())[:16]


def _canonical(plain: Mapping[str, Any]) -> bytes:
    text = json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def _checksum(plain: Mapping[str, Any], signed: Mapping[str, Any]) -> str:
    return digest(_canonical({**plain, _FIELD: signed}))
