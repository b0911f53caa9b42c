"""`ree keys`."""

import click

from .door import as_json, print_json


@click.group(short_help="Make keys: for signing versions, for clients of the API.")
def keys() -> None:
    """Make the keys that versions are signed with, and those that clients of the API send."""


@keys.command()
@as_json
def generate(as_json: bool) -> None:
    """A new pair (Ed25519), as lines for the environment or .env."""
    from ...adapters.seal import generate_keys

    private, public = generate_keys()
    pair = {"REE_SIGNING_KEY": private, "REE_VERIFY_KEYS": public}
    if as_json:
        print_json(pair)
    else:
        for name, value in pair.items():
            click.echo(f"{name}={value}")
    click.echo(
        "REE_SIGNING_KEY is a secret: give it to what retrains, activates and rolls back. "
        "REE_VERIFY_KEYS may be public: give it to whatever reads models. To change keys, list "
        "the old one there too.",
        err=True,
    )


@keys.command()
@click.option("--name", default="client", show_default=True, help="Whose it is, for the counts.")
@as_json
def client(name: str, as_json: bool) -> None:
    """A new key for a client of the API, and the line that lets it in."""
    from ...adapters.client_keys import entry, new_client_key

    key = new_client_key()
    try:
        setting = entry(name, key)
    except ValueError:
        raise click.BadParameter("take 1 to 32 of A-Z a-z 0-9 . _ -", param_hint="--name") from None
    if as_json:
        print_json({"key": key, "REE_CLIENT_KEYS": setting})
    else:
        click.echo(key)
        click.echo(f"REE_CLIENT_KEYS={setting}")
    click.echo(
        "The key is shown this once: give it to the client, which sends it as Authorization: "
        "Bearer or X-Api-Key. REE_CLIENT_KEYS holds only its hash; several stand there with commas "
        "between, and :N after one allows it N requests a minute.",
        err=True,
    )
