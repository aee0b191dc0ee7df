"""Times as a person writes and reads them, in UTC. Pure."""

import re
from datetime import UTC, datetime, timedelta

from wirewatch.runtime.errors import Problem

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"(\d{1,6})\s*([smhd])")


def read_time(text: str, option: str, now: datetime) -> datetime:
    """Return the time that `text` names: so long ago (`90s`, `15m`, `6h`, `2d`), or a date.

    A date without a zone is in UTC. Raises Problem.
    """
    if span := _SPAN.fullmatch(text.strip()):
        return now - timedelta(seconds=int(span[1]) * _UNITS[span[2]])
    try:
        at = datetime.fromisoformat(text.strip())
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Problem(
            f"{option} {text} is no time: write how long ago (90s, 15m, 6h, 2d) "
            "or a time in UTC (2026-11-25T08:00)."
        ) from error


def stamp(at: datetime) -> str:
    """Return `at` to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def parameter(at: datetime) -> str:
    """Return `at` as the API takes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def took(milliseconds: int) -> str:
    """Return how long something took: `12 ms`, `15.0 s`."""
    return f"{milliseconds} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"
