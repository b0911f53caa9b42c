"""The group of commands, imported one by one, and what their failures look like."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click

from ...domain.errors import ReeError

FAILED, REFUSED_BY_GATE, INTERRUPTED = 1, 3, 130


class Commands(click.Group):
    """Commands by name with a line about each; the module of one is imported when it is asked for.

    Whatever fails is told in one line on standard error.
    """

    def __init__(self, name: str, lines: Mapping[str, str], **attrs: Any) -> None:
        super().__init__(name, **attrs)
        self.lines = lines
        version = click.version_option(
            package_name="ree-norway", message="ree %(version)s", help="Show the version."
        )
        version(self)

    def list_commands(self, _: click.Context) -> list[str]:
        return list(self.lines)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lines:
            return None
        module = import_module(f".{cmd_name}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lines.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        run = super().main
        sys.exit(_told(lambda: run(*args, **(kwargs | {"standalone_mode": False}))))


def one_line(text: object) -> str:
    """A text that cannot break out of its line, nor steer a terminal."""
    joined = " ".join(str(text).split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in joined)


def _told(run: Callable[[], object]) -> int:
    """The exit code of a command, its failure told."""
    try:
        code = run()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "ree"
        tell("Error", f"{error.format_message().rstrip('.')}. See '{path} --help'.")
        return error.exit_code
    except click.ClickException as error:
        tell("Error", error.format_message())
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except ReeError as error:
        tell("Error", error)
        return FAILED
    except OSError as error:
        name = f"{error.filename}: " if error.filename is not None else ""
        tell("Error", f"{name}{error.strerror or error}")
        return FAILED
    except Exception as error:
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> int:
    from ..logs import lines

    out, words = lines(), one_line(error) or "no details"
    what = f"unexpected {type(error).__name__}"
    if out is not None:
        import structlog

        structlog.get_logger(__name__).debug("command_broke", exc_info=error)
    elif os.environ.get("REE_LOG_LEVEL") == "DEBUG":
        import traceback

        traceback.print_exc()
    if out is None or not out.as_json:  # what was read may be in the words, and a log is kept
        what = f"{what}: {words}"
    tell("Error", f"{what}; run with REE_LOG_LEVEL=DEBUG for details")
    return FAILED


def tell(kind: str, message: object) -> None:
    """An Error or a Warning in one line on standard error, an object where all lines are."""
    from ..logs import lines

    text, out = one_line(message), lines()
    if out is None:
        click.echo(f"{kind}: {text}", err=True)
    elif out.as_json:
        import structlog

        log = structlog.get_logger(__name__)
        (log.error if kind == "Error" else log.warning)(f"command_{kind.lower()}", reason=text)
    else:
        click.echo(out.masked(f"{kind}: {text}"), err=True)
