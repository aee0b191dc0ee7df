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

    URL = "url"
    """The endpoint's URL is none that can be asked."""
    ADDRESS = "address"
    """The address or port may not be connected to (loopback, private, metadata …)."""
    DNS = "dns"
    """The host's name was not found."""
    CONNECT = "connect"
    """Nobody took the connection: refused, unreachable."""
    TIMEOUT = "timeout"
    TLS = "tls"
    """The certificate or the protocol was not acceptable."""
    BROKEN = "broken"
    """The connection was closed before an answer came, or what came was not HTTP."""
    REDIRECT = "redirect"
    CLIENT_ERROR = "client_error"
    """A 4xx status other than 410 and 429."""
    GONE = "gone"
    SLOW_DOWN = "slow_down"
    """429, or 503 with Retry-After."""
    REFUSED = "refused"
    """The receiver said that it will never take this one, however often it is tried."""
    SERVER_ERROR = "server_error"
    CHALLENGE = "challenge"
    """An endpoint that is to be verified did not answer with the challenge."""
    SECRETS = "secrets"
    """What signs cannot be read here: the key of WIREWATCH_SECRET_KEY is another one."""
    TEMPLATE = "template"
    """The endpoint's template failed or took too long."""
    MAIL_SETTINGS = "mail_settings"
    """No mail server is set."""
    NO_ENDPOINT = "no_endpoint"
    """The endpoint was deleted while the delivery was pending."""
    DISABLED = "disabled"
    """The endpoint is disabled."""
    EXPIRED = "expired"
    """The endpoint failed for as long as the whole schedule lasts, and no turn came."""
    INTERNAL = "internal"
    """Something failed here that nobody foresaw: the log of notify says what."""


class Attempt(Record, frozen=True, kw_only=True):
    """One request and its answer. `number` counts from 1.

    `to` is the host and port that were asked. `status` is missing where no
    answer came. `request_bytes` and `response_bytes` count bodies, the latter as
    far as it was read; `response_head` is the start of it, undecodable bytes
    replaced. What ended a delivery without a request has no `status` and `to`.
    """

    delivery_id: str
    alert_id: str
    subscription_id: str
    endpoint_id: str
    number: int
    outcome: Outcome
    reason: AttemptReason | None = None
    detail: str = ""
    to: str = ""
    status: int | None = None
    request_bytes: int = 0
    response_bytes: int = 0
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
