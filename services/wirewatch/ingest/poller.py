"""Fetch what is due, publish what is new, remember how it went.

Articles are acknowledged before the state that says so is sent: a crash in
between repeats them under the same ids and loses none.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from wirewatch.ingest import state as states
from wirewatch.ingest.article import make_article
from wirewatch.ingest.change import Changes, find_changes
from wirewatch.ingest.due import DueQueue
from wirewatch.ingest.errors import FeedProblem
from wirewatch.ingest.fetch import Document, Fetcher, Validators
from wirewatch.ingest.metrics import HEALTHS, IngestMetrics
from wirewatch.ingest.parse import ParsedFeed, parse_feed
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, FEED_STATES
from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.feeds import Feed

FETCHES_PER_HOST = 2
HOST_BUSY_WAIT = timedelta(milliseconds=200)
LONGEST_NAP_S = 1.0
HAND_OVER_S = 3.0
"""Fetches in hand may take so long when their partitions move; well below the session time-out."""

log = get_logger("ingest")


class Poller:
    """Fetches the feeds of this worker's partitions.

    `feeds` and `feed_states` are the tables of its projections; their
    changes must be told to `feed_changed` and `state_changed`.
    """

    def __init__(
        self,
        settings: Settings,
        fetcher: Fetcher,
        producer: Producer,
        metrics: IngestMetrics,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._producer = producer
        self._metrics = metrics
        self._clock = clock
        self.feeds: MemoryTable[Feed] = MemoryTable(self._feed_changed)
        self.feed_states: MemoryTable[FeedState] = MemoryTable(self._state_changed)
        self._due = DueQueue()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._hosts: Counter[str] = Counter()
        self._orphans: set[str] = set()
        self._wake = asyncio.Event()
        self._open = False
        self.turned_at = clock()

    def _feed_changed(self, feed_id: str, old: Feed | None, new: Feed | None) -> None:
        if new is None:
            self._due.drop(feed_id)
            if old is not None and self._open:
                self._orphans.add(feed_id)
        else:
            self._plan(new)
        self._wake.set()

    def _state_changed(self, feed_id: str, _: FeedState | None, __: FeedState | None) -> None:
        feed = self.feeds.get(feed_id)
        if feed is not None:
            self._plan(feed)

    def _plan(self, feed: Feed) -> None:
        if feed.paused:
            self._due.drop(feed.id)
        elif feed.id not in self._running:
            state = states.usable(self.feed_states.get(feed.id), feed, self._clock())
            self._due.put(feed.id, state.next_fetch_at)

    def open(self) -> None:
        """Begin to fetch: the tables hold all there is of this worker's partitions."""
        self._open = True
        for feed in self.feeds:
            self._plan(feed)
        # Feeds that were removed while nobody held their partition.
        self._orphans |= {s.feed_id for s in self.feed_states if self.feeds.get(s.feed_id) is None}
        self._wake.set()

    async def close(self) -> None:
        """Start no more fetches; finish those in hand, at most HAND_OVER_S, and drop the rest."""
        self._open = False
        tasks = set(self._running.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=HAND_OVER_S)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def run(self, projection: Projection[FeedState], stopping: asyncio.Event) -> None:
        """Fetch what is due until `stopping`."""
        while not stopping.is_set():
            self.turned_at = self._clock()
            await self._forget_orphans(projection)
            if self._open:
                self._start_due(projection)
            self._show()
            await self._nap(stopping)

    async def _nap(self, stopping: asyncio.Event) -> None:
        first = self._due.first() if self._open else None
        wait_s = LONGEST_NAP_S
        if first is not None:
            wait_s = min(wait_s, max(0.01, (first - self._clock()).total_seconds()))
        if len(self._running) >= self._settings.ingest_concurrency:
            wait_s = LONGEST_NAP_S
        self._wake.clear()
        waiting = [asyncio.ensure_future(e.wait()) for e in (self._wake, stopping)]
        await asyncio.wait(waiting, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()

    def _start_due(self, projection: Projection[FeedState]) -> None:
        now = self._clock()
        while len(self._running) < self._settings.ingest_concurrency:
            feed_id = self._due.take(now)
            if feed_id is None:
                return
            feed = self.feeds.get(feed_id)
            if feed is None:
                continue
            host = _host(feed.url)
            if self._hosts[host] >= FETCHES_PER_HOST:
                self._due.put(feed_id, now + HOST_BUSY_WAIT)
                continue
            self._hosts[host] += 1
            task = asyncio.create_task(self._poll(feed, projection), name=f"fetch {feed.url}")
            self._running[feed_id] = task
            task.add_done_callback(partial(self._done, feed_id, host))

    def _done(self, feed_id: str, host: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("poll crashed", feed=feed_id, error=repr(error))
        del self._running[feed_id]
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]
        feed = self.feeds.get(feed_id)
        if feed is not None and self._open:
            self._plan(feed)
        self._wake.set()

    async def _poll(self, feed: Feed, projection: Projection[FeedState]) -> None:
        before = states.usable(self.feed_states.get(feed.id), feed, self._clock())
        try:
            after = await self._fetch(feed, before)
        except FeedProblem as problem:
            after = self._failed(feed, before, problem)
        except Exception as error:
            log.exception("fetch crashed", feed=feed.url)
            after = self._failed(feed, before, FeedProblem(FetchReason.BROKEN, repr(error)))
        if self.feeds.get(feed.id) is not None:  # else it was removed meanwhile
            position = await self._producer.send(FEED_STATES, after)
            projection.put(after, position)

    async def _fetch(self, feed: Feed, before: FeedState) -> FeedState:
        validators = Validators(before.etag, before.last_modified)
        with self._metrics.fetch_seconds.time():
            found = await self._fetcher.fetch(feed.url, validators, self._clock())
        changes, title = None, None
        if isinstance(found, Document):
            parsed, changes = await asyncio.to_thread(self._read, feed, before, found)
            title = parsed.title
            await self._publish(feed, changes)
        changed = changes is not None and bool(changes.new or changes.revised)
        self._metrics.fetches.labels("changed" if changed else "unchanged").inc()
        if before.failures:
            log.info("feed recovered", feed=feed.url, failures=before.failures)
        return states.after_success(
            before,
            self._clock(),
            self._interval(feed),
            etag=found.validators.etag,
            last_modified=found.validators.last_modified,
            title=title,
            seen=changes.seen if changes else None,
            changed=changed,
        )

    def _read(self, feed: Feed, before: FeedState, found: Document) -> tuple[ParsedFeed, Changes]:
        """Parse and compare; runs in a thread, so that a large feed does not hold up the rest."""
        parsed = parse_feed(
            found.body,
            content_type=found.content_type,
            # Not where redirects led today: ids that feedparser makes whole must stay the same.
            url=feed.url,
            max_entries=self._settings.ingest_max_entries,
        )
        now = self._clock()
        made = (make_article(feed, parsed, entry, now) for entry in parsed.entries)
        return parsed, find_changes((article for article in made if article), before.seen)

    async def _publish(self, feed: Feed, changes: Changes) -> None:
        if not changes.new and not changes.revised:
            return
        await self._producer.send_all(ARTICLES, [*changes.new, *changes.revised])
        self._metrics.articles.labels("new").inc(len(changes.new))
        self._metrics.articles.labels("revised").inc(len(changes.revised))
        log.info(
            "articles published",
            feed=feed.url,
            new=len(changes.new),
            revised=len(changes.revised),
        )

    def _failed(self, feed: Feed, before: FeedState, problem: FeedProblem) -> FeedState:
        self._metrics.fetches.labels("failed").inc()
        self._metrics.failures.labels(problem.reason).inc()
        after = states.after_failure(before, self._clock(), self._interval(feed), problem)
        tell = log.warning if before.failures == 0 else log.debug
        tell(
            "feed fails",
            feed=feed.url,
            reason=problem.reason.value,
            detail=problem.detail,
            next_fetch_at=after.next_fetch_at.isoformat(),
        )
        return after

    def _interval(self, feed: Feed) -> timedelta:
        return timedelta(seconds=feed.interval_s or self._settings.ingest_interval_s)

    async def _forget_orphans(self, projection: Projection[FeedState]) -> None:
        while self._orphans:
            feed_id = self._orphans.pop()
            if self.feeds.get(feed_id) is None and self.feed_states.get(feed_id) is not None:
                projection.remove(feed_id, await self._producer.delete(FEED_STATES, feed_id))

    def _show(self) -> None:
        health = Counter(self._health(feed) for feed in self.feeds)
        for name in HEALTHS:
            self._metrics.feeds.labels(name).set(health[name])
        first = self._due.first()
        late = (self._clock() - first).total_seconds() if first and self._open else 0
        self._metrics.lag_seconds.set(max(0.0, late))

    def _health(self, feed: Feed) -> str:
        state = self.feed_states.get(feed.id)
        if feed.paused:
            return "paused"
        if state is None or state.url != feed.url or state.fetched_at is None:
            return "waiting"
        return "failing" if state.failures else "ok"


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
