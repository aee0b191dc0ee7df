"""Decide what follows a failed attempt to deliver an alert.

Pure: the failure, the schedule and the time come in, a decision goes out.
`notify.dispatcher` acts on it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wirewatch.notify.outcome import Failure
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.endpoints import Endpoint

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits between attempts; the first attempt is made at once. Together a little over three
days, so that a receiver that breaks on a Friday evening is mended in time."""
MAX_WAIT = timedelta(days=30)
JITTER = 0.1
"""Each wait is up to a tenth shorter or longer: what failed together does not return together."""
FREE_RETRY_AFTER = timedelta(hours=1)
"""As long as this, a Retry-After is followed whatever the schedule says."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again, not before `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Dead:
    """Give up: the delivery goes to the dead-letter topic with this reason."""

    reason: DeadReason


ENDS: Mapping[AttemptReason, DeadReason] = {
    AttemptReason.NO_ENDPOINT: DeadReason.NO_ENDPOINT,
    AttemptReason.DISABLED: DeadReason.DISABLED,
    AttemptReason.EXPIRED: DeadReason.EXHAUSTED,
}
"""What these reasons end a delivery with; others that are not recoverable are rejected."""


def schedule_of(endpoint: Endpoint | None) -> Sequence[timedelta]:
    """Return the waits between attempts to `endpoint`."""
    if endpoint is None or endpoint.retry_schedule_s is None:
        return SCHEDULE
    limit_s = MAX_WAIT.total_seconds()
    return [timedelta(seconds=min(max(s, 0.0), limit_s)) for s in endpoint.retry_schedule_s]


def after_failure(
    failure: Failure,
    *,
    delivery_id: str,
    attempt: int,
    now: datetime,
    schedule: Sequence[timedelta] = SCHEDULE,
) -> Retry | Dead:
    """Say what follows attempt number `attempt` of the schedule; the first attempt is 1.

    An endpoint may slow us down with Retry-After: up to an hour, or twice the
    scheduled wait where that is longer. It can never hurry us, nor stop us.
    """
    if failure.reason in ENDS:
        return Dead(ENDS[failure.reason])
    if not failure.recoverable:
        return Dead(DeadReason.REJECTED)
    if attempt > len(schedule):
        return Dead(DeadReason.EXHAUSTED)
    scheduled = schedule[attempt - 1]
    wait = scheduled * (1 + jitter(delivery_id, attempt))
    if failure.retry_after is not None:
        wait = max(wait, min(failure.retry_after, max(2 * scheduled, FREE_RETRY_AFTER)))
    return Retry(at=now + wait)


def jitter(delivery_id: str, attempt: int) -> float:
    """Return a number from -0.1 to 0.1, always the same one for the same attempt."""
    digest = hashlib.blake2b(f"{delivery_id} {attempt}".encode(), digest_size=8).digest()
    return JITTER * (2 * int.from_bytes(digest) / (2**64 - 1) - 1)
