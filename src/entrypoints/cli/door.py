"""What the commands share: the container, who asks, dates, and JSON on standard output."""

import getpass
import json
import warnings
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..dates import day
from .commands import one_line, tell

if TYPE_CHECKING:
    from ...container import Container

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def day_option(name: str, words: str, *, required: bool = False) -> Callable[[F], F]:
    """An option that takes a date."""

    def read(text: str) -> date:
        try:
            return day(text)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not a date as 2026-01-31") from None

    return click.option(name, type=read, required=required, metavar="YYYY-MM-DD", help=words)


def why_option(words: str, *, required: bool = False) -> Callable[[F], F]:
    """An option that takes a reason."""

    def read(text: str) -> str:
        if reason := one_line(text):
            return reason
        raise click.BadParameter("say why, in a few words")

    return click.option("--why", type=read, required=required, metavar="TEXT", help=words)


def open_container() -> "Container":
    """Everything wired, the settings read; what they warn of is a line on standard error."""
    from ...container import Container
    from ..logs import configure_logs

    container = Container()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = container.settings()
    configure_logs(settings.log_level, settings.log_format, secrets=settings.secrets)
    for warning in caught:
        tell("Warning", warning.message)
    return container


def asked_by() -> str:
    """The person at the keyboard."""
    try:
        return f"cli:{one_line(getpass.getuser())}"
    except (ImportError, KeyError, OSError):
        return "cli:unknown"


def print_json(document: Any) -> None:
    """One document; JSON is UTF-8 whatever the terminal is."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    click.echo(text.encode("utf-8", "backslashreplace"))
