"""How an endpoint stands after each answer: its circuit, and when it is given up. Pure.

The circuit (Nygard, Release It!, "Circuit Breaker") opens after OPEN_AFTER failures
in a row that say that nobody is there; then one request at a time looks whether it
answers again, at growing distances. A receiver that answers, even with 4xx, is there.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from wirewatch.notify.outcome import Failure
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.endpoint_states import Breaker, DisabledReason, EndpointState

OPEN_AFTER = 5
FIRST_COOLDOWN = timedelta(seconds=10)
MAX_COOLDOWN = timedelta(minutes=5)
DISABLE_LEAST_FAILURES = 10
"""An endpoint that is seldom told is not given up for two failures that lie days apart."""
HARMFUL = frozenset(
    {
        AttemptReason.DNS,
        AttemptReason.CONNECT,
        AttemptReason.TIMEOUT,
        AttemptReason.TLS,
        AttemptReason.BROKEN,
        AttemptReason.SERVER_ERROR,
    }
)
"""Reasons that say that asking at once for something else would fail as well."""
OURS = frozenset(
    {
        AttemptReason.SECRETS,
        AttemptReason.TEMPLATE,
        AttemptReason.MAIL_SETTINGS,
        AttemptReason.NO_ENDPOINT,
        AttemptReason.DISABLED,
        AttemptReason.EXPIRED,
        AttemptReason.SLOW_DOWN,
        AttemptReason.INTERNAL,
    }
)
"""Reasons that say nothing about whether the receiver is there."""


def after_success(state: EndpointState | None, now: datetime) -> EndpointState | None:
    """Return the state after a delivery that was taken; as it was where nothing was wrong."""
    if state is None or (state.breaker is Breaker.CLOSED and state.failing_since is None):
        return state
    return replace(begun_anew(state), last_success_at=now, changed_at=now)


def begun_anew(state: EndpointState) -> EndpointState:
    """Return `state` as if nothing had failed yet: the circuit is closed, nothing is counted."""
    return replace(
        state,
        breaker=Breaker.CLOSED,
        failures=0,
        unreachable=0,
        failing_since=None,
        probe_at=None,
    )


def after_failure(
    state: EndpointState | None,
    failure: Failure,
    *,
    endpoint_id: str,
    now: datetime,
    disable_after: timedelta,
) -> EndpointState | None:
    """Return the state after an attempt that failed.

    410 disables at once, failing for `disable_after` does so with the next failure.
    """
    if failure.reason in OURS:
        return state
    before = state or EndpointState(endpoint_id=endpoint_id, changed_at=now)
    after = replace(
        before,
        failures=before.failures + 1,
        failing_since=before.failing_since or now,
        last_failure_at=now,
        last_reason=failure.reason,
        last_detail=failure.detail,
        changed_at=now,
    )
    if failure.reason not in HARMFUL:
        after = replace(after, breaker=Breaker.CLOSED, unreachable=0, probe_at=None)
    elif before.probe_at is None or now >= before.probe_at:
        after = _unreachable(after, now)
    # Else it was under way when the circuit opened, and is no probe.
    reason = _give_up(after, failure, now, disable_after)
    return after if reason is None else replace(after, disabled_at=now, disabled_reason=reason)


def _unreachable(state: EndpointState, now: datetime) -> EndpointState:
    count = state.unreachable + 1
    if count < OPEN_AFTER:
        return replace(state, unreachable=count)
    return replace(
        state,
        unreachable=count,
        breaker=Breaker.OPEN,
        probe_at=now + cooldown(count - OPEN_AFTER),
    )


def cooldown(probes: int) -> timedelta:
    """Return how long the circuit stays open after `probes` requests in vain."""
    doublings = min(max(probes, 0), 10)
    return min(FIRST_COOLDOWN * (1 << doublings), MAX_COOLDOWN)


def _give_up(
    state: EndpointState, failure: Failure, now: datetime, disable_after: timedelta
) -> DisabledReason | None:
    if failure.reason is AttemptReason.GONE:
        return DisabledReason.GONE
    since = state.failing_since or now
    if now - since >= disable_after and state.failures >= DISABLE_LEAST_FAILURES:
        return DisabledReason.FAILING
    return None


def is_news(before: EndpointState | None, after: EndpointState | None) -> bool:
    """Say whether `after` has to be written down: more than the count has changed."""
    if after is None or after is before:
        return False
    if before is None:
        return True
    return any(getattr(before, name) != getattr(after, name) for name in _NEWS)


_NEWS = (
    "breaker",
    "failing_since",
    "probe_at",
    "disabled_at",
    "last_reason",
    "verified",
    "unverified_detail",
)
