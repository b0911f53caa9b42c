"""The keys that clients of the API send; only their hashes are kept."""

import re
import secrets
from hashlib import sha256

from attrs import field, frozen

_MARK = "ree_"
"""What every key begins with, so that scanners for leaked secrets can tell one."""
_BYTES = 32
MOST_A_MINUTE = 1_000_000
_ENTRY = re.compile(r"([A-Za-z0-9._-]{1,32}):([0-9a-f]{64})(?::([0-9]{1,7}))?", re.ASCII)


@frozen
class ClientKey:
    """A client's name, the SHA-256 of its key, and how many requests a minute it may send."""

    name: str
    digest: bytes = field(repr=False)
    per_minute: int | None = None
    """None: as many as clients without a number of their own; 0: any number."""


def digest_of(key: str) -> bytes:
    """SHA-256, 32 bytes.

    A slow hash is for passwords, which can be guessed. A key is 256 random bits: who has its hash
    learns nothing by trying, and every request would pay for a slow one.
    """
    return sha256(key.encode("utf-8", "replace")).digest()


def new_client_key() -> str:
    """Of 256 random bits, in characters that need no quoting anywhere."""
    return _MARK + secrets.token_urlsafe(_BYTES)


def entry(name: str, key: str) -> str:
    """What stands for a key in the settings; ValueError for a name that cannot."""
    text = f"{name}:{digest_of(key).hex()}"
    read_client_keys(text)
    return text


def read_client_keys(text: str) -> tuple[ClientKey, ...]:
    """From `name:sha256` or `name:sha256:N`, with commas between; ValueError.

    A name and a hash may stand there once: whose requests are counted must be plain.
    """
    keys = tuple(_client_key(part.strip()) for part in text.split(","))
    names, digests = {key.name for key in keys}, {key.digest for key in keys}
    if not len(names) == len(digests) == len(keys):
        raise ValueError("twice")
    return keys


def _client_key(text: str) -> ClientKey:
    found = _ENTRY.fullmatch(text)
    if found is None:
        raise ValueError("not an entry")
    name, digest, rate = found.groups()
    per_minute = None if rate is None else int(rate)
    if per_minute is not None and per_minute > MOST_A_MINUTE:
        raise ValueError("more than can be counted")
    return ClientKey(name, bytes.fromhex(digest), per_minute)
