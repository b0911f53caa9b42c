"""Log lines on standard error, for people or for machines."""

import logging
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

from .discretion import exceptions_without_words, mask_of

OURS = {"ree": logging.DEBUG, "gunicorn": logging.INFO}
"""Whose lines below WARNING may be seen, and from which level on."""
_HANDLER = "ree"
_FIRST = ("timestamp", "level", "event", "logger", "request_id", "run_id", "model_version")
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""On every line that is written while a request is answered, or a task done that came of one."""
_REQUEST_ID = re.compile("[A-Za-z0-9._-]{1,64}", re.ASCII)
RUN_ID: ContextVar[str | None] = ContextVar("run_id", default=None)
"""On every line of a retrain."""
MODEL_VERSION: ContextVar[str | None] = ContextVar("model_version", default=None)
"""On every line about what a version did, or what is done to it."""
_IDS = (REQUEST_ID, RUN_ID, MODEL_VERSION)


def request_id(given: object) -> str:
    """What somebody gave as one, if it is well formed; else a new one."""
    return well_formed_id(given) or os.urandom(16).hex()


def well_formed_id(given: object) -> str | None:
    """An id that no line is broken or forged by; None for anything else."""
    return given if isinstance(given, str) and _REQUEST_ID.fullmatch(given) else None


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes records, and lines that are ready as they are."""

    def __init__(self, stream: TextIO | None, format: str, secrets: Collection[str]) -> None:
        super().__init__(stream)
        self.set_name(_HANDLER)
        self.as_json = format == "json"
        self.masked = mask_of(secrets)
        self._file = _file_of(self.stream)

    def handle(self, record: logging.LogRecord) -> Any:
        """Of libraries the warnings, whatever level somebody gave their loggers."""
        family = record.name.partition(".")[0]
        return record.levelno >= OURS.get(family, logging.WARNING) and super().handle(record)

    def format(self, record: logging.LogRecord) -> str:
        return self.masked(super().format(record))

    def line(self, text: str) -> None:
        """Write a line in one piece, past the stream's buffer, which every record leaves empty.

        A stream that is gone fails nothing.
        """
        try:
            if self._file is None:
                self.stream.write(text + "\n")
            else:
                os.write(self._file, f"{text}\n".encode())
        except (OSError, ValueError):
            pass


def configure_logs(
    level: str,
    format: str = "console",
    *,
    stream: TextIO | None = None,
    secrets: Collection[str] = (),
) -> None:
    """Lines of *level* and above on *stream* (standard error); of libraries the warnings.

    *format* is `console`, or `json` for one object a line. What is in *secrets* is masked, should a
    line have it after all.
    """
    handler = LineHandler(stream, format, secrets)
    prepare: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
        _without_message,
        _with_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                exceptions_without_words,
                *(_json() if handler.as_json else _console(handler)),
            ],
            foreign_pre_chain=prepare,
        )
    )
    structlog.configure(
        processors=[_not_twice, *prepare, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.get_name() == _HANDLER]:
        root.removeHandler(old)
    root.addHandler(handler)
    for name in OURS:
        logging.getLogger(name).setLevel(level)


def lines() -> LineHandler | None:
    """What writes them, once it is configured."""
    for handler in _ROOT.handlers:
        if isinstance(handler, LineHandler):
            return handler
    return None


def info_lines() -> LineHandler | None:
    """Where lines of level INFO go; None where nobody asked for them."""
    return lines() if _OURS.isEnabledFor(logging.INFO) else None


@contextmanager
def lines_on(stream: TextIO) -> Iterator[None]:
    """Write there meanwhile, as around a bar, which lines that it does not know of would tear."""
    handler = lines()
    before = None if handler is None else handler.setStream(stream)
    try:
        yield
    finally:
        if handler is not None and before is not None:
            handler.setStream(before)


def _file_of(stream: TextIO) -> int | None:
    """None of a stream in memory."""
    with suppress(OSError, ValueError, AttributeError):
        return stream.fileno()
    return None


_ROOT = logging.getLogger()
_OURS = logging.getLogger("ree")


def _without_message(
    _: Any, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """What another handler left in the record; it is the event."""
    event.pop("message", None)
    return event


def _with_ids(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An id that the line itself tells is nearer to it than what surrounds it."""
    told = {variable.name: event.pop(variable.name, None) or variable.get() for variable in _IDS}
    return {**event, **{name: value for name, value in told.items() if value is not None}}


def _not_twice(
    logger: Any, _: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """stamina tells of an attempt what ours tells too, but with every argument."""
    if logger.name.startswith("stamina"):
        raise structlog.DropEvent
    return event


def _in_order(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {**{name: event[name] for name in _FIRST if name in event}, **event}


def _without_logger(
    _: Any, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A person knows by the event."""
    event.pop("logger", None)
    return event


def _console(handler: LineHandler) -> list[structlog.typing.Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=handler.stream.isatty(), pad_event_to=0, sort_keys=False
    )
    return [_without_logger, renderer]


def _json() -> list[structlog.typing.Processor]:
    return [_in_order, structlog.processors.JSONRenderer()]
