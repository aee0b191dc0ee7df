"""Begin attempts as there is room, and have written down what came of them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from wirewatch.notify.attempts import Attempts
from wirewatch.notify.lane import Job, Trust, pace
from wirewatch.notify.lanes import Lanes, Views
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox
from wirewatch.notify.places import Places
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.notify.states import States
from wirewatch.notify.telling import Teller
from wirewatch.notify.verdict import Tried, Verdict, conclude
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics.attempts import AttemptReason
from wirewatch.topics.dead_letters import DeadLetter
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import NoticeType
from wirewatch.topics.endpoint_states import EndpointState, disabled_by
from wirewatch.topics.endpoints import Endpoint

TURN_S = 0.05
"""At least this often it looks at what is due and at what grows old."""
MEASURE_S = 1.0
MEASURE_SHARE = 500
MOST_UNMEASURED_S = 15.0
"""Figures are taken each second; where that takes long, so many times later, but not later
than this."""
STALL_S = 30.0
"""A loop that has not turned for so long is stuck; a restart helps."""
UNSURE_A_TURN = 4
"""Requests to endpoints that are not proven, begun before others have a turn: each costs a
connection, and a crowd of them would hold up those that answer."""
SLOW_S = 1.0
"""A request under way for longer no longer counts against the others' places, and its alert
no longer holds up the commits."""
FRESH_S = 2.0
"""So long an alert may wait in memory for its first attempt before it is written down."""
CROWDED_S = 1.0
CROWDED_SHARE = 0.5
"""The same while so much of the room is taken: what comes behind may be for others."""
LATE_MOST = 128
"""Alerts that were put off and wait in memory: enough for all places."""
MOST_UNRECORDED = 2_000
"""Attempts that ended and are not yet written down; with Kafka away no more are made then."""
MOST_QUIET = timedelta(hours=1)
"""A 429 may silence its endpoint for so long."""

log = get_logger("notify")


class Dispatcher:
    """Attempts what may be attempted: what has its turn in `lanes` and a place in `Places`.

    It begins paused. `catch_up` must return only when every endpoint that stood in the
    topic when it was called is in `endpoints`.
    """

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        *,
        endpoints: Callable[[str], Endpoint | None],
        catch_up: Callable[[], Awaitable[None]],
        states: States,
        attempts: Attempts,
        recorder: Recorder,
        teller: Teller,
        ledger: Ledger,
        metrics: NotifyMetrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._endpoints = endpoints
        self._catch_up = catch_up
        self._states = states
        self._attempts = attempts
        self._recorder = recorder
        self._teller = teller
        self._ledger = ledger
        self._metrics = metrics
        self._clock = clock
        self.lanes = Lanes(
            outbox,
            Views(endpoints, states.get),
            settings.notify_endpoint_concurrency,
            self._park,
        )
        outbox.on_pending = self._note_pending
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = Places(settings.notify_concurrency, settings.notify_slow_concurrency)
        self._loop = asyncio.get_running_loop()
        self._has_reason = False
        self._roomy = asyncio.Event()
        self._late_roomy = asyncio.Event()
        self._paused = True
        self._woken_at = 0.0
        self._failed: BaseException | None = None
        self._turned_at = self._loop.time()

    # What others tell it

    def wake(self) -> None:
        """Say that something may be begun that could not before."""
        if not self._has_reason:
            self._has_reason = True
            self._woken_at = self._loop.time()
            self._loop.call_soon(self._turn)

    def touch(self, endpoint_id: str) -> None:
        """Say that something about an endpoint has changed."""
        self.lanes.drop_loaded(endpoint_id)
        self.lanes.touch(endpoint_id)
        self.wake()

    def resume(self) -> None:
        """Begin attempts from now on, with what waits in the outbox first."""
        self.lanes.begin()
        self._paused = False
        self.wake()

    def accept(
        self, delivery: Delivery, receipt: tuple[int, int], *, is_late: bool = False
    ) -> None:
        """Take in the delivery of an alert that stands at `receipt` of its topic.

        `is_late` if it was put off. After `drain` it is forgotten: its alert is not committed.
        """
        if not self._paused:
            self.lanes.add(delivery, receipt, self._now(), is_late=is_late)
            self.wake()

    def waiting(self, article_id: str) -> int:
        """Return how many alerts of the article wait for their first attempt."""
        return self.lanes.waiting(article_id)

    def may_pass(self, endpoint_id: str) -> bool:
        """Say whether others' alerts may go before one for this endpoint."""
        return self.lanes.may_pass(endpoint_id)

    def note_behind(self) -> None:
        """Note that more alerts wait to be read than are read at once."""
        self.lanes.note_behind(self._now())

    async def room(self) -> None:
        """Return when more alerts may be taken in, or when none will be any more."""
        while not (self._paused or self._has_room()):
            self._roomy.clear()
            await self._roomy.wait()

    async def late_room(self) -> None:
        """Return when alerts that were put off may be taken in, or none will be any more."""
        while not (self._paused or self._has_late_room()):
            self._late_roomy.clear()
            await self._late_roomy.wait()

    def _has_late_room(self) -> bool:
        return self.lanes.late() < LATE_MOST and self._has_room()

    def _has_room(self) -> bool:
        if len(self._recorder) >= MOST_UNRECORDED:
            return False
        return self.lanes.fresh < self._settings.notify_fresh_alerts

    def is_in_hand(self, endpoint_id: str, delivery_id: str) -> bool:
        """Say whether an attempt at the delivery is under way, or it waits in memory alone."""
        return self.lanes.is_in_hand(endpoint_id, delivery_id)

    def _note_pending(self, endpoint_id: str, due_at: float, check: bool) -> None:
        if not self._paused:
            self.lanes.note_pending(endpoint_id, due_at, check)
            self.wake()

    async def drain(self, limit_s: float) -> None:
        """Begin nothing more and let the attempts in hand finish, those that do in `limit_s`.

        What they came to is written down. The others are broken off: they stay
        due, or their alerts are not committed, and whoever owns them next
        repeats them with the same webhook-id.
        """
        self._paused = True
        self._end_waits()
        deadline = self._loop.time() + limit_s
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=limit_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        left_s = max(0.5, deadline - self._loop.time())
        try:
            async with asyncio.timeout(left_s):
                await self._recorder.flush()
        except TimeoutError:
            log.warning("some results could not be written down in time", count=len(self._recorder))
        self.forget()

    async def break_off(self) -> None:
        """End the attempts that are under way; nothing of them is written down."""
        self._paused = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Forget what waits in memory; nothing may be in hand."""
        self.lanes.clear()
        self._places.clear()
        self._end_waits()

    def _end_waits(self) -> None:
        self._roomy.set()
        self._late_roomy.set()

    def problem(self) -> str | None:
        """Return what is wrong, for /healthz."""
        stalled_s = self._loop.time() - self._turned_at
        return f"no turn for {stalled_s:.0f} s" if stalled_s > STALL_S else None

    # The loop

    async def run(self) -> None:
        """Dispatch until cancelled. Raises what an attempt raised unexpectedly."""
        measure_at = 0.0
        while self._failed is None:
            self._turned_at = self._loop.time()
            self._turn()
            if self._turned_at >= measure_at:
                self._measure()
                # Counting a million takes a while: then it is done less often.
                took_s = self._loop.time() - self._turned_at
                wait_s = min(MEASURE_SHARE * took_s, MOST_UNMEASURED_S)
                measure_at = self._turned_at + max(MEASURE_S, wait_s)
            await asyncio.sleep(TURN_S)
        raise self._failed

    def _now(self) -> float:
        return self._clock().timestamp()

    def _turn(self) -> None:
        """Begin what can be begun. Called on its own again and again, and when there is reason."""
        if self._has_reason:
            self._places.note_late(self._loop.time() - self._woken_at)
        self._has_reason = False
        if self._paused or self._failed is not None:
            return
        now = self._now()
        self._note_slow(now - SLOW_S)
        is_crowded = self.lanes.fresh > self._settings.notify_fresh_alerts * CROWDED_SHARE
        self.lanes.park_old(now - (CROWDED_S if is_crowded else FRESH_S))
        self.lanes.wake(now)
        for trust in Trust:
            self._begin_some(trust, now)
        if self._has_room():
            self._roomy.set()
        if self._has_late_room():
            self._late_roomy.set()

    def _begin_some(self, trust: Trust, now: float) -> None:
        """Begin what there are places for; where it is not proven, a few before others' turn."""
        begun = 0
        while self._has_place(trust):
            if trust is not Trust.PROVEN and begun >= UNSURE_A_TURN:
                return self.wake()
            job = self.lanes.take(trust, now, backlog=self._places.has_for_backlog())
            if job is None:
                return None
            self._begin(job, now)
            begun += 1
        return None

    def _has_place(self, trust: Trust) -> bool:
        """Say whether a request to an endpoint of this trust may be begun."""
        if len(self._recorder) >= MOST_UNRECORDED:
            return False
        return self._places.has(trust, self._loop.time())

    def _note_slow(self, before: float) -> None:
        for job in self._places.note_slow(before):
            if job.receipt is not None:
                self._park(job)

    def _measure(self) -> None:
        self._metrics.pending.set(self._outbox.count(DeliveryState.PENDING) + self.lanes.fresh)
        self._metrics.held.set(self._outbox.count(DeliveryState.HELD))
        self._metrics.under_way.labels("quick").set(len(self._tasks) - self._places.slow)
        self._metrics.under_way.labels("slow").set(self._places.slow)
        self._metrics.oldest_due_seconds.set(self.lanes.most_overdue(self._now()))
        self._metrics.show_states(self._states.all(), self._endpoints, self._clock())

    # One attempt

    def _begin(self, job: Job, now: float) -> None:
        endpoint = self._endpoints(job.lane.endpoint_id)
        if endpoint is not None and self._asks(job, endpoint):
            pace(job.lane, endpoint, now)
        task = asyncio.create_task(self._deliver(job, endpoint))
        self._tasks.add(task)
        next_at = self._places.take(job, self._loop.time())
        if next_at is not None:
            self._loop.call_at(next_at, self.wake)
        task.add_done_callback(partial(self._end, job))

    def _asks(self, job: Job, endpoint: Endpoint) -> bool:
        """Say whether a request will be made: what is only ended does not use up the rate."""
        return not job.is_expired and disabled_by(endpoint, self._states.get(endpoint.id)) is None

    def _end(self, job: Job, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._places.leave(job)
        self.lanes.over(job)
        if task.cancelled():
            self.lanes.recorded(job)
        elif (error := task.exception()) is not None:
            self._failed = error
        self.wake()

    async def _deliver(self, job: Job, endpoint: Endpoint | None) -> None:
        delivery = job.delivery
        if delivery.telling is None:
            return self._bury_empty(job)
        if endpoint is None:
            # A new one may stand in its topic without having been read yet.
            await self._catch_up()
            if self._endpoints(delivery.endpoint_id) is not None:
                # It was let go as if for nobody: it has its turn again, as its endpoint wants it.
                job.is_over = True
                self._recorder.add(Entry((delivery,), done=partial(self._recorded, job)))
                return None
        tried = await self._attempts.make(job, endpoint, self._states.get(delivery.endpoint_id))
        job.is_over = True  # at once: what is parked after its result would be sent again
        verdict = conclude(tried, delivery, endpoint)
        self._note_lane(job, tried)
        before = None if endpoint is None else self._states.standing(endpoint)
        state = self._note_state(delivery, endpoint, tried)

        def done() -> None:
            self._recorded(job)
            self._teller.attempted(delivery, verdict, endpoint, tried, before=before)

        self._recorder.add(
            Entry(
                deliveries=(verdict.delivery,),
                attempt=verdict.attempt,
                letter=self._letter(delivery, verdict),
                state=state,
                done=done,
            )
        )
        return None

    def _note_lane(self, job: Job, tried: Tried) -> None:
        failure, lane = tried.failure, job.lane
        lane.trust = Trust.PROVEN if failure is None else Trust.DOUBTED
        if failure is None or failure.reason is not AttemptReason.SLOW_DOWN:
            return
        if failure.retry_after is not None:
            ended_at = tried.started_at + tried.took
            lane.quiet_until = (ended_at + min(failure.retry_after, MOST_QUIET)).timestamp()

    def _note_state(
        self, delivery: Delivery, endpoint: Endpoint | None, tried: Tried
    ) -> EndpointState | None:
        """Return the endpoint's new state where it is worth writing down."""
        if endpoint is None:
            return None
        now = tried.started_at + tried.took
        if delivery.notice is not None and delivery.notice.type is NoticeType.ENDPOINT_VERIFY:
            return self._states.note_check(endpoint, tried.failure, now)
        if delivery.notice is not None and delivery.notice.type is NoticeType.ENDPOINT_TEST:
            return None
        before = self._states.get(endpoint.id)
        state = self._states.note(endpoint, tried.failure, now)
        was, now_is = (disabled_by(endpoint, each) for each in (before, state))
        if state is not None and was is None and now_is is not None:
            self._teller.disabled(endpoint, state, now)
        return state

    # What is written down

    def _park(self, job: Job) -> None:
        """Write an alert's delivery down as pending: it has to wait, or its request takes long."""
        receipt, job.receipt = job.receipt, None
        is_begun = job.begun_at > 0

        def done() -> None:
            if receipt is not None:
                self._ledger.done(*receipt)
            if not is_begun:
                self.lanes.parked(job)
            self.wake()

        self._recorder.add(Entry(deliveries=(job.delivery,), done=done))

    def _recorded(self, job: Job) -> None:
        receipt, job.receipt = job.receipt, None
        if receipt is not None:
            self._ledger.done(*receipt)
        self.lanes.recorded(job)
        self.wake()

    def _letter(self, before: Delivery, verdict: Verdict) -> DeadLetter | None:
        if verdict.dead is None:
            return None
        return self._recorder.letter(before, verdict.dead, verdict.attempt.detail)

    def _bury_empty(self, job: Job) -> None:
        """Give up a pending delivery that tells nothing; this program writes none such."""
        job.is_over = True
        detail = "a pending delivery without its alert"
        self._recorder.give_up(job.delivery, detail, done=partial(self._recorded, job))
