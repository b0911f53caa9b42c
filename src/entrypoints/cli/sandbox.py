"""`ree sandbox`."""

from functools import partial
from pathlib import Path

import click

from ...domain.errors import ReeError


@click.group(short_help="A market API to try things on.")
def sandbox() -> None:
    """A market API to try things on."""


class UnreadableSales(ReeError):
    """A file of sales that cannot be replayed."""


def share(text: str) -> float:
    """0 to 1; click.BadParameter."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise click.BadParameter(f"{text!r} is not a share between 0 and 1")
    return value


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8099,
    show_default=True,
    help="Port to listen on; 0 is any free one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Replay the sales of a CSV file instead of simulating them.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=2026,
    show_default=True,
    help="What the simulated market and its faults are drawn from.",
)
@click.option(
    "--fault-rate",
    type=share,
    default="0",
    metavar="SHARE",
    help="Share of requests that fail, 0 to 1.",
)
@click.option(
    "--latency-ms", type=click.IntRange(0, 600_000), default=0, help="Delay of each answer."
)
@click.option("--require-key", metavar="KEY", help="Refuse requests without this Apikey.")
def serve(
    host: str,
    port: int,
    data: Path | None,
    seed: int,
    fault_rate: float,
    latency_ms: int,
    require_key: str | None,
) -> None:
    """Serve a market API over HTTP.

    Its sales are simulated, or replayed from a file. It stops at Ctrl-C.
    """
    if require_key is not None and not require_key:
        raise click.UsageError("--require-key needs a key.")

    from ...adapters.sandbox.faults import Faults
    from ...adapters.sandbox.market import Market
    from ...adapters.sandbox.replay import ReplayedMarket
    from ...adapters.sandbox.running import serve as serve_market
    from ...adapters.sandbox.simulator import SimulatedMarket

    market: Market
    if data is None:
        market, what = SimulatedMarket(seed=seed), f"simulated sales, seed {seed}"
    else:
        try:
            market, what = ReplayedMarket.from_csv(data), f"the sales of {data}"
        except ValueError as error:
            raise UnreadableSales(str(error)) from None
    faults = Faults(
        fault_rate=fault_rate, latency_ms=latency_ms, require_key=require_key, seed=seed
    )
    try:
        serve_market(market, host, port, faults, partial(_announce, what))
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), f"{host}:{port}") from None


def _announce(what: str, base_url: str) -> None:
    click.echo(f"A market API with {what}. Stop it with Ctrl-C; use it with")
    click.echo(f"  export REE_API_BASE_URL={base_url}")
