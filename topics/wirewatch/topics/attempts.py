"""attempts: every HTTP request made to deliver an alert."""

from datetime import datetime, timedelta
from enum import StrEnum

from wirewatch.topics.spec import Cleanup, Record, Topic

MAX_RESPONSE_HEAD_BYTES = 1_024


class Outcome(StrEnum):
    """What followed from an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"


class AttemptReason(StrEnum):
    """Why an attempt failed: a closed list, also the label of the metric."""

    ADDRESS = "address"
    """The address may not be connected to (loopback, private, metadata …)."""
    CONNECT = "connect"
    TIMEOUT = "timeout"
    TLS = "tls"
    BROKEN = "broken"
    """The connection was closed before an answer came."""
    REDIRECT = "redirect"
    CLIENT_ERROR = "client_error"
    """A 4xx status other than 410 and 429."""
    GONE = "gone"
    SLOW_DOWN = "slow_down"
    """429, or 503 with Retry-After."""
    SERVER_ERROR = "server_error"
    NO_ENDPOINT = "no_endpoint"
    """The endpoint was deleted while the delivery was pending."""


class Attempt(Record, frozen=True, kw_only=True):
    """One request and its answer. `number` counts from 1.

    `status` is missing where no answer came. `response_head` is the start of
    the answer's body, undecodable bytes replaced.
    """

    delivery_id: str
    alert_id: str
    subscription_id: str
    endpoint_id: str
    number: int
    outcome: Outcome
    reason: AttemptReason | None = None
    detail: str = ""
    status: int | None = None
    response_head: str = ""
    started_at: datetime
    duration_ms: int
    next_attempt_at: datetime | None = None


ATTEMPTS = Topic(
    name="attempts",
    record=Attempt,
    key=lambda attempt: attempt.endpoint_id,
    key_means="endpoint id",
    cleanup=Cleanup.DELETE,
    retention=timedelta(days=30),
    written_by=("notify",),
    read_by=("api",),
)
