"""What a log must not tell."""

import io
import logging

import structlog

from wirewatch.runtime.logs import LogFormat, _renderers


def fail(secret: str) -> None:
    raise ValueError(f"seen {len(secret)}")


def test_a_traceback_on_the_console_shows_no_variables() -> None:
    [render] = _renderers(LogFormat.CONSOLE, io.StringIO())
    hidden = f"whsec_{len(__name__)}"
    try:
        fail(hidden)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    event: structlog.typing.EventDict = {"event": "failed", "exc_info": info}
    line = str(render(logging.getLogger(), "error", event))
    assert "ValueError: seen" in line
    assert hidden not in line
