"""`ree keys`."""

import click

from .door import as_json, print_json


@click.group(short_help="Make the keys that versions are signed with.")
def keys() -> None:
    """Make the keys that versions are signed with."""


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
