"""Decide when a subscriber is told of an alert: at once, later with others, or never.

Pure: the alert, the subscription's pace, what was told in this hour and the time
come in, a decision goes out. `notify.intake` acts on it.

Mutes come first. Then the schedule or, without one, the most an hour says when the
alert would be told; quiet hours and a snooze only ever delay that, to their end.
A pace may come from anywhere: what the API would refuse counts as not given.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from wirewatch.topics.alerts import Alert
from wirewatch.topics.digests import DigestWhy
from wirewatch.topics.subscriptions import MAX_EVERY_MIN, MAX_SNOOZE, Pace
from wirewatch.web.hosts import comparable_host, parents_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STEADY_MIN = 60
"""Steps up to this go on through the hour in which clocks are put back; longer ones follow the
clock, so that a digest at noon stays at noon."""
MAX_QUIET = timedelta(days=8)
"""Quiet hours that follow one another for more than a week leave no time to tell anything: they
count as not given. The eighth day is for clocks that are put back."""
MAX_HOLD = MAX_SNOOZE + MAX_QUIET
"""No alert is held for longer: a snooze, and quiet hours that begin before its end."""
ZONES_REMEMBERED = 1_024
MUTES_REMEMBERED = 4_096
INSTANTS_REMEMBERED = 16_384
"""Alerts come in crowds: those of one day ask for the same times."""

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001 - a reading of a clock, whatever its zone


@dataclass(frozen=True, slots=True)
class Window:
    """The hour of a subscription and endpoint that began with an alert, and how many were told."""

    begins_at: datetime
    told: int

    def is_over(self, now: datetime) -> bool:
        """Say whether another hour begins with the next alert, also after a clock was set back."""
        return not self.begins_at <= now < self.ends_at

    @property
    def ends_at(self) -> datetime:
        """When what was held in it is told."""
        return self.begins_at + HOUR


@dataclass(frozen=True, slots=True)
class Tell:
    """Deliver it now. Where `pace.most_per_hour` is given, `next_window` counts it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Tell it in a digest at `until`. `detail` says what was wrong with the pace, if anything."""

    until: datetime
    why: DigestWhy
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Mute:
    """Tell nobody; `detail` says why."""

    detail: str


def decide(alert: Alert, pace: Pace, window: Window | None, *, now: datetime) -> Tell | Hold | Mute:
    """Say when `alert` is told; `window` is that of its subscription and endpoint, None at first.

    `why` names what delays it: the snooze or the quiet hours it was found in where
    they do, else the schedule or the rate. A hold ends after `now`, never within quiet
    hours or a snooze, and at most MAX_HOLD from now.
    """
    if detail := muted_by(alert, pace):
        return Mute(detail)
    zone, problem = zone_of(pace.time_zone)
    why: DigestWhy | None = None
    at = now
    if (slot := _next_slot(pace, zone, now)) is not None:
        at, why = slot, DigestWhy.SCHEDULE
    elif window is not None and _is_spent(pace, window, now):
        at, why = window.ends_at, DigestWhy.RATE
    until = _prolonged(at, pace, zone, now)
    if until > at and _prolonged(now, pace, zone, now) >= at:
        # Else the quiet hours that it was found in are over by then, and others have begun.
        why = _found_in(pace, zone, now) or why
    return Tell() if why is None else Hold(until, why, problem)


def next_window(window: Window | None, now: datetime) -> Window:
    """Return the window after one more alert was told at once."""
    if window is None or window.is_over(now):
        return Window(begins_at=now, told=1)
    return Window(begins_at=window.begins_at, told=window.told + 1)


def due_under(pace: Pace, held_for: DigestWhy, due_at: datetime, *, now: datetime) -> datetime:
    """Return when what is held until `due_at` is told under a pace that may be another by now.

    What is held for a reason that is gone is told now, as far as the rest of the
    pace lets it; `due_at` of what stays as it was does not change.
    """
    zone, _ = zone_of(pace.time_zone)
    at = now
    if due_at > now:
        slot = _next_slot(pace, zone, now)
        if slot is not None:
            at = slot
        elif held_for is DigestWhy.RATE and _limit(pace) is not None:
            at = min(due_at, now + HOUR)
    return _prolonged(at, pace, zone, now)


def next_digest_at(pace: Pace, *, now: datetime) -> datetime | None:
    """Return when the next digest is due, None where alerts are told at once."""
    zone, _ = zone_of(pace.time_zone)
    slot = _next_slot(pace, zone, now)
    until = _prolonged(slot or now, pace, zone, now)
    return until if until > now else None


def muted_by(alert: Alert, pace: Pace) -> str:
    """Return in words which mute holds for `alert`, empty if none does."""
    if alert.article.story_id in pace.muted_stories:
        return f"its story {alert.article.story_id} is muted"
    if pace.muted_sources:
        muted = _comparable(pace.muted_sources)
        for host in parents_of(comparable_host(alert.article.source)):
            if host in muted:
                return f"its source {host} is muted"
    return ""


@lru_cache(maxsize=MUTES_REMEMBERED)
def _comparable(hosts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(comparable_host, hosts)) - {""}


@lru_cache(maxsize=ZONES_REMEMBERED)
def zone_of(name: str) -> tuple[tzinfo, str]:
    """Return the time zone of this name, or UTC and in words why; never raises."""
    try:
        return ZoneInfo(name), ""
    except (KeyError, ValueError, OSError):
        return UTC, f"there is no time zone {name[:100]} here: times are read as UTC"


def _limit(pace: Pace) -> int | None:
    return pace.most_per_hour if pace.most_per_hour and pace.most_per_hour > 0 else None


def _is_spent(pace: Pace, window: Window, now: datetime) -> bool:
    limit = _limit(pace)
    return limit is not None and not window.is_over(now) and window.told >= limit


def _found_in(pace: Pace, zone: tzinfo, now: datetime) -> DigestWhy | None:
    if _snoozed_until(pace, now) > now:
        return DigestWhy.SNOOZE
    return DigestWhy.QUIET if _quiet_until(pace, zone, now) > now else None


def _prolonged(at: datetime, pace: Pace, zone: tzinfo, now: datetime) -> datetime:
    """Return the first time from `at` on that is neither snoozed nor quiet."""
    return _quiet_until(pace, zone, max(at, _snoozed_until(pace, now)))


def _snoozed_until(pace: Pace, now: datetime) -> datetime:
    """Return the end of the snooze, `now` where there is none."""
    until = pace.snoozed_until
    if until is None:
        return now
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return now if until <= now else min(until, now + MAX_SNOOZE).astimezone(UTC)


# Quiet hours


def _quiet_until(pace: Pace, zone: tzinfo, at: datetime) -> datetime:
    """Return the end of the quiet hours that `at` is in, `at` itself where it is in none."""
    end = at
    while end - at <= MAX_QUIET:
        later = max((to for since, to in _quiet(pace, zone, end) if since <= end < to), default=end)
        if later == end:
            return end
        end = later
    return at


def _quiet(pace: Pace, zone: tzinfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the quiet hours around `at`.

    They begin when their time first comes and end when it last does: nobody is
    woken in an hour that comes twice.
    """
    today = at.astimezone(zone).date()
    for hours in pace.quiet:
        start, end = read_time(hours.start), read_time(hours.end)
        if start is not None and end is not None and start != end:
            for day in (today - DAY, today, today + DAY):
                if not hours.days or day.weekday() in hours.days:
                    last = day if start < end else day + DAY
                    yield (
                        instant(datetime.combine(day, start), zone),
                        instant(datetime.combine(last, end), zone, last=True),
                    )


