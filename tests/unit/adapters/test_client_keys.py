"""The keys of clients, of which only hashes are kept."""

from hashlib import sha256

import pytest

from ree.adapters.client_keys import (
    ClientKey,
    digest_of,
    entry,
    new_client_key,
    read_client_keys,
)


def test_a_new_key_is_let_in_by_its_entry() -> None:
    key = new_client_key()
    [known] = read_client_keys(entry("web", key))
    assert known == ClientKey("web", sha256(key.encode()).digest())
    assert digest_of(key) == known.digest
    assert digest_of(key[:-1]) != known.digest


def test_keys_are_new_long_and_need_no_quoting() -> None:
    keys = {new_client_key() for _ in range(100)}
    assert len(keys) == 100
    for key in keys:
        assert key.startswith("ree_")
        assert len(key.removeprefix("ree_")) == 43  # 256 bits, six a character
        assert key.isascii()
        assert key.replace("_", "").replace("-", "").isalnum()


def test_a_key_is_not_shown_with_its_hash() -> None:
    [known] = read_client_keys(entry("web", new_client_key()))
    assert known.digest.hex() not in repr(known)
    assert "digest" not in repr(known)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a,b", "ø", "a\n", "x" * 33, '"'])
def test_a_name_that_a_log_line_could_not_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        entry(name, new_client_key())


def test_any_text_has_a_hash() -> None:
    assert len(digest_of("\ud800 ø \x00")) == 32
