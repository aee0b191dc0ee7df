"""How often a publisher asks to be fetched, out of what RSS says of it. Pure."""

from datetime import timedelta

_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAX_TTL_MINUTES = 525_600
"""A year; who writes more means something else."""


def ttl(text: str) -> timedelta | None:
    """Return the minutes in `text` as a time; None where it is none."""
    minutes = _number(text)
    return timedelta(minutes=min(minutes, _MAX_TTL_MINUTES)) if minutes else None


def update_every(period: str, frequency: str) -> timedelta | None:
    """Return how long `frequency` updates in each `period` lie apart; None where both are empty.

    RSS 1.0 sets daily and once where one of them is missing.
    """
    if not period and not frequency:
        return None
    every = _PERIODS.get(period.strip().lower() or "daily")
    return every / (_number(frequency) or 1) if every else None


def hour(text: str) -> int | None:
    """Return the hour in `text`, 0 to 23; RSS 0.91 calls midnight 24."""
    number = _number(text)
    return number % 24 if number is not None and number <= 24 else None


def day(text: str) -> int | None:
    """Return the day of the week in `text`; Monday is 0."""
    name = text.strip().lower()
    return _DAYS.index(name) if name in _DAYS else None


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
