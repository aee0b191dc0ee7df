"""match: articles x subscriptions -> alerts, on Faust."""

import asyncio
from typing import Any

from wirewatch.entities.catalogue import Catalogue
from wirewatch.match.agent import ArticleBatch, add_agent
from wirewatch.match.app import articles_topic, build_app
from wirewatch.match.matcher import Matcher
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.progress import Progress
from wirewatch.query.errors import QueryError
from wirewatch.runtime.kafka import Producer, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.topic_admin import GroupLag
from wirewatch.topics import ARTICLES, SUBSCRIPTIONS
from wirewatch.topics.subscriptions import Subscription

LOOK_EVERY_S = 10.0

log = get_logger("match")


async def main(context: Context) -> None:
    """Run until `context.stopping`; then finish the batch in hand, commit, leave the group."""
    settings = context.settings
    metrics = MatchMetrics(context.registry)
    producer = Producer(settings, context.service, context.clock)
    on_unreadable = bury_unreadable(producer, metrics.unreadable)
    standing = Standing(Matcher(Catalogue.load()), metrics)
    subscriptions = Projection(
        settings, SUBSCRIPTIONS, MemoryTable[Subscription](standing.change), on_unreadable
    )
    context.health.alive["subscriptions"] = subscriptions.problem
    await producer.start()
    try:
        await subscriptions.start()
        log.info("subscriptions loaded", subscriptions=len(standing.matcher))
        batch = ArticleBatch(standing.matcher, producer, metrics, on_unreadable, context.clock)
        await _run_faust(context, batch, metrics)
    finally:
        await subscriptions.stop()
        await producer.stop()


class Standing:
    """Keeps the matcher in step with the subscriptions topic."""

    def __init__(self, matcher: Matcher, metrics: MatchMetrics) -> None:
        self.matcher = matcher
        self._metrics = metrics
        self._invalid: set[str] = set()

    def change(self, key: str, _: Subscription | None, new: Subscription | None) -> None:
        """Take in one change of the topic. A query that cannot be read is left out, once said."""
        self._invalid.discard(key)
        self.matcher.remove(key)
        if new is not None:
            try:
                self.matcher.put(new)
            except QueryError as error:
                self._invalid.add(key)
                log.warning("subscription left out", subscription=key, error=str(error))
            except Exception:
                # One subscription must not end the projection that all others come through.
                self._invalid.add(key)
                log.exception("subscription left out", subscription=key)
        self._metrics.subscriptions.set(len(self.matcher))
        self._metrics.invalid_subscriptions.set(len(self._invalid))


async def _run_faust(context: Context, batch: ArticleBatch, metrics: MatchMetrics) -> None:
    app = build_app(context.settings)
    add_agent(app, articles_topic(app, context.settings), batch, context.settings)
    progress = Progress()

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def joined(*_: Any, **__: Any) -> None:
        context.started()  # also with no partitions: a spare worker is ready to take over

    context.health.alive["progress"] = lambda: progress.problem(context.clock())
    context.health.alive["faust"] = lambda: repr(app.crash_reason) if app.crashed else None
    await app.start()
    looking = asyncio.create_task(_look(context, app, progress, metrics), name="look at progress")
    try:
        stopping = asyncio.create_task(context.stopping.wait())
        crashed = asyncio.create_task(app._crashed.wait())  # noqa: SLF001 - mode has no other way
        ends: set[asyncio.Future[Any]] = {stopping, crashed, batch.failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        crashed.cancel()
        if batch.failed.done():
            batch.failed.result()
        if app.crashed:
            raise RuntimeError("the Faust app has crashed") from app.crash_reason
    finally:
        looking.cancel()
        try:
            await batch.close()
        finally:
            await app.stop()


def _assigned(app: Any) -> set[int]:
    return {tp.partition for tp in app.assignor.assigned_actives()}


async def _look(context: Context, app: Any, progress: Progress, metrics: MatchMetrics) -> None:
    lag = GroupLag(context.settings, "match", ARTICLES)
    well = True
    try:
        await lag.start()
        while True:
            try:
                committed, ends = await lag.look(_assigned(app))
                metrics.lag_records.set(progress.note(committed, ends, context.clock()))
                well = True
            except Exception:
                # Kafka is away; said once, and looked for again: this task must not end.
                if well:
                    log.warning("the group's offsets cannot be seen", exc_info=True)
                well = False
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await lag.stop()
