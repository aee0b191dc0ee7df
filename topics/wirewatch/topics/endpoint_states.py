"""endpoint-states: how each endpoint answers, as notify sees it. Co-partitioned with alerts."""

from datetime import datetime
from enum import StrEnum

from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.spec import Cleanup, Record, Topic


class Breaker(StrEnum):
    """Whether an endpoint's circuit lets requests pass."""

    CLOSED = "closed"
    """Everything is sent."""
    OPEN = "open"
    """It failed again and again: nothing is sent before `probe_at`."""
    HALF_OPEN = "half_open"
    """One request is let through to see whether it answers again."""


class DisabledReason(StrEnum):
    """Why notify disabled an endpoint."""

    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Every attempt failed for days."""


class EndpointState(Record, frozen=True, kw_only=True):
    """What notify knows of an endpoint; written when it changes, not with each attempt.

    `failing_since` is the first failure after the last success. `verified` is
    what was proved (kind of verification and URL, hashed), empty before; and
    `unverified_detail` says why it was not.
    """

    endpoint_id: str
    breaker: Breaker = Breaker.CLOSED
    failures: int = 0
    failing_since: datetime | None = None
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_reason: AttemptReason | None = None
    last_detail: str = ""
    probe_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: DisabledReason | None = None
    verified: str = ""
    unverified_detail: str = ""
    changed_at: datetime


ENDPOINT_STATES = Topic(
    name="endpoint-states",
    record=EndpointState,
    key=lambda state: state.endpoint_id,
    key_means="endpoint id",
    cleanup=Cleanup.COMPACT,
    written_by=("notify",),
    read_by=("notify", "api"),
)
