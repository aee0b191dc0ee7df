"""Say times and names in words. Pure: `now` is an argument."""

from collections.abc import Sequence
from datetime import datetime, timedelta

MAX_NAMED = 5
"""Names that a sentence lists; those of a longer list are counted."""
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def span(length: timedelta) -> str:
    """Return `length` in its largest whole unit: `3 minutes`; `a moment` below one second."""
    seconds = int(length.total_seconds())
    for unit, size in _UNITS:
        if seconds >= size:
            return count(seconds // size, unit)
    return "a moment"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago `then` was: `3 minutes ago`, `just now`."""
    return "just now" if now - then < timedelta(seconds=1) else f"{span(now - then)} ago"


def ahead(then: datetime, now: datetime) -> str:
    """Return how far ahead `then` is: `in 3 minutes`, `now`."""
    return "now" if then - now < timedelta(seconds=1) else f"in {span(then - now)}"


def count(number: int, noun: str, nouns: str = "") -> str:
    """Return `1 feed`, `2 feeds`; `nouns` where the plural is not made with an s."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {nouns or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """Return the first few of `names`, and how many more there are."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
