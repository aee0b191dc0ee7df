"""ingest: look at the feeds of this worker's partitions."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from wirewatch.ingest.callback import start_callback
from wirewatch.ingest.desk import StoryDesk
from wirewatch.ingest.full_text import FullText
from wirewatch.ingest.hub import open_hub_session
from wirewatch.ingest.kit import Kit
from wirewatch.ingest.metrics import IngestMetrics
from wirewatch.ingest.poll import FeedLooker
from wirewatch.ingest.poller import Poller
from wirewatch.ingest.subscriber import Subscriber
from wirewatch.ingest.workers import Cost, Workers
from wirewatch.runtime.disk_table import DiskTable
from wirewatch.runtime.kafka import GroupReader, OnUnreadable, Producer, Received, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import Projection
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import cluster_id, require_co_partitioned
from wirewatch.topics import FEED_ENTRIES, FEED_STATES, FEEDS, PUSHES
from wirewatch.topics.feed_entries import FeedEntries
from wirewatch.topics.pushes import Push
from wirewatch.web.client import WebClient, user_agent
from wirewatch.web.robots import Robots

STUCK_AFTER = timedelta(seconds=30)
LINGER_MS = 20
"""Many looks are in hand at once, so what each sends can wait to be sent with others' records."""
PAGE_CONNECTIONS = 32
"""Connections for article pages and robots.txt, beside one for each fetch of a feed."""

log = get_logger("ingest")


async def main(context: Context) -> None:
    """Run until `context.stopping`; then finish the looks in hand and leave the group."""
    settings = context.settings
    await require_co_partitioned(settings, FEEDS, FEED_STATES, FEED_ENTRIES, PUSHES)
    path = entries_path(settings, await cluster_id(settings))
    async with AsyncExitStack() as stack:
        metrics = IngestMetrics(context.registry)
        producer = Producer(settings, context.service, context.clock, linger_ms=LINGER_MS)
        await producer.start()
        stack.push_async_callback(producer.stop)
        on_unreadable = bury_unreadable(producer, metrics.unreadable)
        entries = DiskTable(path, FEED_ENTRIES, context.clock)
        stack.callback(entries.close)
        desk = StoryDesk(settings, producer, on_unreadable)
        await desk.start()
        stack.push_async_callback(desk.stop)
        context.health.alive["stories"] = desk.problem
        metrics.stories.set_function(lambda: len(desk))
        kit = await _kit(context, stack, metrics, producer, entries)
        poller = await _poller(kit, stack, desk)
        shard = _Shard(context, poller, entries, on_unreadable)
        stack.push_async_callback(shard.stop)
        stack.push_async_callback(poller.close)
        await shard.start()
        context.started()
        await _until_done(poller.run(context.stopping), shard.failed)


def entries_path(settings: Settings, cluster: str) -> Path:
    """Return where this worker caches what feeds of the Kafka cluster with id `cluster` had."""
    return settings.data_dir / "ingest" / f"{cluster}-{settings.instance}.sqlite3"


async def _kit(
    context: Context,
    stack: AsyncExitStack,
    metrics: IngestMetrics,
    producer: Producer,
    entries: DiskTable[FeedEntries],
) -> Kit:
    settings = context.settings
    client = WebClient(
        user_agent=user_agent(settings.ingest_contact),
        allow=settings.allow_networks,
        ports=settings.allow_ports,
        connections=settings.ingest_concurrency + PAGE_CONNECTIONS,
    )
    await client.start()
    stack.push_async_callback(client.stop)
    cost = Cost(settings.ingest_cpu_s, settings.ingest_memory_bytes)
    workers = Workers(settings.ingest_workers, cost)
    stack.push_async_callback(workers.stop)
    await workers.start()
    return Kit(settings, context.clock, metrics, client, workers, producer, entries)


async def _poller(kit: Kit, stack: AsyncExitStack, desk: StoryDesk) -> Poller:
    looker = FeedLooker(kit, desk, FullText(kit, Robots(kit.client)))
    session = await _open_to_hubs(kit, stack) if kit.settings.ingest_callback_url else None
    return Poller(kit, looker, Subscriber(kit, session, looker))


async def _open_to_hubs(kit: Kit, stack: AsyncExitStack) -> aiohttp.ClientSession:
    """Listen for WebSub hubs, and return the session in which they are asked."""
    settings = kit.settings

    async def publish(push: Push) -> None:
        await kit.producer.send(PUSHES, push)

    server = await start_callback(
        settings.ingest_callback_host,
        settings.ingest_callback_port,
        publish,
        settings.ingest_websub_secret.get_secret_value(),
        lambda outcome: kit.metrics.pushes.labels(outcome).inc(),
        settings.ingest_max_bytes,
    )
    stack.push_async_callback(server.cleanup)
    session = open_hub_session(settings)
    stack.push_async_callback(session.close)
    return session


async def _until_done(work: Coroutine[Any, Any, None], failed: asyncio.Future[None]) -> None:
    """Wait for `work` to end; raise what `failed` gets before that."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, failed}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        await _end(task)
        failed.result()
    task.result()


class _Pushes:
    """What hubs say, as the table of a projection: each push is handed on once and forgotten."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def resume_at(self, partition: int) -> int | None:  # noqa: ARG002 - part of the protocol
        """Return None: nothing is kept."""
        return None

    def apply(self, records: Sequence[Received[Push]]) -> None:
        """Hand pushes on."""
        for record in records:
            if record.value is not None:
                self._poller.take_push(record.value)

    def forget(self, partition: int) -> None:
        """Do nothing: nothing is kept."""


class _Shard:
    """The partitions that are this worker's: their feeds and states at hand, the poller open."""

    def __init__(
        self,
        context: Context,
        poller: Poller,
        entries: DiskTable[FeedEntries],
        on_unreadable: OnUnreadable,
    ) -> None:
        settings = context.settings
        self._poller = poller
        self._entries_table = entries
        self._feeds = Projection(settings, FEEDS, poller.feeds, on_unreadable)
        self._states = Projection(
            settings, FEED_STATES, poller.feed_states, on_unreadable, is_own=True
        )
        self._entries = Projection(settings, FEED_ENTRIES, entries, on_unreadable)
        # A push that came while a partition moved is not lost: the next look finds what it said.
        self._pushes = Projection(settings, PUSHES, _Pushes(poller), on_unreadable, backlog=0)
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
        for projection in self._followed:
            context.health.alive[projection.name] = projection.problem
        context.health.alive["poller"] = lambda: (
            "the poller stands still" if context.clock() - poller.turned_at > STUCK_AFTER else None
        )

    @property
    def _followed(self) -> tuple[Projection[Any], ...]:
        """The projections, in the order in which they must be complete."""
        return (self._entries, self._states, self._feeds, self._pushes)

    async def start(self) -> None:
        """Load nothing yet, join the group; partitions come with it."""
        for projection in self._followed:
            await projection.start(())
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
        self._entries_table.keep_only(partitions)
        for projection in self._followed:
            await projection.follow(partitions)
        self._problem = None
        self._poller.open(self._states)
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
        for projection in self._followed:
            await projection.stop()


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
