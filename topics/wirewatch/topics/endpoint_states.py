"""endpoint-states: how each endpoint answers, as notify sees it. Co-partitioned with alerts."""

from datetime import datetime
from enum import StrEnum

from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoints import Endpoint, Verification
from wirewatch.topics.ids import content_id
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
    """Why an endpoint is disabled."""

    BY_HAND = "by_hand"
    """Somebody said so (`Endpoint.disabled`); never in an `EndpointState`."""

    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Every attempt failed for days."""


class EndpointState(Record, frozen=True, kw_only=True):
    """What notify knows of an endpoint; written when it changes, not with each attempt.

    `failing_since` is the first failure after the last success, `failures` counts
    those since then, and `unreachable` those in a row that say that nobody is there. `verified` is
    what was proved (kind of verification and URL, hashed), empty before; and
    `unverified_detail` says why it was not.
    """

    endpoint_id: str
    breaker: Breaker = Breaker.CLOSED
    failures: int = 0
    unreachable: int = 0
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


def disabled_by(endpoint: Endpoint, state: EndpointState | None) -> DisabledReason | None:
    """Return why `endpoint` is disabled, None if it is not.

    What notify found counts until the endpoint was enabled by hand after it.
    """
    if endpoint.disabled:
        return DisabledReason.BY_HAND
    if state is None or state.disabled_at is None:
        return None
    if state.disabled_at <= (endpoint.enabled_at or endpoint.created_at):
        return None
    return state.disabled_reason or DisabledReason.FAILING


def breaker_at(state: EndpointState, now: datetime) -> Breaker:
    """Return how the circuit stands at `now`: an open one is tried from its `probe_at` on."""
    if state.breaker is Breaker.OPEN and state.probe_at is not None and state.probe_at <= now:
        return Breaker.HALF_OPEN
    return state.breaker


def verification_of(endpoint: Endpoint) -> str:
    """Return what `verified` of its state holds once `endpoint` is; empty if it need not be.

    It differs with the address and with the kind of verification: what was
    proved of one is not proved of another.
    """
    if endpoint.verification is Verification.NONE:
        return ""
    address = endpoint.url_id or endpoint.url
    return content_id("proof", str(endpoint.kind), str(endpoint.verification), address)


def is_verified(endpoint: Endpoint, state: EndpointState | None) -> bool:
    """Say whether `endpoint` has proved what it has to, which may be nothing."""
    wanted = verification_of(endpoint)
    return not wanted or (state is not None and state.verified == wanted)


ENDPOINT_STATES = Topic(
    name="endpoint-states",
    record=EndpointState,
    key=lambda state: state.endpoint_id,
    key_means="endpoint id",
    cleanup=Cleanup.COMPACT,
    written_by=("notify",),
    read_by=("notify", "api"),
)
