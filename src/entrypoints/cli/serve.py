"""`ree serve`."""

import click

from .door import open_container


@click.command(short_help="Serve the HTTP API.")
@click.option("--host", help="Address to listen on; else REE_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; else REE_PORT.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer.",
)
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Serve the HTTP API until it is told to stop."""
    container = open_container()
    settings = container.settings()

    from ..api.server import serve as serve_api

    serve_api(
        container,
        settings.host if host is None else host,
        settings.port if port is None else port,
        workers,
    )
