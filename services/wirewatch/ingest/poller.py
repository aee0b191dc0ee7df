"""Look at what is due, as many feeds at once as is allowed, and remember how it went."""

import asyncio
from collections import Counter, deque
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from wirewatch.documents.errors import DocumentProblem
from wirewatch.ingest import health
from wirewatch.ingest import state as states
from wirewatch.ingest.book import StateBook
from wirewatch.ingest.errors import as_fetch_problem
from wirewatch.ingest.kit import Kit
from wirewatch.ingest.line import Line
from wirewatch.ingest.poll import FeedLooker, Look, bounds_of
from wirewatch.ingest.subscriber import Subscriber
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.topics import FEED_ENTRIES
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed
from wirewatch.topics.pushes import Push
from wirewatch.web.errors import FetchProblem
from wirewatch.web.gate import HostGate

TURN_S = 1.0
"""So often the poller looks after itself: what it shows, what is left of removed feeds."""
LEAST_NAP_S = 0.005
SAVE_EVERY_S = 0.5
HAND_OVER_S = 3.0
"""Looks in hand may take so long when their partitions move; well below the session time-out."""
MAX_PUSHES = 20
"""Pushes of one feed that wait; more are dropped, and the next look finds what they said."""

log = get_logger("ingest")


class Poller:
    """Looks at the feeds of this worker's partitions.

    `feeds` and `feed_states` are the tables of its projections. A feed is
    never looked at twice at the same time.
    """

    def __init__(
        self,
        kit: Kit,
        looker: FeedLooker,
        subscriber: Subscriber,
    ) -> None:
        settings = kit.settings
        self._concurrency = settings.ingest_concurrency
        self._looker = looker
        self._subscriber = subscriber
        self._producer = kit.producer
        self._entries = kit.entries
        self._metrics = kit.metrics
        self._clock = kit.clock
        self._bounds = bounds_of(settings)
        self.feeds: MemoryTable[Feed] = MemoryTable(self._feed_changed)
        self._book = StateBook(kit.producer, self._state_changed)
        self.feed_states = self._book.table
        self._line = Line(
            HostGate(
                concurrency=settings.ingest_host_concurrency,
                spacing=timedelta(seconds=settings.ingest_host_spacing_s),
            )
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._pushes: dict[str, deque[Push]] = {}
        self._orphans: set[str] = set()
        self._healths: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._open = False
        self.turned_at = kit.clock()

    # What the tables tell

    def _feed_changed(self, feed_id: str, old: Feed | None, new: Feed | None) -> None:
        state = self.feed_states.get(feed_id)
        self._count_health(old, state, -1)
        self._count_health(new, state, +1)
        if new is not None:
            self._plan(new)
            return
        self._line.drop(feed_id)
        self._pushes.pop(feed_id, None)
        self._book.drop(feed_id)
        if old is not None and self._open:
            self._orphans.add(feed_id)

    def _state_changed(self, feed_id: str, old: FeedState | None, new: FeedState | None) -> None:
        feed = self.feeds.get(feed_id)
        self._count_health(feed, old, -1)
        self._count_health(feed, new, +1)
        if feed is not None:
            self._plan(feed)

    def _count_health(self, feed: Feed | None, state: FeedState | None, by: int) -> None:
        if feed is not None:
            self._healths[health.of(feed, state)] += by

    def _plan(self, feed: Feed) -> None:
        if feed.paused:
            self._line.drop(feed.id)
        elif self._open and feed.id not in self._running:
            state = states.usable(self._book.get(feed.id), feed, self._clock())
            self._line.put(feed.id, states.address(state), state.next_fetch_at)
            self._wake_at(state.next_fetch_at)

    # Opening and closing

    def open(self, projection: Projection[FeedState]) -> None:
        """Begin to look: the tables hold all there is of this worker's partitions."""
        self._book.open(projection)
        self._open = True
        for feed in self.feeds:
            self._plan(feed)
        # Feeds that were removed while nobody held their partition.
        self._orphans |= {s.feed_id for s in self.feed_states if self.feeds.get(s.feed_id) is None}
        self._start_due()

    async def close(self) -> None:
        """Begin no more looks; finish those in hand, at most HAND_OVER_S, and drop the rest."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if tasks := set(self._running.values()):
            _, late = await asyncio.wait(tasks, timeout=HAND_OVER_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        with suppress(TimeoutError):
            async with asyncio.timeout(HAND_OVER_S):
                await self._book.save()

    async def run(self, stopping: asyncio.Event) -> None:
        """Look after what has no moment of its own, until `stopping`."""
        saver = asyncio.create_task(self._save_often(), name="save states")
        try:
            await self._turn_until(stopping, saver)
        finally:
            saver.cancel()
            await asyncio.gather(saver, return_exceptions=True)

    async def _turn_until(self, stopping: asyncio.Event, saver: asyncio.Task[None]) -> None:
        while not stopping.is_set():
            if saver.done():
                saver.result()  # it ends only by a failure
            self.turned_at = self._clock()
            await self._forget_orphans()
            self._start_due()
            self._show()
            try:
                async with asyncio.timeout(TURN_S):
                    await stopping.wait()
            except TimeoutError:
                continue

    # Starting what is due

    def _wake_at(self, at: datetime) -> None:
        """Make sure that what is due is started at `at`, or soon after."""
        if not self._open:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max(LEAST_NAP_S, (at - self._clock()).total_seconds())
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._start_due()

    def _start_due(self) -> None:
        if not self._open:
            return
        now = self._clock()
        while len(self._running) < self._concurrency:
            feed_id = self._line.take(now)
            if feed_id is None:
                break
            self._start(feed_id)
        else:
            return  # whoever ends starts the next
        if (first := self._line.first()) is not None:
            self._wake_at(first)

    def _start(self, feed_id: str) -> None:
        feed = self.feeds.get(feed_id)
        if feed is None:
            return
        before = states.usable(self._book.get(feed_id), feed, self._clock())
        url = states.address(before)
        task = asyncio.create_task(self._look(feed, before, url), name=f"look at {feed.url}")
        self._begin(feed_id, task)

    def _begin(self, feed_id: str, task: asyncio.Task[None]) -> None:
        self._running[feed_id] = task
        task.add_done_callback(partial(self._ended, feed_id))

    def _ended(self, feed_id: str, task: asyncio.Task[None]) -> None:
        del self._running[feed_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("look crashed", feed=feed_id, error=repr(error))
        if not self._open:
            return
        feed = self.feeds.get(feed_id)
        if feed is not None:
            self._plan(feed)
            self._start_push(feed)
        self._start_due()

    # One look

    async def _look(self, feed: Feed, before: FeedState, url: str) -> None:
        problem: FetchProblem | None = None
        try:
            look = await self._looker.fetch(feed, before)
        except Exception as error:  # noqa: BLE001 - one feed's crash is one failed fetch
            problem = self._problem(feed, error)
            look = Look(self._failed(feed, before, problem), 0)
        finally:
            self._line.leave(url, self._clock(), problem)
        if problem is None:
            self._note_success(feed, before, look)
            look = await self._subscriber.after_look(feed, before, look)
        await self._keep(feed, look.state)

    def _problem(self, feed: Feed, error: Exception) -> FetchProblem:
        if not isinstance(error, FetchProblem | DocumentProblem):
            log.error("look crashed", feed=feed.url, error=repr(error), exc_info=error)
        return as_fetch_problem(error)

    def _note_success(self, feed: Feed, before: FeedState, look: Look) -> None:
        self._metrics.fetches.labels("changed" if look.published else "unchanged").inc()
        if before.failures:
            log.info("feed recovered", feed=feed.url, failures=before.failures)
        if look.state.location != before.location:
            log.info("feed has moved", feed=feed.url, to=look.state.location)

    def _failed(self, feed: Feed, before: FeedState, problem: FetchProblem) -> FeedState:
        self._metrics.fetches.labels("failed").inc()
        self._metrics.failures.labels(problem.reason).inc()
        after = states.after_failure(feed, before, self._clock(), self._bounds, problem)
        tell = log.warning if before.failures == 0 else log.debug
        tell(
            "feed fails",
            feed=feed.url,
            reason=problem.reason.value,
            detail=problem.detail,
            next_fetch_at=after.next_fetch_at.isoformat(),
        )
        return after

    async def _keep(self, feed: Feed, state: FeedState) -> None:
        if self.feeds.get(feed.id) is not None:  # else it was removed meanwhile
            await self._book.put(state)

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await self._book.save()

    # Pushes

    def take_push(self, push: Push) -> None:
        """Take in what a hub says of a feed; it is acted on at once, one after the other."""
        waiting = self._pushes.setdefault(push.feed_id, deque(maxlen=MAX_PUSHES))
        waiting.append(push)
        feed = self.feeds.get(push.feed_id)
        if feed is None:
            del self._pushes[push.feed_id]
        elif self._open:
            self._start_push(feed)

    def _start_push(self, feed: Feed) -> None:
        waiting = self._pushes.get(feed.id)
        if not waiting or feed.id in self._running:
            return
        push = waiting.popleft()
        if not waiting:
            del self._pushes[feed.id]
        self._line.drop(feed.id)
        task = asyncio.create_task(self._take_push(feed, push), name=f"push of {feed.url}")
        self._begin(feed.id, task)

    async def _take_push(self, feed: Feed, push: Push) -> None:
        before = states.usable(self._book.get(feed.id), feed, self._clock())
        await self._keep(feed, await self._subscriber.take(feed, before, push))

    # Housekeeping

    async def _forget_orphans(self) -> None:
        while self._orphans and self._open:
            feed_id = self._orphans.pop()
            if self.feeds.get(feed_id) is not None:
                continue
            self._entries.remove(feed_id, await self._producer.delete(FEED_ENTRIES, feed_id))
            await self._book.delete(feed_id)

    def _show(self) -> None:
        for name in health.Health:
            self._metrics.feeds.labels(name).set(self._healths[name])
        since = self._line.overdue_since() if self._open else None
        late = (self._clock() - since).total_seconds() if since else 0.0
        self._metrics.lag_seconds.set(max(0.0, late))