# Schedules


def _next_slot(pace: Pace, zone: tzinfo, now: datetime) -> datetime | None:
    """Return when the schedule has its next digest after `now`, None without a schedule."""
    slots = []
    if pace.every_min is not None and 0 < pace.every_min <= MAX_EVERY_MIN:
        step = timedelta(minutes=pace.every_min)
        next_step = _steady if pace.every_min <= STEADY_MIN else _by_the_clock
        slots.append(next_step(step, zone, now))
    times = [at for at in map(read_time, pace.at) if at is not None]
    if times:
        slots.append(_at(times, zone, now))
    return min(slots, default=None)


def _at(times: list[time], zone: tzinfo, now: datetime) -> datetime:
    day = now.astimezone(zone).date()
    while True:  # today, or tomorrow; Apia once had no Friday
        slots = (instant(datetime.combine(day, at), zone) for at in times)
        if (slot := min((slot for slot in slots if slot > now), default=None)) is not None:
            return slot
        day += DAY


def _steady(step: timedelta, zone: tzinfo, now: datetime) -> datetime:
    """Return the next multiple of `step` after midnight, counted as time passes."""
    today = now.astimezone(zone).date()
    midnight = instant(datetime.combine(today, time()), zone)
    slot = midnight + ((now - midnight) // step + 1) * step
    # Where clocks are put back from 00:01 to 23:01, midnight comes twice.
    tomorrow = datetime.combine(today + DAY, time())
    ends = (instant(tomorrow, zone, last=last) for last in (False, True))
    return min(slot, *(end for end in ends if end > now))


def _by_the_clock(step: timedelta, zone: tzinfo, now: datetime) -> datetime:
    """Return the next multiple of `step` that the clock shows.

    Counted from midnight; a step of more than a day from midnight of a Monday.
    """
    shown = now.astimezone(zone).replace(tzinfo=None, fold=0)
    slot = _multiple(step, shown)
    while (at := instant(slot, zone)) <= now:  # it was there already, before clocks were put back
        slot = _multiple(step, slot)
    return at


def _multiple(step: timedelta, shown: datetime) -> datetime:
    """Return the first multiple of `step` after this reading of the clock."""
    midnight = datetime.combine(shown.date(), time())
    begin = midnight if step <= DAY else _MONDAY
    slot = begin + ((shown - begin) // step + 1) * step
    return slot if step > DAY else min(slot, midnight + DAY)


# Clocks


def read_time(text: str) -> time | None:
    """Return the time of the day that HH:MM means, None where it is none."""
    found = _TIME.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found else None


@lru_cache(maxsize=INSTANTS_REMEMBERED)
def instant(shown: datetime, zone: tzinfo, *, last: bool = False) -> datetime:
    """Return when a clock in `zone` shows `shown` first, in UTC; the last time with `last`.

    What it never shows, since clocks are put forward over it, is the first
    moment after that.
    """
    found = shown.replace(tzinfo=zone, fold=int(last)).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == shown:
        return found
    early, late = sorted(shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return _change(early, late, zone)


def _change(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    """Return when between two times the clock was put forward, to the second."""
    before = early.astimezone(zone).utcoffset()
    low, high = 0, round((late - early).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return early + timedelta(seconds=high)
