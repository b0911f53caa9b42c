"""`ree track`."""

import click

from .door import as_json, open_container, print_json


@click.command(short_help="Compare estimates with what homes then sold for.")
@click.option("--version", metavar="VERSION", help="Only the months of this version.")
@as_json
def track(version: str | None, as_json: bool) -> None:
    """Compare estimates with what homes then sold for, month by month.

    A retrain fetches new sales; before it trains, it scores the version that was active until then
    on those that are newer than all it had seen. Beside that stands what the version had shown on
    its own holdout, on which the gate let it pass.
    """
    container = open_container()
    months = [month for month in container.track_log().months() if version in (None, month.version)]
    if version is not None and not months:
        container.registry().version(version)  # UnknownVersion
    if as_json:
        from ...adapters.figures import tracked_figures

        print_json({"months": [tracked_figures(month) for month in months]})
    else:
        from .track_report import show_track

        show_track(months)
