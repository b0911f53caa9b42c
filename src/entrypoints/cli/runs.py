"""`ree runs`."""

import click

from .door import as_json, open_container, print_json


@click.group(short_help="Look at past retrains.")
def runs() -> None:
    """Look at past retrains."""


@runs.command("list")
@as_json
def list_(as_json: bool) -> None:
    """All retrains, the newest first."""
    from .documents import run_document
    from .rendering import show, table, version_name
    from .words import NOTHING, days, thin

    found = open_container().runs().runs()
    if as_json:
        names = (
            "run_id", "started_at", "finished_at", "asked_by", "period", "ending",
            "model_version", "activated",
        )  # fmt: skip
        documents = map(run_document, found)
        print_json({"runs": [{name: document[name] for name in names} for document in documents]})
        return
    if not found:
        show('There was no retrain yet. Run "ree retrain" or "ree demo".')
        return
    made = table("run", "sales of", "ending", "took>", "version")
    for column in made.columns:
        column.no_wrap = True
    for run in found:
        took = f"{(run.finished_at - run.started_at).total_seconds():.0f}{thin()}s"
        ending = run.ending.value.replace("_", " ")
        version = version_name(run.model_version) if run.model_version else NOTHING
        made.add_row(run.run_id, days(run.manifest.period), ending, took, version)
    show(made)


@runs.command("show")
@click.argument("run_id")
@as_json
def show_(run_id: str, as_json: bool) -> None:
    """One retrain, as it was reported."""
    container = open_container()
    run = container.runs().run(run_id)
    if as_json:
        from .documents import run_document

        print_json(run_document(run))
    else:
        from .run_report import show_run

        show_run(run, container.settings())
