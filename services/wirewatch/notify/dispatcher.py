"""Take deliveries that are due, attempt them, and write down what came of it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from wirewatch.notify.errors import SecretError
from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.outcome import Answer, NoAnswer
from wirewatch.notify.payload import make_payload
from wirewatch.notify.signature import signed_headers
from wirewatch.notify.verdict import Verdict, conclude
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import MemoryTable
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ATTEMPTS, DELIVERIES
from wirewatch.topics.alerts import Alert
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.codec import encode
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.spec import Topic

TURN_S = 1.0
"""The loop looks at least this often: for health, for figures, for what others have sent."""
STALL_S = 30.0
"""A loop that has not turned for so long is stuck; a restart helps."""

log = get_logger("notify")


class Log(Protocol):
    """Where the results are written (`runtime.kafka.Producer`)."""

    async def send(self, topic: Topic[Any], record: Any) -> Position:
        """Send `record`; return its position once it is safe."""

    async def bury(
        self, payload: bytes, *, reason: DeadReason, detail: str, topic: str, key: str
    ) -> None:
        """Send a dead letter."""


class Post(Protocol):
    """Makes a request (`notify.sender.Sender`)."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer | NoAnswer:
        """Send `body` to `url`; nothing is raised for the network."""


def shown_url(url: str) -> str:
    """Return `url` as a log may show it: without user, password and query."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "(not a URL)"


class Dispatcher:
    """Attempts what is due: at most `notify_concurrency` at once, a few to each endpoint.

    It begins paused. `catch_up` must return only when every endpoint that stood in the
    topic when it was called is in `endpoints`.
    """

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        *,
        endpoints: MemoryTable[Endpoint],
        catch_up: Callable[[], Awaitable[None]],
        post: Post,
        results: Log,
        metrics: NotifyMetrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._endpoints = endpoints
        self._catch_up = catch_up
        self._post = post
        self._results = results
        self._metrics = metrics
        self._clock = clock
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._per_endpoint: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._paused = True
        self._failed: BaseException | None = None
        self._turned_at = asyncio.get_running_loop().time()

    def wake(self) -> None:
        """Say that something may be due that was not before."""
        self._wake.set()

    def resume(self) -> None:
        """Begin attempts from now on."""
        self._paused = False
        self.wake()

    async def drain(self, limit_s: float) -> None:
        """Begin nothing more and let the attempts in hand finish, those that do in `limit_s`.

        The others are broken off. They stay due, and whoever owns them next
        repeats them with the same webhook-id.
        """
        self._paused = True
        tasks = set(self._in_hand.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=limit_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def problem(self) -> str | None:
        """Return what is wrong, for /healthz."""
        stalled_s = asyncio.get_running_loop().time() - self._turned_at
        return f"no turn for {stalled_s:.0f} s" if stalled_s > STALL_S else None

    async def run(self) -> None:
        """Dispatch until cancelled. Raises what an attempt raised unexpectedly."""
        loop = asyncio.get_running_loop()
        measured_at = 0.0
        while True:
            self._turned_at = loop.time()
            self._wake.clear()
            if self._failed is not None:
                raise self._failed
            while self._begin_due():
                pass
            if loop.time() - measured_at >= TURN_S:
                measured_at = loop.time()
                self._measure()
            try:
                async with asyncio.timeout(self._until_next()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _until_next(self) -> float:
        now = self._clock()
        next_at = None if self._paused else self._outbox.next_due_at(now)
        if next_at is None:
            return TURN_S
        return min(TURN_S, (next_at - now).total_seconds())

    def _measure(self) -> None:
        self._metrics.pending.set(self._outbox.pending_count())
        oldest = self._outbox.oldest_due_at(self._disabled())
        late = (self._clock() - oldest).total_seconds() if oldest else 0.0
        self._metrics.oldest_due_seconds.set(max(0.0, late))

    def _disabled(self) -> list[str]:
        return [endpoint.id for endpoint in self._endpoints if endpoint.disabled]

    def _begin_due(self) -> int:
        """Begin attempts at what is due, as far as there is room; return how many."""
        room = self._settings.notify_concurrency - len(self._in_hand)
        if self._paused or room <= 0:
            return 0
        most = self._settings.notify_endpoint_concurrency
        full = [endpoint for endpoint, count in self._per_endpoint.items() if count >= most]
        begun = 0
        for delivery in self._outbox.due(
            self._clock(),
            room,
            per_endpoint=most,
            except_endpoints=[*self._disabled(), *full],
            except_deliveries=self._in_hand,
        ):
            if self._per_endpoint[delivery.endpoint_id] < most:
                self._begin(delivery)
                begun += 1
        return begun

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._deliver(delivery), name=f"deliver {delivery.id}")
        self._in_hand[delivery.id] = task
        self._per_endpoint[delivery.endpoint_id] += 1
        task.add_done_callback(lambda done: self._end(delivery, done))

    def _end(self, delivery: Delivery, task: asyncio.Task[None]) -> None:
        del self._in_hand[delivery.id]
        self._per_endpoint[delivery.endpoint_id] -= 1
        if not self._per_endpoint[delivery.endpoint_id]:
            del self._per_endpoint[delivery.endpoint_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error
        self.wake()

    async def _deliver(self, delivery: Delivery) -> None:
        if delivery.alert is None:
            return await self._bury_empty(delivery)
        endpoint = await self._endpoint_of(delivery)
        loop = asyncio.get_running_loop()
        started_at, begun = self._clock(), loop.time()
        result = await self._attempt(endpoint, delivery, delivery.alert)
        took = timedelta(seconds=loop.time() - begun)
        if endpoint is not None:
            self._metrics.attempt_seconds.observe(took.total_seconds())
        verdict = conclude(result, delivery, endpoint, started_at=started_at, took=took)
        await self._record(delivery, verdict)
        self._tell(verdict, endpoint)
        return None

    async def _endpoint_of(self, delivery: Delivery) -> Endpoint | None:
        """Return the endpoint, None only if it is really gone.

        A new one may stand in its topic without having been read yet.
        """
        endpoint = self._endpoints.get(delivery.endpoint_id)
        if endpoint is None:
            await self._catch_up()
            endpoint = self._endpoints.get(delivery.endpoint_id)
        return endpoint

    async def _attempt(
        self, endpoint: Endpoint | None, delivery: Delivery, alert: Alert
    ) -> Answer | NoAnswer:
        if endpoint is None:
            return NoAnswer(AttemptReason.NO_ENDPOINT, "the endpoint was deleted")
        body = make_payload(alert, delivery)
        try:
            headers = signed_headers(
                endpoint.secret, webhook_id=delivery.id, at=self._clock(), body=body
            )
        except SecretError as error:
            return NoAnswer(AttemptReason.CONNECT, f"not sent: {error}")
        return await self._post.post(endpoint.url, body, headers)

    async def _record(self, before: Delivery, verdict: Verdict) -> None:
        """Write down what happened: the attempt, the dead letter, and last what makes it count."""
        await self._results.send(ATTEMPTS, verdict.attempt)
        if verdict.dead is not None:
            await self._bury(before, verdict.dead, verdict.attempt.detail)
        await self._put(verdict.delivery)

    async def _bury(self, delivery: Delivery, reason: DeadReason, detail: str) -> None:
        await self._results.bury(
            encode(delivery),
            reason=reason,
            detail=detail,
            topic=DELIVERIES.full_name(self._settings.topic_prefix),
            key=delivery.id,
        )

    async def _put(self, delivery: Delivery) -> None:
        self._outbox.put(delivery, await self._results.send(DELIVERIES, delivery))

    async def _bury_empty(self, delivery: Delivery) -> None:
        """Give up a pending delivery that carries no alert; this program writes none such."""
        detail = "a pending delivery without its alert"
        log.warning("delivery given up", delivery=delivery.id, detail=detail)
        await self._bury(delivery, DeadReason.UNREADABLE, detail)
        await self._put(replace(delivery, state=DeliveryState.DEAD, ended_at=self._clock()))
        self._metrics.deliveries.labels(Event.DEAD).inc()

    def _tell(self, verdict: Verdict, endpoint: Endpoint | None) -> None:
        """Count and log: a warning for the first failure and for the end, not for those between."""
        attempt = verdict.attempt
        self._metrics.attempts.labels(attempt.outcome).inc()
        about: dict[str, Any] = {
            "delivery": attempt.delivery_id,
            "endpoint": shown_url(endpoint.url) if endpoint else attempt.endpoint_id,
            "attempt": attempt.number,
        }
        if attempt.reason is None:
            self._metrics.deliveries.labels(Event.DELIVERED).inc()
            log.info("delivered", **about, duration_ms=attempt.duration_ms)
            return
        self._metrics.attempt_failures.labels(attempt.reason).inc()
        about |= {"reason": attempt.reason.value, "detail": attempt.detail}
        if verdict.dead is not None:
            self._metrics.deliveries.labels(Event.DEAD).inc()
            log.warning("delivery given up", **about, dead=verdict.dead.value)
            return
        say = log.warning if attempt.number == 1 else log.debug
        next_at = attempt.next_attempt_at
        say("attempt failed", **about, next_attempt_at=next_at.isoformat() if next_at else None)
