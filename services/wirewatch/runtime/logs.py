"""Structured logging: coloured lines for people, JSON for machines, one event a line."""

import logging
import sys
from typing import Any, TextIO

import structlog

from wirewatch.runtime.settings import LogFormat, Settings

_NOISY = {"aiokafka": logging.ERROR, "faust": logging.ERROR, "mode": logging.ERROR}
"""Libraries whose own lines repeat what our events say; their errors still come through."""


REPEAT_AFTER_S = 60.0
MAX_REMEMBERED = 1_000


class _OnceAMinute(logging.Filter):
    """Lets the same line of a noisy library through once in REPEAT_AFTER_S.

    While Kafka is away aiokafka says so dozens of times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in _NOISY:
            return True
        key = (record.name, str(record.msg))
        if record.created - self._last.get(key, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        if len(self._last) >= MAX_REMEMBERED:
            self._last.clear()
        self._last[key] = record.created
        return True


def set_up_logging(settings: Settings, service: str, stream: TextIO = sys.stderr) -> None:
    """Send structlog's and the standard library's log lines to `stream`, all of one shape."""
    shared: list[structlog.typing.Processor] = [
        _naming(service, settings.instance),
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    handler = logging.StreamHandler(stream)
    handler.addFilter(_OnceAMinute())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(settings.log_format, stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in _NOISY.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _naming(service: str, instance: str) -> structlog.typing.Processor:
    """Return what puts the process's names into each line, also into those of other threads."""

    def name(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"service": service, "instance": instance, **event}

    return name


def _renderers(log_format: LogFormat, stream: TextIO) -> list[structlog.typing.Processor]:
    console = log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and stream.isatty())
    if console:
        # By default, with rich installed, a traceback shows local variables: secrets as well.
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def get_logger(room: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a room; each line says which room wrote it."""
    # Not `.bind(room=…)`: that would settle on the configuration of this moment, the import.
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(room, room=room)
    return logger
