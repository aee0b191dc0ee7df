"""ingest: poll the feeds of this worker's partitions."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from wirewatch.ingest.fetch import Fetcher
from wirewatch.ingest.metrics import IngestMetrics
from wirewatch.ingest.poller import Poller
from wirewatch.runtime.kafka import GroupReader, OnUnreadable, Producer, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import Projection
from wirewatch.topics import FEED_STATES, FEEDS

STUCK_AFTER = timedelta(seconds=30)

log = get_logger("ingest")


async def main(context: Context) -> None:
    """Run until `context.stopping`; then finish the fetches in hand and leave the group."""
    metrics = IngestMetrics(context.registry)
    producer = Producer(context.settings, context.service, context.clock)
    on_unreadable = bury_unreadable(producer, _counter(metrics, context.settings.topic_prefix))
    fetcher = Fetcher(context.settings)
    poller = Poller(context.settings, fetcher, producer, metrics, context.clock)
    shard = _Shard(context, poller, on_unreadable)
    await producer.start()
    try:
        await fetcher.start()
        await shard.start()
        await poller.run(shard.feed_states, context.stopping)
    finally:
        await poller.close()
        await shard.stop()
        await fetcher.stop()
        await producer.stop()


def _counter(metrics: IngestMetrics, prefix: str) -> Callable[[str], None]:
    return lambda topic: metrics.unreadable_records.labels(topic.removeprefix(prefix)).inc()


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
        self._problem: str | None = "no partitions yet"
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

    async def _stay(self) -> None:
        while True:
            await self._group.poll()

    async def _assigned(self, partitions: set[int]) -> None:
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
        await self._poller.close()

    async def stop(self) -> None:
        """Leave the group."""
        if self._membership is not None:
            self._membership.cancel()
            await asyncio.gather(self._membership, return_exceptions=True)
        await self._group.stop()
        await self._feeds.stop()
        await self.feed_states.stop()
