"""When a feed is fetched next. Pure."""

import hashlib
from datetime import datetime, timedelta

LONGEST = timedelta(days=1)
"""No failure and no server makes a feed wait longer: it must be able to recover."""
JITTER = 0.1


def after_success(feed_id: str, now: datetime, interval: timedelta) -> datetime:
    """Return when to fetch again: `interval` later, give or take, so that feeds do not march."""
    return now + interval * _jitter(feed_id, now)


def after_failure(
    feed_id: str,
    now: datetime,
    interval: timedelta,
    *,
    failures: int,
    retry_after: timedelta | None = None,
) -> datetime:
    """Return when to try again after failure number `failures` in a row, from 1.

    The wait doubles each time up to LONGEST; a server that asks for more gets it, up to LONGEST.
    """
    doubled: timedelta = min(LONGEST, interval * float(2 ** min(failures, 20)))
    wait = doubled * _jitter(feed_id, now)
    return now + min(LONGEST, max(wait, retry_after or wait))


def _jitter(feed_id: str, now: datetime) -> float:
    """Return a factor around 1, the same for the same feed and time."""
    raw = hashlib.blake2b(f"{feed_id} {now.isoformat()}".encode(), digest_size=4).digest()
    return 1 + JITTER * (int.from_bytes(raw, "big") / 2**31 - 1)
