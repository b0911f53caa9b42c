"""`ree demo`."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...domain.estimate import Home, PriceEstimate
from ...domain.turnover import Period
from .door import asked_by, open_container
from .retrain import exit_code

if TYPE_CHECKING:
    from ...adapters.settings import Settings
    from ...container import Container
    from ...domain.run import Run

PERIOD = Period(date(2025, 1, 1), date(2025, 12, 31))
VALUATION_DATE = date(2026, 1, 2)
TURNOVERS_PER_MONTH = 1_200
HOMES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "house": (
        "house in Skien",
        {
            "realestate_type": "enebolig", "municipality_number": 4003,
            "lat": 59.21, "lon": 9.584, "built_year": 2016,
            "total_area": 472.8, "bra": 167, "bedrooms": 2, "rooms": 4,
        },
    ),
    "apartment": (
        "apartment in Oslo",
        {
            "realestate_type": "leilighet", "municipality_number": 301,
            "lat": 59.922, "lon": 10.759, "built_year": 1936,
            "total_area": 68, "bra": 62, "floor": 3, "bedrooms": 2, "rooms": 3,
        },
    ),
    "cabin": (
        "cabin in Ringsaker",
        {
            "realestate_type": "hytte", "municipality_number": 3411,
            "lat": 60.88, "lon": 10.94, "built_year": 2004,
            "total_area": 1050, "bra": 84, "bedrooms": 3, "rooms": 4,
        },
    ),
}  # fmt: skip


@click.command(short_help="Train on a simulated market, publish, estimate three homes.")
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep it in; default demo below REE_STORAGE_PATH.",
)
def demo(path: Path | None) -> int:
    """Train on a year of a simulated market, publish the model, estimate three homes.

    It needs no network and no data. A second time it reuses what is there.
    """
    from attrs import evolve

    container = open_container()
    settings = container.settings()
    folder = (path or Path(settings.storage_path) / "demo").absolute()
    with _market() as base_url:
        settings = evolve(
            settings,
            storage="filesystem",
            storage_path=folder,
            api_base_url=base_url,
            api_key=None,
        )
        container.settings.override(settings)
        run = _retrained(container)
    from .run_report import show_run

    active = container.registry().active()
    show_run(run, settings, active.version if active else None)
    if code := exit_code(run):
        return code
    _show_estimates(container)
    _show_commands(settings)
    return 0


@contextmanager
def _market() -> Iterator[str]:
    from ...adapters.sandbox.running import running
    from ...adapters.sandbox.simulator import SimulatedMarket

    # A proxy does not lead to this process.
    around = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if "127.0.0.1" not in around.split(","):
        os.environ["no_proxy"] = f"{around},127.0.0.1".lstrip(",")
    with running(SimulatedMarket(turnovers_per_month=TURNOVERS_PER_MONTH)) as sandbox:
        yield sandbox.base_url


def _retrained(container: "Container") -> "Run":
    """A demo of a newer ree finds no sale that the older one's model does not know: accepted."""
    from ...application.retrain_period import RetrainRequest
    from ...application.stopwatch import unseen
    from ..retraining import retrain
    from .progress import shown_bar

    with closing(container.market()), shown_bar(container.settings()) as bar:
        request = RetrainRequest(
            PERIOD, asked_by(), recipe="fast", accept_inconclusive=True, progress=bar or unseen
        )
        return retrain(container, request, lines=bar is None)


def _show_estimates(container: "Container") -> None:
    from rich.console import Group

    from .rendering import heading, show, table
    from .words import kroner

    homes = [Home.parse(name, given, VALUATION_DATE) for name, (_, given) in HOMES.items()]
    made = table("", "m2>", "built>", "estimate>", "90 % interval>", "confidence", "per m2>")
    for home, answer in zip(homes, container.estimate_batch()(homes), strict=True):
        if isinstance(answer, PriceEstimate):
            told, given = HOMES[home.property_id]
            made.add_row(
                told, str(given["bra"]), str(given["built_year"]),
                kroner(answer.estimated_price), _interval(answer),
                answer.confidence.value if answer.confidence else "",
                kroner(answer.price_per_sqm),
            )  # fmt: skip
    click.echo()
    show(Group(heading("Three homes", f"valued on {VALUATION_DATE}"), made))


def _interval(answer: PriceEstimate) -> str:
    from .words import kroner, number

    if answer.interval is None:
        return ""
    return f"{number(answer.interval.lower)} to {kroner(answer.interval.upper)}"


def _show_commands(settings: "Settings") -> None:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    body = json.dumps({"house": HOMES["house"][1]})
    for name in ("lat", "bra"):
        body = body.replace(f', "{name}"', f',\n      "{name}"')
    storage = shlex.quote(str(settings.storage_path))
    click.echo(
        f"""
Go on with
  REE_STORAGE_PATH={storage} {shlex.quote(running_command())} serve
and, in another terminal,
  curl -sS '{url}/estimate?valuation_date={VALUATION_DATE}' \\
    -H 'Content-Type: application/json' \\
    -d '{body}'"""
    )


def running_command() -> str:
    """How this program was called, to be called again."""
    called = sys.argv[0]
    found = shutil.which("ree")
    if not called or called == "-c" or (found and Path(found) == Path(called)):
        return "ree"
    return called
