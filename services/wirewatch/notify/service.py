"""The notify service: put together, run, stopped."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from wirewatch.notify.dispatcher import Dispatcher
from wirewatch.notify.intake import Intake
from wirewatch.notify.metrics import NotifyMetrics
from wirewatch.notify.outbox import Outbox, outbox_path
from wirewatch.notify.sender import Sender
from wirewatch.runtime.kafka import GroupReader, Producer, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.topic_admin import cluster_id, require_co_partitioned
from wirewatch.topics import ALERTS, DELIVERIES, ENDPOINTS
from wirewatch.topics.endpoints import Endpoint

DRAIN_SHARE = 0.5
"""The share of a time limit (to stop, to give partitions up) that attempts in hand may use."""
FORGET_EVERY_S = 60.0
FORGET_AT_ONCE = 500

log = get_logger("notify")


async def main(context: Context) -> None:
    """Deliver alerts until `context.stopping`; then finish what is in hand, leave the group.

    Raises Problem when it cannot start.
    """
    settings = context.settings
    cluster = await cluster_id(settings)
    await require_co_partitioned(settings, ALERTS, DELIVERIES)
    outbox = Outbox(outbox_path(settings, cluster), context.clock)
    sender = Sender(settings)
    producer = Producer(settings, context.service, context.clock)
    worker = Worker(context, outbox, sender, producer)
    try:
        await producer.start()
        await worker.run()
    finally:
        await worker.stop()
        await sender.close()
        await producer.stop()
        outbox.close()


class Worker:
    """One worker of the group: owns some partitions of alerts and their deliveries.

    Alerts are read and deliveries attempted only while the outbox holds
    everything that its partitions of `deliveries` held when they were taken over.
    """

    def __init__(
        self, context: Context, outbox: Outbox, sender: Sender, producer: Producer
    ) -> None:
        settings = self._settings = context.settings
        metrics = NotifyMetrics(context.registry)
        on_unreadable = bury_unreadable(producer, metrics.unreadable)
        self._context = context
        self._outbox = outbox
        self._producer = producer
        self._intake = Intake(outbox, producer, metrics, context.clock)
        endpoints: MemoryTable[Endpoint] = MemoryTable(lambda *_: self._dispatcher.wake())
        self._endpoints = Projection(settings, ENDPOINTS, endpoints, on_unreadable)
        self._deliveries = Projection(settings, DELIVERIES, outbox, on_unreadable)
        self._dispatcher = Dispatcher(
            settings,
            outbox,
            endpoints=endpoints,
            catch_up=self._endpoints.catch_up,
            post=sender,
            results=producer,
            metrics=metrics,
            clock=context.clock,
        )
        self._reader = GroupReader(
            settings,
            context.service,
            ALERTS,
            on_unreadable,
            on_assigned=self._on_assigned,
            on_revoked=self._on_revoked,
        )
        self._partitions: set[int] = set()
        self._is_ours = asyncio.Event()
        self._turn = asyncio.Lock()
        self._taking_over: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Work until asked to stop, then finish what is in hand. Raises what goes wrong."""
        self._report_health()
        await self._endpoints.start()
        await self._deliveries.start(())
        await self._reader.start()
        self._context.started()
        loops = [
            asyncio.create_task(self._take_alerts(), name="take alerts"),
            asyncio.create_task(self._dispatcher.run(), name="dispatch"),
            asyncio.create_task(self._forget_ended(), name="forget"),
        ]
        self._context.health.alive["dispatcher"] = self._dispatcher.problem
        stopping = asyncio.create_task(self._context.stopping.wait())
        try:
            watched: list[asyncio.Future[Any]] = [stopping, self._failed, *loops]
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in (self._failed, *loops):
                if task.done():
                    task.result()
            async with self._turn:  # the alerts in hand become deliveries and are committed
                self._is_ours.clear()
            await self._dispatcher.drain(self._settings.stop_timeout_s * DRAIN_SHARE)
        finally:
            await _end([stopping, *loops])

    async def stop(self) -> None:
        """Leave the group and disconnect."""
        self._is_ours.clear()
        await self._end_take_over()
        await self._dispatcher.drain(0)
        await self._reader.stop()
        await self._deliveries.stop()
        await self._endpoints.stop()
        if self._failed.done() and not self._failed.cancelled():
            self._failed.exception()  # has been seen

    def _report_health(self) -> None:
        health = self._context.health
        health.alive["deliveries"] = self._deliveries.problem
        health.alive["endpoints"] = self._endpoints.problem
        health.ready["partitions"] = self._unready

    def _unready(self) -> str | None:
        if self._is_ours.is_set():
            return None
        return "deliveries are still being read" if self._partitions else "no partitions yet"

    # Partitions come and go. These are called by the group while it rebalances.

    async def _on_revoked(self, _: set[int]) -> None:
        async with self._turn:  # the batch in hand is committed first
            self._is_ours.clear()
        await self._end_take_over()
        await self._dispatcher.drain(self._settings.session_timeout_s * DRAIN_SHARE)
        self._partitions = set()

    async def _on_assigned(self, partitions: set[int]) -> None:
        """Begin to take over. Not waited for here: meanwhile no heartbeat would be sent."""
        self._partitions = partitions
        await self._end_take_over()
        self._taking_over = asyncio.create_task(self._take_over(partitions), name="take over")
        self._taking_over.add_done_callback(self._note_failure)

    async def _take_over(self, partitions: set[int]) -> None:
        self._outbox.keep_only(partitions)
        await self._deliveries.follow(partitions)
        log.info(
            "partitions taken over",
            partitions=sorted(partitions),
            pending=self._outbox.pending_count(),
        )
        self._is_ours.set()
        self._dispatcher.resume()

    async def _end_take_over(self) -> None:
        if self._taking_over is not None:
            await _end([self._taking_over])
            self._taking_over = None

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._failed.done():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)

    # The loops

    async def _take_alerts(self) -> None:
        while True:
            await self._is_ours.wait()
            async with self._turn:
                if not self._is_ours.is_set():
                    continue
                records = await self._reader.poll()
                alerts = [record.value for record in records if record.value is not None]
                if alerts and await self._intake.accept(alerts, self._partitions):
                    self._dispatcher.wake()
                await self._reader.commit(records)

    async def _forget_ended(self) -> None:
        """Send tombstones for deliveries that ended long ago, a few at a time."""
        remember = timedelta(days=self._settings.notify_remember_days)
        while True:
            await asyncio.sleep(FORGET_EVERY_S)
            await self._is_ours.wait()
            before = self._context.clock() - remember
            for ended in self._outbox.ended_before(before, FORGET_AT_ONCE):
                position = await self._producer.delete(DELIVERIES, ended.id, ended.endpoint_id)
                if position.partition in self._partitions:
                    self._outbox.remove(ended.id, position)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
