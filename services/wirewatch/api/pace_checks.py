"""Which paces a subscription may have. Pure.

A mistake is said in words that follow the field's name, as in `checks`.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

from msgspec import UNSET

from wirewatch.api.bodies import MuteBody, PaceBody, QuietBody, SnoozeBody
from wirewatch.api.errors import FieldError, Invalid
from wirewatch.topics.subscriptions import MAX_EVERY_MIN, MAX_SNOOZE, Pace
from wirewatch.web.hosts import MAX_HOST_CHARS, comparable_host

MAX_MOST_PER_HOUR = 1_000
MAX_AT = 24
MAX_QUIET = 7
MAX_MUTES = 200
"""Sources and stories together."""
MAX_STORY_CHARS = 100
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
NOT_FOR_PEOPLE = frozenset({"Factory", "localtime"})
"""Files of the time zone database that name no place."""

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LABEL = r"[a-z0-9_\-\u00a1-\ud7ff\ue000-\U0010ffff]{1,63}"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_STORY = re.compile(rf"[\x21-\x7e]{{1,{MAX_STORY_CHARS}}}")


def pace_mistakes(pace: PaceBody, now: datetime) -> Iterator[FieldError]:
    """Yield what is wrong with a pace, field by field."""
    found = {
        "every_min": _number(pace.every_min, MAX_EVERY_MIN),
        "at": _at(pace.at),
        "most_per_hour": _number(pace.most_per_hour, MAX_MOST_PER_HOUR),
        "quiet": _quiet(pace.quiet),
        "snoozed_until": None if pace.snoozed_until is None else _snooze(pace.snoozed_until, now),
        "muted_sources": next(filter(None, map(_source, pace.muted_sources)), None),
        "muted_stories": next(filter(None, map(_story, pace.muted_stories)), None),
        "time_zone": _time_zone(pace.time_zone),
    }
    mutes = len(pace.muted_sources) + len(pace.muted_stories)
    if mutes > MAX_MUTES:
        found["muted_sources"] = f"and stories are {mutes}, at most {MAX_MUTES} are allowed"
    for field, message in found.items():
        if message is not None:
            yield FieldError(f"pace.{field}", message)


def check_snooze(body: SnoozeBody, now: datetime) -> None:
    """Raise Invalid if it does not say how long, or a time that is not allowed."""
    if (body.until is UNSET) == (body.for_s is UNSET):
        raise Invalid([FieldError("until", "is required, or for_s in its place, and not both")])
    if body.until is not UNSET and (message := _snooze(body.until, now)) is not None:
        raise Invalid([FieldError("until", message)])
    longest = MAX_SNOOZE.total_seconds()
    if body.for_s is not UNSET and not 1 <= body.for_s <= longest:
        raise Invalid([FieldError("for_s", f"must be 1 to {longest:.0f} seconds")])


def check_mute(body: MuteBody) -> None:
    """Raise Invalid if it does not name one source or one story."""
    if (body.source is UNSET) == (body.story is UNSET):
        raise Invalid([FieldError("source", "is required, or story in its place, and not both")])
    if body.source is not UNSET and (message := _source(body.source)) is not None:
        raise Invalid([FieldError("source", message)])
    if body.story is not UNSET and (message := _story(body.story)) is not None:
        raise Invalid([FieldError("story", message)])


def check_mute_count(pace: Pace) -> None:
    """Raise Invalid if no more can be muted."""
    if len(pace.muted_sources) + len(pace.muted_stories) >= MAX_MUTES:
        said = f"is one more than the {MAX_MUTES} mutes there can be: remove one first"
        raise Invalid([FieldError("mute", said)])


def _number(value: int | None, most: int) -> str | None:
    if value is None or 1 <= value <= most:
        return None
    return f"must be a whole number from 1 to {most}"


def _at(times: Sequence[str]) -> str | None:
    if len(times) > MAX_AT:
        return f"has {len(times)} times, at most {MAX_AT} are allowed"
    if (message := next(filter(None, map(_time, times)), None)) is not None:
        return message
    return "must hold times that differ from one another" if len(set(times)) < len(times) else None


def _quiet(quiet: Sequence[QuietBody]) -> str | None:
    if len(quiet) > MAX_QUIET:
        return f"has {len(quiet)} entries, at most {MAX_QUIET} are allowed"
    for hours in quiet:
        if (message := _quiet_hours(hours)) is not None:
            return message
    if len({minute for hours in quiet for minute in _minutes(hours)}) == WEEK_MIN:
        return "leaves no time of the week to tell anything: pause the subscription instead"
    return None


def _quiet_hours(hours: QuietBody) -> str | None:
    if (message := _time(hours.start) or _time(hours.end)) is not None:
        return message
    if hours.start == hours.end:
        return (
            f"begins and ends at {hours.start}: a whole day is two entries, "
            "00:00 to 12:00 and 12:00 to 00:00"
        )
    if any(not 0 <= day <= 6 for day in hours.days):
        return "has days that are not 0 (Monday) to 6 (Sunday)"
    return "names a day twice" if len(set(hours.days)) < len(hours.days) else None


def _time(text: str) -> str | None:
    if _TIME.fullmatch(text):
        return None
    return f"{text[:20]!r} is not a time of the day such as 08:00 or 22:30"


def _minutes(hours: QuietBody) -> Iterator[int]:
    """Yield the minutes of a week that are quiet."""
    start, end = _minute(hours.start), _minute(hours.end)
    length = (end - start) % DAY_MIN
    for day in hours.days or range(7):
        for minute in range(length):
            yield (day * DAY_MIN + start + minute) % WEEK_MIN


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _snooze(until: datetime, now: datetime) -> str | None:
    if until <= now:
        return "must be in the future"
    if until - now > MAX_SNOOZE:
        return f"must be at most {MAX_SNOOZE / timedelta(days=1):.0f} days from now"
    return None


def _source(source: str) -> str | None:
    host = comparable_host(source[: 2 * MAX_HOST_CHARS])
    if len(source) <= MAX_HOST_CHARS and _HOST.fullmatch(host):
        return None
    return f"{source[:50]!r} is not a host such as news.example.org"


def _story(story: str) -> str | None:
    if _STORY.fullmatch(story):
        return None
    return f"{story[:50]!r} is not the id of a story"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - NOT_FOR_PEOPLE


def _time_zone(name: str) -> str | None:
    if name in _zones():
        return None
    wanted = name.replace(" ", "_").lower()
    close = next((zone for zone in sorted(_zones()) if zone.lower() == wanted), "Europe/Berlin")
    return f"{name[:50]!r} is not a time zone of the IANA database, such as {close}"
