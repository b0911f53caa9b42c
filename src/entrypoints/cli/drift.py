"""`ree drift`."""

from contextlib import closing
from datetime import date

import click

from ...domain.turnover import Period
from .door import as_json, day_option, open_container, print_json


@click.command(short_help="Compare a period's sales with what the active version was trained on.")
@day_option("--start-date", "First day of the period; needs --end-date.")
@day_option("--end-date", "Last day of the period, before today.")
@as_json
def drift(start_date: date | None, end_date: date | None, as_json: bool) -> None:
    """Compare the sales of a period with those that the active version was trained on.

    Of the last full calendar month, if no period is given. Whatever is found, it ends with 0; the
    report is kept, and GET /model/drift shows it.
    """
    if (start_date is None) != (end_date is None):
        raise click.UsageError("Give --start-date and --end-date together.")
    period = Period(start_date, end_date) if start_date and end_date else None

    from .progress import shown_progress

    container = open_container()
    with closing(container.market()), shown_progress(container.settings()) as progress:
        report = container.check_drift()(period, progress)
    if as_json:
        from ...adapters.figures import drift_figures

        print_json(drift_figures(report))
    else:
        from .drift_report import show_drift

        show_drift(report)
