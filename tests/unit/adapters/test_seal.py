"""Documents that nobody can change unnoticed."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from ree.adapters import seal
from ree.adapters.codec import to_json
from ree.adapters.seal import CannotSign, NotTrusted, Seal, generate_keys, key_bytes, key_id
from ree.domain.errors import StorageError

PRIVATE, PUBLIC = generate_keys()
OTHER_PRIVATE, OTHER_PUBLIC = generate_keys()
SIGNING = Seal.of(PRIVATE, [PUBLIC])
UNSIGNED = Seal()
DOCUMENT = {"figures": [1, 0.1, None, True], "name": "Tromsø", "nested": {"b": 1, "a": "x"}}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("closer", [SIGNING, UNSIGNED])
@given(value=json_values)
def test_what_was_closed_opens_as_it_was(closer: Seal, value: Any) -> None:
    document = {"value": value}
    assert closer.open(to_json(closer.close(document)), "a.json") == document


@pytest.mark.parametrize("closer", [SIGNING, UNSIGNED])
def test_every_byte_counts(closer: Seal) -> None:
    body = to_json(closer.close(DOCUMENT))
    for place in range(len(body)):
        for bit in (1, 32):
            changed = bytearray(body)
            changed[place] ^= bit
            with pytest.raises(StorageError, match=r"a\.json"):
                closer.open(bytes(changed), "a.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body[:-1],
        lambda body: body + b" ",
        lambda body: body + body,
        lambda body: b"[]",
        lambda body: b"{}",
        lambda body: b"[" * 100_000,
        lambda body: b'{"signature": []}',
        lambda body: b'{"signature": "x"}',
        lambda body: b'{"signature": {"key_id": null, "value": null}}',
        lambda body: b'{"a": "\\ud800", "signature": {"key_id": null, "value": null}}',
        lambda body: b'{"a": 1, "a": 2, "signature": {"key_id": null, "value": null}}',
    ],
    ids=range(12),
)
@pytest.mark.parametrize("closer", [SIGNING, UNSIGNED])
def test_what_ree_did_not_write_is_damaged(closer: Seal, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(StorageError, match=r"a\.json is damaged") as caught:
        closer.open(change(to_json(closer.close(DOCUMENT))), "a.json")
    assert "\n" not in str(caught.value)


def test_the_signature_is_the_documented_one() -> None:
    """Ed25519 over the document without `signature`: UTF-8, sorted keys, no spaces."""
    closed = json.loads(to_json(SIGNING.close(DOCUMENT)))
    signature = closed.pop("signature")
    text = json.dumps(closed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    public = Ed25519PublicKey.from_public_bytes(b64decode(PUBLIC))
    public.verify(b64decode(signature["value"]), text.encode())
    assert signature["key_id"] == key_id(public)


@pytest.mark.parametrize(
    ("closed_by", "reason"),
    [
        (UNSIGNED, "not signed"),
        (Seal.of(OTHER_PRIVATE, []), "not in REE_VERIFY_KEYS"),
    ],
)
def test_only_a_trusted_key_will_do(closed_by: Seal, reason: str) -> None:
    body = to_json(closed_by.close(DOCUMENT))
    with pytest.raises(NotTrusted, match=reason):
        SIGNING.open(body, "a.json")
    assert UNSIGNED.open(body, "a.json") == DOCUMENT


def forged(value: object, key: str = PUBLIC) -> bytes:
    """A document whose checksum is right and whose signature is *value*."""
    named = key_id(Ed25519PublicKey.from_public_bytes(b64decode(key)))
    signed = {"key_id": named, "value": value}
    checksum = seal._checksum(DOCUMENT, signed)
    return to_json({**DOCUMENT, "signature": signed | {"sha256": checksum}})


@pytest.mark.parametrize(
    "value",
    ["", "x", "AAAA", b64encode(bytes(64)).decode(), 1, [], {}, "é"],
)
def test_a_forged_signature_is_refused(value: object) -> None:
    with pytest.raises(NotTrusted, match="does not fit"):
        SIGNING.open(forged(value), "a.json")


def test_a_signature_of_another_document_is_refused() -> None:
    other = json.loads(to_json(SIGNING.close({"another": 1})))["signature"]["value"]
    with pytest.raises(NotTrusted, match="does not fit"):
        SIGNING.open(forged(other), "a.json")


def test_nothing_is_written_that_nobody_would_trust() -> None:
    with pytest.raises(CannotSign, match="REE_SIGNING_KEY is not set"):
        Seal.of(None, [PUBLIC]).close(DOCUMENT)
    for private, public in ((PRIVATE, OTHER_PUBLIC), (PUBLIC, PRIVATE)):
        with pytest.raises(CannotSign, match="is not in REE_VERIFY_KEYS"):
            Seal.of(private, [public])
    assert Seal.of(PRIVATE, [OTHER_PUBLIC, PUBLIC]).close(DOCUMENT)


def test_keys_are_rotated_by_trusting_both() -> None:
    old, new = Seal.of(PRIVATE, []), Seal.of(OTHER_PRIVATE, [])
    reader = Seal.of(None, [PUBLIC, OTHER_PUBLIC])
    for writer in (old, new):
        assert reader.open(to_json(writer.close(DOCUMENT)), "a.json") == DOCUMENT


def test_a_key_is_not_shown() -> None:
    assert PRIVATE not in repr(SIGNING)
    assert repr(key_bytes(PRIVATE)) not in repr(SIGNING)


@pytest.mark.parametrize(
    "text",
    ["", "x", "é", "AAAA", PRIVATE[:-2], PRIVATE + "AAAA", " " + PRIVATE],
    ids=range(7),
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|only"):
        key_bytes(text)


def test_every_pair_is_new() -> None:
    assert len({generate_keys() for _ in range(3)}) == 3
    assert PRIVATE != PUBLIC
