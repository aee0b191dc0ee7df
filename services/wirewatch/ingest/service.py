"""ingest: poll the feeds of this worker's partitions."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from wirewatch.ingest.fetch import Fetcher
from wirewatch.ingest.metrics import IngestMetrics
from wirewatch.ingest.poller import Poller
from wirewatch.runtime.kafka import GroupReader, OnUnreadable, Producer, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import Projection
from wirewatch.runtime.topic_admin import require_co_partitioned
from wirewatch.topics import FEED_STATES, FEEDS

STUCK_AFTER = timedelta(seconds=30)

log = get_logger("ingest")


async def main(context: Context) -> None:
    """Run until `context.stopping`; then finish the fetches in hand and leave the group."""
    metrics = IngestMetrics(context.registry)
    producer = Producer(context.settings, context.service, context.clock)
    on_unreadable = bury_unreadable(producer, metrics.unreadable)
    fetcher = Fetcher(context.settings)
    poller = Poller(context.settings, fetcher, producer, metrics, context.clock)
    shard = _Shard(context, poller, on_unreadable)
    await require_co_partitioned(context.settings, FEEDS, FEED_STATES)
    await producer.start()
    try:
        await fetcher.start()
        await shard.start()
        context.started()
        await _until_done(poller.run(shard.feed_states, context.stopping), shard.failed)
    finally:
        await poller.close()
        await shard.stop()
        await fetcher.stop()
        await producer.stop()


async def _until_done(work: Coroutine[Any, Any, None], failed: asyncio.Future[None]) -> None:
    """Wait for `work` to end; raise what `failed` gets before that."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, failed}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        await _end(task)
        failed.result()
    task.result()


class _Shard:
    """The partitions that are this worker's: their feeds and states at hand, the poller open."""

    def __init__(self, context: Context, poller: Poller, on_unreadable: OnUnreadable) -> None:
        settings = context.settings
        self._poller = poller
        self._feeds = Projection(settings, FEEDS, poller.feeds, on_unreadable)
        self.feed_states = Projection(settings, FEED_STATES, poller.feed_states, on_unreadable)
        self._group = GroupReader(
            settings,
            context.service,
            FEEDS,
            on_unreadable,
            on_assigned=self._assigned,
            on_revoked=self._revoked,
            shards_only=True,
        )
        self._membership: asyncio.Task[None] | None = None
        self._taking_over: asyncio.Task[None] | None = None
        self._problem: str | None = "no partitions yet"
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        context.health.ready["partitions"] = lambda: self._problem
        context.health.alive["feeds"] = self._feeds.problem
        context.health.alive["feed-states"] = self.feed_states.problem
        context.health.alive["poller"] = lambda: (
            "the poller stands still" if context.clock() - poller.turned_at > STUCK_AFTER else None
        )

    async def start(self) -> None:
        """Load nothing yet, join the group; partitions come with it."""
        await self._feeds.start(())
        await self.feed_states.start(())
        await self._group.start()
        self._membership = asyncio.create_task(self._stay(), name="stay in the group")
        self._membership.add_done_callback(self._note_failure)

    async def _stay(self) -> None:
        while True:
            await self._group.poll()

    async def _assigned(self, partitions: set[int]) -> None:
        """Begin to take over. Not waited for here: meanwhile no heartbeat would be sent."""
        await self._end_take_over()
        self._taking_over = asyncio.create_task(self._take_over(partitions), name="take over")
        self._taking_over.add_done_callback(self._note_failure)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        """End the service: aiokafka would swallow what its callbacks raise."""
        if not task.cancelled() and not self.failed.done() and (error := task.exception()):
            self.failed.set_exception(error)

    async def _take_over(self, partitions: set[int]) -> None:
        await self.feed_states.follow(partitions)
        await self._feeds.follow(partitions)
        self._problem = None
        self._poller.open()
        log.info(
            "partitions assigned", partitions=sorted(partitions), feeds=len(self._poller.feeds)
        )

    async def _revoked(self, partitions: set[int]) -> None:
        if partitions:
            self._problem = "partitions are moving"
        await self._end_take_over()
        await self._poller.close()

    async def _end_take_over(self) -> None:
        await _end(self._taking_over)
        self._taking_over = None

    async def stop(self) -> None:
        """Leave the group."""
        await _end(self._membership)
        await self._end_take_over()
        await self._group.stop()
        await self._feeds.stop()
        await self.feed_states.stop()


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
