"""What notify tells Prometheus."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wirewatch.topics import ALERTS, DELIVERIES, ENDPOINT_STATES, ENDPOINTS, SUBSCRIPTIONS
from wirewatch.topics.attempts import AttemptReason, Outcome
from wirewatch.topics.endpoint_states import (
    Breaker,
    EndpointState,
    breaker_at,
    disabled_by,
    is_verified,
)
from wirewatch.topics.endpoints import Endpoint


class Event(StrEnum):
    """What can happen to a delivery: the label of `wirewatch_notify_deliveries_total`."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """An alert came again; it is dropped."""
    RESENT = "resent"
    """It was asked for once more."""
    HELD = "held"
    DIGESTED = "digested"
    MUTED = "muted"
    DELIVERED = "delivered"
    DEAD = "dead"


class Wrong(StrEnum):
    """What can be wrong with an endpoint: the label of `wirewatch_notify_endpoints`."""

    FAILING = "failing"
    """The last attempt failed; its circuit is closed."""
    OPEN = "open"
    """Its circuit is open."""
    HALF_OPEN = "half_open"
    """Its circuit is open, and one request is let through to look."""
    DISABLED = "disabled"
    UNVERIFIED = "unverified"


def _wrong(endpoint: Endpoint, state: EndpointState, now: datetime) -> Wrong | None:
    if disabled_by(endpoint, state) is not None:
        return Wrong.DISABLED
    if not is_verified(endpoint, state):
        return Wrong.UNVERIFIED
    breaker = breaker_at(state, now)
    if breaker is not Breaker.CLOSED:
        return Wrong.HALF_OPEN if breaker is Breaker.HALF_OPEN else Wrong.OPEN
    return Wrong.FAILING if state.failing_since is not None else None


class NotifyMetrics:
    """The metrics of one notify worker, on a registry that is passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "wirewatch_notify_attempts_total",
            "Attempts to deliver, by what followed.",
            ["outcome"],
            registry=registry,
        )
        self.attempt_failures = Counter(
            "wirewatch_notify_attempt_failures_total",
            "Attempts that did not deliver, by reason.",
            ["reason"],
            registry=registry,
        )
        self.attempt_seconds = Histogram(
            "wirewatch_notify_attempt_seconds",
            "Time of one attempt, from the request to the answer or the failure.",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60),
        )
        self.deliveries = Counter(
            "wirewatch_notify_deliveries_total",
            "Deliveries by what happened to them.",
            ["state"],
            registry=registry,
        )
        self.pending = Gauge(
            "wirewatch_notify_pending_deliveries",
            "Deliveries that wait for their next attempt, those of disabled endpoints included.",
            registry=registry,
        )
        self.held = Gauge(
            "wirewatch_notify_held_deliveries",
            "Deliveries that wait for the digest that will tell of them.",
            registry=registry,
        )
        self.put_off = Gauge(
            "wirewatch_notify_put_off_alerts",
            "Alerts of articles with very many of them, which are read again as there is room.",
            registry=registry,
        )
        self.under_way = Gauge(
            "wirewatch_notify_attempts_under_way",
            "Attempts under way: quick ones, and those that have taken more than a second.",
            ["pace"],
            registry=registry,
        )
        self.endpoints = Gauge(
            "wirewatch_notify_endpoints",
            "Endpoints that something is wrong with, by what it is.",
            ["state"],
            registry=registry,
        )
        self.oldest_due_seconds = Gauge(
            "wirewatch_notify_oldest_due_seconds",
            "How late the most overdue delivery is that its endpoint would take, 0 if none is.",
            registry=registry,
        )
        self._unreadable = Counter(
            "wirewatch_notify_unreadable_records_total",
            "Records that could not be decoded and became dead letters, by topic.",
            ["topic"],
            registry=registry,
        )
        for outcome in Outcome:
            self.attempts.labels(outcome)
        for reason in AttemptReason:
            self.attempt_failures.labels(reason)
        for event in Event:
            self.deliveries.labels(event)
        for wrong in Wrong:
            self.endpoints.labels(wrong)
        for pace in ("quick", "slow"):
            self.under_way.labels(pace)
        self._delivered = self.deliveries.labels(Event.DELIVERED)
        self._outcomes = {outcome: self.attempts.labels(outcome) for outcome in Outcome}
        for topic in (ALERTS, DELIVERIES, ENDPOINTS, ENDPOINT_STATES, SUBSCRIPTIONS):
            self._unreadable.labels(topic.name)

    def note_attempt(self, outcome: Outcome, seconds: float) -> None:
        """Count an attempt and how long it took."""
        self._outcomes[outcome].inc()
        self.attempt_seconds.observe(seconds)

    def note_delivered(self) -> None:
        """Count a delivery that was taken."""
        self._delivered.inc()

    def show_states(
        self,
        states: Iterable[EndpointState],
        endpoint: Callable[[str], Endpoint | None],
        now: datetime,
    ) -> None:
        """Show how many endpoints stand how; `endpoint` finds one by its id."""
        found: Tally[Wrong] = Tally()
        for state in states:
            about = endpoint(state.endpoint_id)
            if about is not None and (wrong := _wrong(about, state, now)) is not None:
                found[wrong] += 1
        for wrong in Wrong:
            self.endpoints.labels(wrong).set(found[wrong])

    def unreadable(self, topic: str) -> None:
        """Count an unreadable record of `topic`, a name without prefix."""
        self._unreadable.labels(topic).inc()
