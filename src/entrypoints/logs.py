"""Log lines that people read, on standard error."""

import logging
from typing import TextIO

import structlog

OURS = ("ree", "gunicorn")
_HANDLER = "ree"


def configure_logs(level: str, *, stream: TextIO | None = None) -> None:
    """Lines of *level* and above on *stream* (standard error); of libraries the warnings.

    Tracebacks never show local variables: they can hold keys and whole requests.
    """
    handler = logging.StreamHandler(stream)
    handler.set_name(_HANDLER)
    prepare: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.dev.ConsoleRenderer(
        colors=handler.stream.isatty(),
        pad_event_to=0,
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
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
