"""Log lines on standard error, for people or for machines."""

import logging
import os
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

OURS = ("ree", "gunicorn")
_HANDLER = "ree"
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""On every line that is written while a request is answered, or a task done that came of one."""
RUN_ID: ContextVar[str | None] = ContextVar("run_id", default=None)
"""On every line of a retrain."""
MODEL_VERSION: ContextVar[str | None] = ContextVar("model_version", default=None)
"""On every line about what a version did, or what is done to it."""
_IDS = (REQUEST_ID, RUN_ID, MODEL_VERSION)


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes records, and lines that are ready as they are."""

    def __init__(self, stream: TextIO | None, format: str) -> None:
        super().__init__(stream)
        self.set_name(_HANDLER)
        self.as_json = format == "json"
        self._file = _file_of(self.stream)

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


def configure_logs(level: str, format: str = "console", *, stream: TextIO | None = None) -> None:
    """Lines of *level* and above on *stream* (standard error); of libraries the warnings.

    *format* is `console`, or `json` for one object a line. Tracebacks never show local variables:
    they can hold keys and whole requests.
    """
    handler = LineHandler(stream, format)
    prepare: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_ids,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_json() if handler.as_json else _console(handler)),
            ],
            foreign_pre_chain=prepare,
        )
    )
    structlog.configure(
        processors=[*prepare, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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


def info_lines() -> LineHandler | None:
    """Where lines of level INFO go; None where nobody asked for them."""
    if _OURS.isEnabledFor(logging.INFO):
        for handler in _ROOT.handlers:
            if isinstance(handler, LineHandler):
                return handler
    return None


def _file_of(stream: TextIO) -> int | None:
    """None of a stream in memory."""
    with suppress(OSError, ValueError, AttributeError):
        return stream.fileno()
    return None


_ROOT = logging.getLogger()
_OURS = logging.getLogger(OURS[0])


def _with_ids(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    known = {variable.name: variable.get() for variable in _IDS}
    return {**event, **{name: value for name, value in known.items() if value is not None}}


def _console(handler: LineHandler) -> list[structlog.typing.Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=handler.stream.isatty(),
            pad_event_to=0,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def _json() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
