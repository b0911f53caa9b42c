"""`ree retrain`."""

from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import click

from ...domain.errors import InvalidPeriod, MarketError, ReeError
from ...domain.turnover import MOST_MONTHS, Period, day_in_oslo
from .commands import REFUSED_BY_GATE, tell
from .door import as_json, asked_by, day_option, open_container, print_json, why_option

if TYPE_CHECKING:
    from ...container import Container
    from ...domain.run import Run


@click.command(short_help="Fetch past sales, train, evaluate, gate and publish a model.")
@day_option("--start-date", "First day of the period.")
@click.option(
    "--window-months",
    type=click.IntRange(1, MOST_MONTHS),
    metavar="N",
    help="Instead of --start-date: the calendar months that end with --end-date.",
)
@day_option("--end-date", "Last day of the period, before today.")
@click.option(
    "--previous-month",
    is_flag=True,
    help="Instead of dates: the REE_TRAIN_WINDOW_MONTHS calendar months that end with last month, "
    "and a look for drift in the last one, as the schedule asks for.",
)
@click.option("--dry-run", is_flag=True, help="Stop after snapshots and dataset.")
@click.option("--no-publish", is_flag=True, help="Evaluate and judge, but publish nothing.")
@click.option("--force-fetch", is_flag=True, help="Fetch again what is stored already.")
@click.option(
    "--estimator",
    type=click.Choice(("fast", "accurate")),
    default="accurate",
    show_default=True,
    help="The recipe to train with.",
)
@click.option(
    "--accept-inconclusive",
    is_flag=True,
    help="Let comparisons on too few sales pass; recorded.",
)
@click.option(
    "--replace-unreadable",
    is_flag=True,
    help="Treat an active version that cannot be read as absent; recorded. Needs --why.",
)
@why_option("The reason for --replace-unreadable.")
@as_json
def retrain(
    start_date: date | None,
    window_months: int | None,
    end_date: date | None,
    previous_month: bool,
    dry_run: bool,
    no_publish: bool,
    force_fetch: bool,
    estimator: str,
    accept_inconclusive: bool,
    replace_unreadable: bool,
    why: str | None,
    as_json: bool,
) -> int:
    """Fetch the sales of a period, train on them, evaluate out of time, ask the gate, publish.

    Ends with 3 if the gate refuses the model; the previous one then stays.
    """
    period = None if previous_month else _period(start_date, window_months, end_date)
    if previous_month and (start_date or window_months or end_date):
        raise click.UsageError("Give --previous-month without dates and without --window-months.")
    if replace_unreadable != (why is not None):
        raise click.UsageError("Give --replace-unreadable and --why together.")

    from ...application.retrain_period import RetrainRequest
    from ...application.stopwatch import unseen
    from ..retraining import retrain as followed
    from .progress import shown_bar
    from .push import pushed

    container = open_container()
    settings = container.settings()
    if settings.api_base_url is None:
        raise MarketError(
            "REE_API_BASE_URL is not set, so there is no market to fetch sales from. Set it, or "
            'run "ree sandbox serve" and set it to the address that this prints.'
        )
    with pushed(container) as push, closing(container.market()), shown_bar(settings) as bar:
        request = RetrainRequest(
            period or _window(container),
            asked_by(),
            recipe=estimator,
            dry_run=dry_run,
            publish=not no_publish,
            force_fetch=force_fetch,
            accept_inconclusive=accept_inconclusive,
            replace_unreadable=why,
            progress=bar or unseen,
        )
        run = followed(container, request, lines=bar is None)
        push(run)
        if previous_month and not dry_run:
            _look_for_drift(container, request.period)
    if as_json:
        from .documents import run_document

        print_json(run_document(run))
    else:
        from .run_report import show_run

        active = container.registry().active()
        show_run(run, settings, active.version if active else None)
    return exit_code(run)


def _period(start_date: date | None, window_months: int | None, end_date: date | None) -> Period:
    if end_date is None:
        raise click.UsageError("Give --end-date, or --previous-month.")
    if (start_date is None) == (window_months is None):
        raise click.UsageError("Give either --start-date or --window-months.")
    if start_date is None:
        return Period.of_months(window_months or 0, end_date)
    period = Period(start_date, end_date)
    try:
        period.check_length()
    except InvalidPeriod as error:
        raise click.UsageError(str(error)) from None
    return period


def _window(container: "Container") -> Period:
    today = day_in_oslo(container.clock().now())
    return Period.of_months_before(container.settings().train_window_months, today)


def _look_for_drift(container: "Container", period: Period) -> None:
    """What came of the retrain stays, whatever comes of this."""
    from ..retraining import look_for_drift

    newest = list(period.months())[-1]
    try:
        look_for_drift(container, newest)
    except ReeError as error:
        tell("Warning", f"drift was not looked for: {error}")


def exit_code(run: "Run") -> int:
    """3 if the gate refused the model, else 0."""
    return REFUSED_BY_GATE if run.verdict is not None and not run.verdict.passed else 0
