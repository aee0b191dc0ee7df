"""A pace from the words of a command line, and a pace in words. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from wirewatch.notify.pacing import instant, next_digest_at, zone_of
from wirewatch.runtime.errors import Problem
from wirewatch.topics.subscriptions import MAX_SNOOZE, Pace, QuietHours

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SHOWN_MUTES = 5
"""Mutes told by name; of more the number is."""

_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"(?:[0-9]{1,8}[smhdw])+")
_PART = re.compile(r"([0-9]+)([smhdw])")
_SPAN = re.compile(r"([0-9:]+)-([0-9:]+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command line says of a pace; what it leaves out stays as it is."""

    every: str | None = None
    at: Sequence[str] = ()
    most_per_hour: int | None = None
    quiet: Sequence[str] = ()
    quiet_days: str | None = None
    zone: str | None = None
    at_once: bool = False

    def __bool__(self) -> bool:
        return self != Wanted()

    def of(self, pace: Pace) -> Pace:
        """Return `pace` changed so. Raises Problem.

        The schedule and the most an hour stand for one another: who names one of
        them drops the others. At once drops the quiet hours too. Mutes and a
        snooze stay.
        """
        if self.at_once:
            pace = replace(pace, every_min=None, at=(), most_per_hour=None, quiet=())
        if self.every is not None or self.at or self.most_per_hour is not None:
            every_min = None if self.every is None else read_minutes(self.every)
            pace = replace(
                pace, every_min=every_min, at=tuple(self.at), most_per_hour=self.most_per_hour
            )
        if self.quiet:
            days = () if self.quiet_days is None else read_days(self.quiet_days)
            pace = replace(pace, quiet=tuple(_quiet(span, days) for span in self.quiet))
        elif self.quiet_days is not None:
            raise Problem("--quiet-days says on which days --quiet begins: give that too.")
        return pace if self.zone is None else replace(pace, time_zone=self.zone)


def read_minutes(text: str) -> int:
    """Return the minutes that `30`, `30m`, `2h` or `1d` mean. Raises Problem."""
    if text.isascii() and text.isdigit() and len(text) <= 8:
        return int(text)
    try:
        return int(read_duration(text) / timedelta(minutes=1))
    except Problem as problem:
        raise Problem(
            f"--every {text} is not a number of minutes: write 30, or 30m, 2h, 1d."
        ) from problem


def read_duration(text: str) -> timedelta:
    """Return how long `2h`, `90m` or `1d12h` is. Raises Problem."""
    if not _DURATION.fullmatch(text):
        raise Problem(f"{text} is not a duration: write 30m, 2h, 3d or 1w.")
    seconds = sum(int(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
    return min(timedelta(seconds=min(seconds, 10**9)), 100 * MAX_SNOOZE)


def read_until(text: str, zone: str) -> datetime:
    """Return the moment of an ISO 8601 time, in `zone` where it names none. Raises Problem."""
    try:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo is not None else instant(at, zone_of(zone)[0])
    except (ValueError, OverflowError) as error:
        raise Problem(f"--until {text} is not a time: write 2026-12-01T08:00.") from error


def read_days(text: str) -> tuple[int, ...]:
    """Return the days of `mon-fri` or `sat,sun`, 0 for Monday. Raises Problem."""
    days: dict[int, None] = {}
    for part in text.lower().split(","):
        first, dash, last = part.strip().partition("-")
        start = _day(first, text)
        end = _day(last, text) if dash else start
        days |= dict.fromkeys((start + ahead) % 7 for ahead in range((end - start) % 7 + 1))
    return tuple(sorted(days))


def _day(text: str, whole: str) -> int:
    name = text.strip()
    for number, day in enumerate(DAYS):
        if len(name) >= 3 and day.lower().startswith(name):
            return number
    raise Problem(f"--quiet-days {whole} are not days: write mon-fri, or sat,sun.")


def _quiet(text: str, days: tuple[int, ...]) -> QuietHours:
    span = _SPAN.fullmatch(text.replace(" ", ""))
    if span is None:
        raise Problem(f"--quiet {text} is not a span of the day: write 22:00-07:00.")
    return QuietHours(start=span[1], end=span[2], days=days)


def in_words(pace: Pace, now: datetime) -> str:
    """Return when a subscriber is told, in sentences, with the time of the next digest."""
    sentences = [_rhythm(pace)]
    sentences += [_quiet_words(hours) for hours in pace.quiet]
    if pace.snoozed_until is not None and pace.snoozed_until > now:
        sentences.append(f"Snoozed until {in_zone(pace.snoozed_until, pace.time_zone)}.")
    sentences += _mutes(pace)
    if (due := next_digest_at(pace, now=now)) is not None:
        sentences.append(f"The next digest is due {in_zone(due, pace.time_zone)}.")
    elif pace.quiet:
        sentences.append(f"Times are those of {pace.time_zone}.")
    return " ".join(sentences)


def in_zone(at: datetime, zone: str) -> str:
    """Return a moment as a clock in `zone` shows it, with the zone."""
    known, problem = zone_of(zone)
    return f"{at.astimezone(known):%Y-%m-%d %H:%M} {'UTC' if problem else zone}"


def _rhythm(pace: Pace) -> str:
    parts = [] if pace.every_min is None else [_every(pace.every_min)]
    if pace.at:
        parts.append(f"at {_listed(sorted(pace.at))}")
    if parts:
        return f"In a digest {' and '.join(parts)}."
    if pace.most_per_hour is not None:
        return f"At once, at most {pace.most_per_hour} an hour; the rest in a digest."
    return "At once."


def _every(minutes: int) -> str:
    for length, unit in ((10_080, "week"), (1_440, "day"), (60, "hour"), (1, "minute")):
        if minutes % length == 0:
            count = minutes // length
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return ""


def _quiet_words(hours: QuietHours) -> str:
    days = f", beginning on {_day_words(hours.days)}" if hours.days else ""
    return f"Quiet from {hours.start} to {hours.end}{days}."


def _day_words(days: Sequence[int]) -> str:
    ordered = sorted(set(days))
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{DAYS[ordered[0]]} to {DAYS[ordered[-1]]}"
    return _listed([DAYS[day] for day in ordered])


def _mutes(pace: Pace) -> list[str]:
    return [
        f"Muted {noun}: {_few(mutes)}."
        for noun, mutes in (("sources", pace.muted_sources), ("stories", pace.muted_stories))
        if mutes
    ]


def _few(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_MUTES
    return ", ".join(names[:SHOWN_MUTES]) + (f" and {more} more" if more > 0 else "")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
