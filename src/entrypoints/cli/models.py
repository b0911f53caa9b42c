"""`ree models`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .commands import FAILED
from .door import as_json, asked_by, open_container, print_json, why_option

if TYPE_CHECKING:
    from ...domain.model import Activation

why = why_option("The reason; it is recorded.", required=True)


@click.group(short_help="Look at the versions, choose the active one.")
def models() -> None:
    """Look at the versions, choose the active one."""


@models.command("list")
@as_json
def list_(as_json: bool) -> None:
    """All versions, the newest first."""
    from .documents import version_document
    from .version_report import show_versions

    registry = open_container().registry()
    found, pointer = registry.versions(), registry.active()
    active = pointer.version if pointer else None
    if active is not None and active not in {version.version for version in found}:
        click.echo(
            f"Warning: the active version {active} cannot be read and is not listed. Activate "
            "another, or retrain with --replace-unreadable --why TEXT.",
            err=True,
        )
    if not as_json:
        show_versions(found, active)
        return
    names = ("model_version", "status", "type", "created_at", "trained_until", "run_id")
    documents = []
    for version in found:
        document = version_document(version, active)
        manifest, metrics = document["manifest"], document["metrics"]
        documents.append(
            {name: document[name] for name in names}
            | {
                "period": manifest["period"] if manifest else None,
                "metrics": metrics["overall"] if metrics else None,
            }
        )
    print_json({"active": active, "versions": documents})


@models.command("show")
@click.argument("version", required=False)
@as_json
def show_(version: str | None, as_json: bool) -> None:
    """Everything known of VERSION, else of the active one."""
    from ...domain.errors import ModelNotReady, StorageError
    from .documents import version_document
    from .version_report import show_version

    container = open_container()
    registry = container.registry()
    pointer = registry.active()
    if version is None:
        if pointer is None:
            raise ModelNotReady
        version = pointer.version
    found, active = registry.version(version), pointer.version if pointer else None
    try:
        moves = [move for move in registry.history() if move.version == version]
    except StorageError as error:
        click.echo(f"Warning: {error}", err=True)
        moves = []
    if as_json:
        from ...adapters import codec

        print_json(version_document(found, active) | {"activations": codec.plain(moves)})
    else:
        show_version(found, active, moves, container.settings())


@models.command()
@click.argument("version", required=False)
@click.option(
    "--output",
    "output",
    metavar="FILE",
    help="Where to; - is standard output. By default report-VERSION.html, in this folder.",
)
@click.option("--open", "shown", is_flag=True, help="Show it in the browser.")
def report(version: str | None, output: str | None, shown: bool) -> None:
    """Write the report of VERSION, else of the active one.

    One HTML file that needs no other: how good the model is, where it is weak, what the gate said.
    It was made with the version; of a refused one, too.
    """
    from ...domain.errors import ModelNotReady
    from .writing import replaced

    if shown and output == "-":
        raise click.UsageError("--open needs a file; leave out --output -.")
    registry = open_container().registry()
    if version is None:
        pointer = registry.active()
        if pointer is None:
            raise ModelNotReady
        version = pointer.version
    page = registry.artifact(version, "report.html")
    if output == "-":
        click.echo(page, nl=False)
        return
    path = Path(output or f"report-{version}.html")
    with replaced(path) as file:
        file.write(page)
    click.echo(f"The report of {version} is {path}.")
    if shown and click.launch(str(path.resolve())):
        raise click.ClickException(f"no browser could be started; open {path} yourself")


@models.command()
@click.argument("version", required=False)
@as_json
def verify(version: str | None, as_json: bool) -> int:
    """Check what is stored.

    Digests, signatures, the environment, the pointer and its history: of VERSION and the sales it
    was trained on, else of all there is. Ends with 1 if anything is broken; changes nothing.
    """
    from ...domain.verification import sound
    from .version_report import show_findings

    findings = list(open_container().verify()(version))
    if as_json:
        from ...adapters import codec

        print_json({"sound": sound(findings), "findings": codec.plain(findings)})
    else:
        show_findings(findings)
    return 0 if sound(findings) else FAILED


@models.command()
@click.argument("version")
@as_json
def reproduce(version: str, as_json: bool) -> int:
    """Train VERSION again and compare.

    On its own dataset, digest for digest. Nothing is stored. Ends with 1 if anything comes out
    otherwise, and tells which inputs changed.
    """
    from .documents import reproduction_document
    from .progress import shown_progress
    from .version_report import show_reproduction

    container = open_container()
    with shown_progress(container.settings()) as progress:
        made = container.reproduce()(version, progress)
    if as_json:
        print_json(reproduction_document(made))
    else:
        show_reproduction(made)
    return 0 if made.same else FAILED


@models.command()
@click.argument("version")
@why
@as_json
def activate(version: str, why: str, as_json: bool) -> None:
    """Make VERSION the active one."""
    _tell(open_container().activate()(version, by=asked_by(), why=why), as_json)


@models.command()
@why
@as_json
def rollback(why: str, as_json: bool) -> None:
    """Go back to the version that was active before."""
    _tell(open_container().roll_back()(by=asked_by(), why=why), as_json)


@models.command()
@as_json
def bootstrap(as_json: bool) -> None:
    """Publish a stub where nothing is active.

    It lets a service start: one price per m2 for every home, with a warning.
    """
    version = open_container().bootstrap()(by=asked_by())
    if as_json:
        kind = version.record.kind.value
        print_json({"model_version": version.version, "type": kind, "activated": True})
    else:
        click.echo(f"Version {version.version} is active.")
        click.echo('It is a stub, one price per m2 for every home. Replace it with "ree retrain".')


def _tell(activation: "Activation", as_json: bool) -> None:
    if as_json:
        from ...adapters import codec

        print_json(codec.plain(activation))
        return
    click.echo(f"Version {activation.version} is active.")
    if activation.previous is not None:
        click.echo(f"Before it was {activation.previous}.")
