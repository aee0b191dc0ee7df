"""The time, as something that can be handed in."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time, aware UTC."""


def utc_now() -> datetime:
    """Return the current time, aware UTC."""
    return datetime.now(UTC)
