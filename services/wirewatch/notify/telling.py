"""Tell of what attempts came to: to Prometheus, to the log and to endpoints that watch."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from wirewatch.notify import notices
from wirewatch.notify.breaker import OURS
from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.outcome import Failure
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.notify.verdict import Tried, Verdict
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.logs import get_logger
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.endpoints import Endpoint

BY_THOUSANDS = frozenset({AttemptReason.DISABLED, AttemptReason.EXPIRED, AttemptReason.NO_ENDPOINT})
"""Reasons that end all that waits for an endpoint: no warning for each."""

log = get_logger("notify")


def shown_url(url: str) -> str:
    """Return `url` as a log may show it: without user, password and query."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(not a URL)"


class Teller:
    """Counts and logs what happens, and has notices sent to endpoints that asked for them.

    Of an endpoint that fails, the log has a warning when it begins to and when it fails for
    another reason; of a delivery, one when it is given up.
    """

    def __init__(
        self,
        outbox: Outbox,
        recorder: Recorder,
        metrics: NotifyMetrics,
        *,
        watchers: Callable[[], list[Endpoint]],
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._recorder = recorder
        self._metrics = metrics
        self._watchers = watchers
        self._clock = clock
        self._told_hour = ""
        self._told_exhausted: set[str] = set()

    def attempted(
        self,
        delivery: Delivery,
        verdict: Verdict,
        endpoint: Endpoint | None,
        tried: Tried,
        *,
        before: EndpointState | None,
    ) -> None:
        """Tell of an attempt that is recorded; `before` is how its endpoint stood until then."""
        attempt, failure = verdict.attempt, tried.failure
        self._metrics.note_attempt(attempt.outcome, tried.took.total_seconds())
        if failure is None:
            self._metrics.note_delivered()
            if endpoint is not None and before is not None and before.failing_since is not None:
                log.info(
                    "endpoint takes deliveries again",
                    endpoint=shown_url(endpoint.url),
                    failing_since=before.failing_since.isoformat(),
                )
            return
        self._metrics.attempt_failures.labels(failure.reason).inc()
        about: dict[str, Any] = {
            "delivery": attempt.delivery_id,
            "endpoint": shown_url(endpoint.url) if endpoint else attempt.endpoint_id,
            "attempt": attempt.number,
            "reason": failure.reason.value,
            "detail": attempt.detail,
        }
        if verdict.dead is not None:
            self._metrics.deliveries.labels(Event.DEAD).inc()
            say = log.debug if failure.reason in BY_THOUSANDS else log.warning
            say("delivery given up", **about, dead=verdict.dead.value)
            if verdict.dead is DeadReason.EXHAUSTED and endpoint is not None:
                self._exhausted(delivery, endpoint, failure)
            return
        say = log.warning if _is_news(failure, attempt.number, before) else log.debug
        next_at = attempt.next_attempt_at
        say("attempt failed", **about, next_attempt_at=next_at.isoformat() if next_at else None)

    def disabled(self, endpoint: Endpoint, state: EndpointState, now: datetime) -> None:
        """Tell that notify has disabled `endpoint`."""
        log.warning(
            "endpoint disabled",
            endpoint=endpoint.id,
            reason=state.disabled_reason,
            detail=state.last_detail,
        )
        self._send(notices.disabled(endpoint, state, self._watchers(), now))

    def _exhausted(self, delivery: Delivery, endpoint: Endpoint, failure: Failure) -> None:
        now = self._clock()
        hour = f"{now:%Y-%m-%d %H}"
        if hour != self._told_hour:
            self._told_hour = hour
            self._told_exhausted.clear()
        if delivery.notice is not None or endpoint.id in self._told_exhausted:
            return
        self._told_exhausted.add(endpoint.id)
        told = notices.exhausted(endpoint, delivery, failure, self._watchers(), now)
        # Another worker may have told it this hour, or this one before it was started anew.
        self._send([notice for notice in told if self._outbox.get(notice.id) is None])

    def _send(self, deliveries: Iterable[Delivery]) -> None:
        """Have them written; whoever owns their endpoints' partitions sends them."""
        for delivery in deliveries:
            self._recorder.add(Entry(deliveries=(delivery,)))


def _is_news(failure: Failure, number: int, before: EndpointState | None) -> bool:
    """Say whether a failure is worth a warning: thousands may wait for an endpoint that is down."""
    if failure.reason in OURS:  # it says nothing about the endpoint
        return number == 1
    if before is None or before.failing_since is None:
        return True
    return failure.reason is not before.last_reason
