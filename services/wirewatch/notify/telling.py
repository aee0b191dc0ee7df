"""Tell of what attempts came to: to Prometheus, to the log and to endpoints that watch."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from wirewatch.notify import notices
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

TOLD_FOR = timedelta(hours=1)
TOLD_KEPT = 20_000
"""What the log has of an endpoint is not said again for so long, of so many of them."""
_AGAIN = "again"

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

    Of an endpoint that fails, the log has a warning for each reason, but not more than one an
    hour: thousands of deliveries may wait for it. Of a delivery it has one when it is given up.
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
        self._told: OrderedDict[tuple[str, str], datetime] = OrderedDict()
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
                say = log.info if self._is_news(endpoint.id, _AGAIN) else log.debug
                say(
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
        is_news = self._is_news(attempt.endpoint_id, failure.reason)
        say = log.warning if is_news else log.debug
        next_at = attempt.next_attempt_at
        say("attempt failed", **about, next_attempt_at=next_at.isoformat() if next_at else None)

    def _is_news(self, endpoint_id: str, what: str) -> bool:
        """Say whether that was not told of the endpoint within TOLD_FOR."""
        now, key = self._clock(), (endpoint_id, what)
        told_at = self._told.get(key)
        if told_at is not None and now - told_at < TOLD_FOR:
            return False
        self._told.pop(key, None)
        self._told[key] = now
        if len(self._told) > TOLD_KEPT:
            self._told.popitem(last=False)
        return True

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
        # This worker may have told it this hour, before it was started anew.
        self._send([notice for notice in told if self._outbox.get(notice.id) is None])

    def _send(self, deliveries: Iterable[Delivery]) -> None:
        """Have them written; whoever owns their endpoints' partitions sends them."""
        for delivery in deliveries:
            self._recorder.add(Entry(deliveries=(delivery,)))
