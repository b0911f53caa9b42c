"""`ree keys client`; the keys that sign are tried with what they are for."""

import json

from ree.adapters.client_keys import digest_of
from ree.adapters.settings import load_settings

from .conftest import Ree


def test_a_client_key_is_shown_once_with_the_line_that_lets_it_in(ree: Ree) -> None:
    result = ree("keys", "client", "--name", "web")
    assert result.exit_code == 0
    key, line = result.stdout.splitlines()
    name, _, value = line.partition("=")
    [known] = load_settings({name: value}, "").client_keys
    assert (known.name, known.digest) == ("web", digest_of(key))
    assert key not in line
    assert key not in result.stderr
    assert "shown this once" in result.stderr


def test_the_same_as_json_and_with_the_name_of_nobody(ree: Ree) -> None:
    result = ree("keys", "client", "--json")
    made = json.loads(result.stdout)
    assert set(made) == {"key", "REE_CLIENT_KEYS"}
    [known] = load_settings({"REE_CLIENT_KEYS": made["REE_CLIENT_KEYS"]}, "").client_keys
    assert (known.name, known.digest) == ("client", digest_of(made["key"]))


def test_a_name_that_cannot_be_is_wrong_usage(ree: Ree) -> None:
    result = ree("keys", "client", "--name", "a b")
    assert result.exit_code == 2
    assert "take 1 to 32 of" in result.stderr
    assert "ree_" not in result.output
