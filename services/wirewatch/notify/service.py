"""The notify service: put together, run, stopped."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from wirewatch.notify import notices
from wirewatch.notify.attempts import Attempts
from wirewatch.notify.dispatcher import Dispatcher
from wirewatch.notify.forgetting import Forgetting
from wirewatch.notify.holder import Holder
from wirewatch.notify.intake import Intake
from wirewatch.notify.late import LateReader
from wirewatch.notify.ledger import Ledger
from wirewatch.notify.metrics import Event, NotifyMetrics
from wirewatch.notify.outbox import Outbox, outbox_path
from wirewatch.notify.paces import PACED, Paces
from wirewatch.notify.post import Post
from wirewatch.notify.put_off import PutOff
from wirewatch.notify.recorder import Entry, Recorder
from wirewatch.notify.states import States
from wirewatch.notify.telling import Teller
from wirewatch.runtime.cache_file import FROM_ANY_THREAD
from wirewatch.runtime.garbage import collect_rarely, settle_memory
from wirewatch.runtime.kafka import GroupReader, Producer, bury_unreadable, partition_of
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.open_files import raise_open_files
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.topic_admin import cluster_id, require_co_partitioned
from wirewatch.runtime.vault import Vault, load_vault
from wirewatch.topics import ALERTS, DELIVERIES, ENDPOINT_STATES, ENDPOINTS
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import EndpointState, is_verified
from wirewatch.topics.endpoints import Endpoint

DRAIN_SHARE = 0.5
"""The share of a time limit (to stop, to give partitions up) that attempts in hand may use."""
READ_AT_ONCE = 100
"""Alerts; where so many wait, more do."""
YOUNG_OBJECTS = 10_000
"""With 50,000 the garbage collector held up alerts for 50 ms (measured)."""
COMMIT_EVERY_S = 0.25

log = get_logger("notify")


async def main(context: Context) -> None:
    """Deliver alerts until `context.stopping`; then finish what is in hand, leave the group.

    Raises Problem when it cannot start.
    """
    settings = context.settings
    collect_rarely(YOUNG_OBJECTS)
    raise_open_files()
    vault = load_vault(settings)
    cluster = await cluster_id(settings)
    await require_co_partitioned(settings, ALERTS, DELIVERIES)
    await require_co_partitioned(settings, ALERTS, ENDPOINT_STATES)
    outbox = Outbox(outbox_path(settings, cluster), context.clock)
    post = Post(settings)
    producer = Producer(settings, context.service, context.clock, linger_ms=0)
    worker = Worker(context, outbox, post, producer, vault)
    try:
        await producer.start()
        await worker.run()
    finally:
        await worker.stop()
        await post.close()
        await producer.stop()
        outbox.close()


class Worker:
    """One worker of the group: owns some partitions of alerts and their deliveries.

    Alerts are read and deliveries attempted only while the outbox holds
    everything that its partitions of `deliveries` held when they were taken over.
    """

    def __init__(
        self, context: Context, outbox: Outbox, post: Post, producer: Producer, vault: Vault
    ) -> None:
        settings = self._settings = context.settings
        self._context = context
        self._outbox = outbox
        self._producer = producer
        metrics = NotifyMetrics(context.registry)
        on_unreadable = bury_unreadable(producer, metrics.unreadable)
        self._recorder = Recorder(
            outbox,
            producer,
            topic_prefix=settings.topic_prefix,
            clock=context.clock,
            on_given_up=metrics.deliveries.labels(Event.DEAD).inc,
        )
        self._ledger = Ledger()

        self._watching: dict[str, Endpoint] = {}
        endpoint_table: MemoryTable[Endpoint] = MemoryTable(self._endpoint_changed)
        state_table: MemoryTable[EndpointState] = MemoryTable()
        paces = Paces()
        self._holder = Holder(
            outbox, self._recorder, pace_of=paces.get, metrics=metrics, clock=context.clock
        )
        paces.on_pace = self._holder.pace_changed
        self._endpoint_table = endpoint_table
        self._endpoints = Projection(settings, ENDPOINTS, endpoint_table, on_unreadable)
        # Of these two nearly everything was written by this worker, and is known to it.
        outbox.on_overtaken = self._write_again
        self._deliveries = Projection(
            settings,
            DELIVERIES,
            outbox,
            on_unreadable,
            is_patient=True,
            bulk=outbox if FROM_ANY_THREAD else None,
        )
        self._endpoint_states = Projection(
            settings, ENDPOINT_STATES, state_table, on_unreadable, is_patient=True
        )
        self._paces = Projection(settings, PACED, paces, on_unreadable)

        self._states = States(state_table, timedelta(days=settings.notify_disable_after_days))
        teller = Teller(
            outbox,
            self._recorder,
            metrics,
            watchers=lambda: list(self._watching.values()),
            clock=context.clock,
        )
        self._dispatcher = Dispatcher(
            settings,
            outbox,
            endpoints=endpoint_table.get,
            catch_up=self._endpoints.catch_up,
            states=self._states,
            attempts=Attempts(post, vault, context.clock, settings.notify_origin),
            recorder=self._recorder,
            teller=teller,
            ledger=self._ledger,
            metrics=metrics,
            clock=context.clock,
        )
        self._put_off = PutOff()
        self._intake = Intake(
            outbox,
            self._recorder,
            self._ledger,
            self._dispatcher,
            self._put_off,
            pace_of=paces.get,
            metrics=metrics,
            clock=context.clock,
        )
        self._late = LateReader(settings, self._put_off, self._intake, self._dispatcher)
        self._forgetting = Forgetting(
            outbox,
            self._intake,
            self._states,
            producer,
            endpoint=endpoint_table.get,
            catch_up=self._endpoints.catch_up,
            owns=self._owns,
            remember=timedelta(days=settings.notify_remember_days),
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
        self._all_partitions = 0
        self._is_ours = asyncio.Event()
        self._turn = asyncio.Lock()
        self._taking_over: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Work until asked to stop, then finish what is in hand. Raises what goes wrong."""
        self._report_health()
        await self._endpoints.start()
        await self._paces.start()
        await self._endpoint_states.start(())
        await self._deliveries.start(self._count_partitions)
        recording = asyncio.create_task(self._recorder.run(), name="record")
        await self._late.start()
        await self._reader.start()
        self._context.started()
        loops = [
            asyncio.create_task(self._take_alerts(), name="take alerts"),
            asyncio.create_task(self._late.run(self._is_ours), name="take late alerts"),
            asyncio.create_task(self._dispatcher.run(), name="dispatch"),
            asyncio.create_task(self._commit(), name="commit"),
            asyncio.create_task(self._holder.run(self._is_ours), name="hold"),
            asyncio.create_task(self._forgetting.run(self._is_ours), name="forget"),
        ]
        self._context.health.alive["dispatcher"] = self._dispatcher.problem
        stopping = asyncio.create_task(self._context.stopping.wait())
        try:
            watched: list[asyncio.Future[Any]] = [stopping, self._failed, recording, *loops]
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in (self._failed, recording, *loops):
                if task.done():
                    task.result()
            await self._let_go(self._settings.stop_timeout_s * DRAIN_SHARE)
        finally:
            await _end([stopping, *loops, recording])

    async def stop(self) -> None:
        """Leave the group and disconnect."""
        self._is_ours.clear()
        await self._end_take_over()
        await self._dispatcher.break_off()
        await self._reader.stop()
        await self._late.stop()
        for projection in (self._deliveries, self._endpoint_states, self._paces, self._endpoints):
            await projection.stop()
        if self._failed.done() and not self._failed.cancelled():
            self._failed.exception()  # has been seen

    def _count_partitions(self, count: int) -> tuple[int, ...]:
        """Note how many partitions there are; none is followed before it is assigned."""
        self._all_partitions = count
        return ()

    def _report_health(self) -> None:
        health = self._context.health
        for projection in (self._deliveries, self._endpoints, self._endpoint_states, self._paces):
            health.alive[projection.name] = projection.problem
        health.ready["partitions"] = self._unready

    def _unready(self) -> str | None:
        if self._is_ours.is_set():
            return None
        return "deliveries are still being read" if self._partitions else "no partitions yet"

    # Partitions come and go. These are called by the group while it rebalances.

    async def _on_revoked(self, _: set[int]) -> None:
        await self._let_go(self._settings.session_timeout_s * DRAIN_SHARE)
        await self._end_take_over()
        self._states.clear()
        self._partitions = set()

    async def _let_go(self, limit_s: float) -> None:
        """Take in no more, finish what is in hand, and commit what is done."""
        self._is_ours.clear()
        draining = asyncio.create_task(self._dispatcher.drain(limit_s))
        # Who takes alerts in has seen that they are not ours any more.
        async with self._turn, self._late.turn:
            await draining
            self._dispatcher.forget()
            self._intake.forget()
            self._late.forget()
        await self._reader.commit_offsets(self._ledger.due())
        self._ledger.clear()
        self._recorder.partitions = frozenset()  # what is late belongs to whoever is next

    async def _on_assigned(self, partitions: set[int]) -> None:
        """Begin to take over. Not waited for here: meanwhile no heartbeat would be sent."""
        self._partitions = partitions
        await self._end_take_over()
        self._taking_over = asyncio.create_task(self._take_over(partitions), name="take over")
        self._taking_over.add_done_callback(self._note_failure)

    async def _take_over(self, partitions: set[int]) -> None:
        self._outbox.keep_only(partitions)
        self._outbox.begin_filling()
        await self._endpoint_states.follow(partitions)
        await self._deliveries.follow(partitions)
        self._outbox.end_filling()
        self._recorder.partitions = frozenset(partitions)
        log.info("partitions taken over", partitions=sorted(partitions))
        settle_memory()  # endpoints and lanes stay; a look at all of them would hold up alerts
        self._is_ours.set()
        self._dispatcher.resume()
        self._holder.begin()
        for endpoint in self._endpoint_table:
            self._verify(endpoint)

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

    # Endpoints come, change and go

    def _endpoint_changed(self, key: str, _: Endpoint | None, endpoint: Endpoint | None) -> None:
        if endpoint is not None and endpoint.events:
            self._watching[key] = endpoint
        else:
            self._watching.pop(key, None)
        if not self._is_ours.is_set():
            return
        if endpoint is not None:
            self._verify(endpoint)
        self._dispatcher.touch(key)

    def _verify(self, endpoint: Endpoint) -> None:
        """Ask an endpoint of ours that has to prove itself and has not; once for each question."""
        if is_verified(endpoint, self._states.get(endpoint.id)):
            return
        if not self._owns(endpoint.id):
            return
        asked = notices.verification(endpoint, self._context.clock())
        if self._outbox.get(asked.id) is None:
            self._recorder.add(Entry(deliveries=(asked,)))

    def _write_again(self, delivery: Delivery) -> None:
        self._recorder.add(Entry(deliveries=(delivery,)))

    def _owns(self, endpoint_id: str) -> bool:
        return partition_of(endpoint_id, self._all_partitions) in self._partitions

    # The loops

    async def _take_alerts(self) -> None:
        while True:
            await self._is_ours.wait()
            async with self._turn:
                if self._is_ours.is_set():
                    records = await self._reader.poll(READ_AT_ONCE)
                    if len(records) >= READ_AT_ONCE:
                        self._dispatcher.note_behind()
                    await self._intake.accept(records)

    async def _commit(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            if self._is_ours.is_set():
                await self._reader.commit_offsets(self._ledger.due())


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
