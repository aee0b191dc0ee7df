"""When a feed is fetched next. Pure.

The wait follows from how often the feed changes, what its publisher asks for, and what
its server says.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(days=1)
"""No failure makes a feed wait longer: it must be able to recover."""
GONE_RECHECK = timedelta(days=7)
"""A feed whose server says 410 is polled no more; once a week it is looked whether that holds."""
JITTER = 0.1
POLLS_PER_CHANGE = 4
"""So often a feed is polled in the time between two of its changes."""
MEMORY = 0.3
"""Weight of the newest gap between two changes in the learned one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The intervals that may be learned, and the longest wait a publisher's hints can ask for."""

    shortest: timedelta
    longest: timedelta
    longest_hint: timedelta


@dataclass(frozen=True, slots=True)
class Hints:
    """What a publisher asks for: `ttl` in the feed, `fresh_for` in the answer's headers."""

    ttl: timedelta = timedelta(0)
    fresh_for: timedelta = timedelta(0)
    skip_hours: Sequence[int] = ()
    skip_days: Sequence[int] = ()


def learned_interval(
    gap_s: float | None, changed_at: datetime | None, now: datetime, bounds: Bounds
) -> timedelta:
    """Return how often to poll a feed with `gap_s` between changes, the last at `changed_at`.

    A feed that has been still for longer than its gap is polled ever less.
    """
    if gap_s is None:
        return bounds.shortest
    still = (now - changed_at).total_seconds() if changed_at else 0.0
    interval = timedelta(seconds=max(gap_s, still) / POLLS_PER_CHANGE)
    return min(max(interval, bounds.shortest), bounds.longest)


def learned_gap(gap_s: float | None, changed_at: datetime | None, now: datetime) -> float | None:
    """Return the learned time between changes after one that is seen `now`."""
    if changed_at is None:
        return gap_s
    observed = max(0.0, (now - changed_at).total_seconds())
    return observed if gap_s is None else (1 - MEMORY) * gap_s + MEMORY * observed


def gap_of(dates: Sequence[datetime]) -> float | None:
    """Return the mean time between publications (newest first), None if they do not tell."""
    if len(dates) < 2:
        return None
    return (dates[0] - dates[-1]).total_seconds() / (len(dates) - 1)


def after_success(
    feed_id: str,
    now: datetime,
    interval: timedelta,
    *,
    hints: Hints,
    bounds: Bounds,
    fixed: bool = False,
) -> datetime:
    """Return when to fetch again: `interval` later, give or take, so that feeds do not march.

    A publisher's hints make the wait longer, never shorter, up to the longest
    hint. A `fixed` interval, which somebody has asked for, is kept.
    """
    wait = interval * _jitter(feed_id, now)
    if fixed:
        return now + wait
    asked = min(max(hints.ttl, hints.fresh_for), bounds.longest_hint)
    if asked > wait:  # never earlier than asked, and not all at the same moment
        wait = asked * (1 + abs(_jitter(feed_id, now) - 1))
    return _out_of_skipped(now + wait, hints, now + bounds.longest_hint)


def _out_of_skipped(at: datetime, hints: Hints, latest: datetime) -> datetime:
    """Return the first time from `at` on that is not in a skipped hour or day (UTC)."""
    while at < latest and _is_skipped(at, hints):
        passed = timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
        at += timedelta(hours=1) - passed
    return at


def _is_skipped(at: datetime, hints: Hints) -> bool:
    at = at.astimezone(UTC)
    return at.hour in hints.skip_hours or at.weekday() in hints.skip_days


def after_failure(
    feed_id: str,
    now: datetime,
    interval: timedelta,
    *,
    failures: int,
    retry_after: timedelta | None = None,
    gone: bool = False,
) -> datetime:
    """Return when to try again after failure number `failures` in a row, from 1.

    The wait doubles each time up to LONGEST; a server that asks for more gets it, up to LONGEST.
    """
    if gone:
        return now + GONE_RECHECK * _jitter(feed_id, now)
    doubled: timedelta = min(LONGEST, interval * float(2 ** min(failures, 20)))
    wait = doubled * _jitter(feed_id, now)
    return now + min(LONGEST, max(wait, retry_after or wait))


def _jitter(feed_id: str, now: datetime) -> float:
    """Return a factor around 1, the same for the same feed and time."""
    raw = hashlib.blake2b(f"{feed_id} {now.isoformat()}".encode(), digest_size=4).digest()
    return 1 + JITTER * (int.from_bytes(raw, "big") / 2**31 - 1)
