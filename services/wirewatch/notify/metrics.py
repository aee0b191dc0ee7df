"""What notify tells Prometheus."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wirewatch.topics import ALERTS, DELIVERIES, ENDPOINTS
from wirewatch.topics.attempts import AttemptReason, Outcome


class Event(StrEnum):
    """What can happen to a delivery: the label of `wirewatch_notify_deliveries_total`."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """An alert came again; it is dropped."""
    DELIVERED = "delivered"
    DEAD = "dead"


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
        self.oldest_due_seconds = Gauge(
            "wirewatch_notify_oldest_due_seconds",
            "How late the most overdue delivery to an enabled endpoint is, 0 if none is.",
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
        for topic in (ALERTS, DELIVERIES, ENDPOINTS):
            self._unreadable.labels(topic.name)

    def unreadable(self, topic: str) -> None:
        """Count an unreadable record of `topic`, a name without prefix."""
        self._unreadable.labels(topic).inc()
