"""match: articles x subscriptions -> alerts, on Faust."""

import asyncio
from collections.abc import Sequence
from typing import Any

from wirewatch.index.index import warm_up
from wirewatch.match.agent import ArticleBatch, add_agent
from wirewatch.match.app import articles_topic, build_app
from wirewatch.match.keeper import Keeper
from wirewatch.match.ledger import release_to
from wirewatch.match.metrics import MatchMetrics
from wirewatch.match.progress import Progress
from wirewatch.match.standing import Standing
from wirewatch.runtime.garbage import collect_rarely, settle_memory
from wirewatch.runtime.kafka import Producer, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.topic_admin import GroupLag
from wirewatch.topics import ARTICLES, SUBSCRIPTIONS
from wirewatch.topics.entities import ENTITIES, Entity

LOOK_EVERY_S = 10.0
log = get_logger("match")


async def main(context: Context) -> None:
    """Run until `context.stopping`; then finish the batch in hand, commit, leave the group."""
    collect_rarely()
    settings, metrics = context.settings, MatchMetrics(context.registry)
    producer = Producer(settings, context.service, context.clock)
    on_unreadable = bury_unreadable(producer, metrics.unreadable)
    keeper = Keeper.open(settings, metrics, context.clock)
    standing = keeper.standing
    subscriptions = Projection(settings, SUBSCRIPTIONS, standing, on_unreadable)
    own = MemoryTable[Entity](keeper.take_entity)
    entities = Projection(settings, ENTITIES, own, on_unreadable)
    context.health.alive["subscriptions"] = subscriptions.problem
    context.health.alive["entities"] = entities.problem
    try:
        await producer.start()
        await asyncio.to_thread(warm_up, standing.matcher.finder)
        begun_at = context.clock()
        await entities.start()  # first: subscriptions ask for them by name
        await subscriptions.start(standing.partitions)
        await keeper.settle(begun_at)
        settle_memory()
        log.info("subscriptions loaded", subscriptions=len(standing.matcher))
        keeping = asyncio.create_task(keeper.keep(subscriptions.catch_up), name="keep snapshots")
        try:
            followed = (subscriptions, entities)
            await _run_faust(context, standing, followed, producer, metrics)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
    finally:
        await subscriptions.stop()
        await entities.stop()
        await keeper.close()
        await producer.stop()


async def _run_faust(
    context: Context,
    standing: Standing,
    followed: Sequence[Projection[Any]],
    producer: Producer,
    metrics: MatchMetrics,
) -> None:
    app = build_app(context.settings)
    batch = ArticleBatch(
        lambda: standing.matcher,
        producer,
        metrics,
        on_unreadable=bury_unreadable(producer, metrics.unreadable),
        clock=context.clock,
        release=release_to(app),
    )
    add_agent(app, articles_topic(app, context.settings), batch, context.settings)
    progress = Progress()

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def joined(*_: Any, **__: Any) -> None:
        context.started()  # also with no partitions: a spare worker is ready to take over

    context.health.alive["progress"] = lambda: progress.problem(context.clock())
    context.health.alive["faust"] = lambda: repr(app.crash_reason) if app.crashed else None
    await app.start()
    look = _look(context, app, progress, batch, metrics)
    looking = asyncio.create_task(look, name="look at progress")
    try:
        await _until_an_end(context, app, batch, followed)
    finally:
        looking.cancel()
        try:
            await batch.close()
        finally:
            await app.stop()


async def _until_an_end(
    context: Context, app: Any, batch: ArticleBatch, followed: Sequence[Projection[Any]]
) -> None:
    """Return when the service is to stop; raise what keeps it from going on."""
    stopping = asyncio.create_task(context.stopping.wait())
    crashed = asyncio.create_task(app._crashed.wait())  # noqa: SLF001 - mode has no other way
    # Who matches without hearing of changes would be believed and wrong.
    ended = [asyncio.create_task(each.ended()) for each in followed]
    ends: set[asyncio.Future[Any]] = {stopping, crashed, *ended, batch.failed}
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, crashed, *ended):
            task.cancel()
    if batch.failed.done():
        batch.failed.result()
    for each in ended:
        if each.done() and not each.cancelled():
            each.result()
    if app.crashed:
        raise RuntimeError("the Faust app has crashed") from app.crash_reason


def _assigned(app: Any) -> set[int]:
    return {tp.partition for tp in app.assignor.assigned_actives()}


async def _look(
    context: Context, app: Any, progress: Progress, batch: ArticleBatch, metrics: MatchMetrics
) -> None:
    lag = GroupLag(context.settings, context.settings.shard.group, ARTICLES)
    well = True
    try:
        await lag.start()
        while True:
            try:
                committed, ends = await lag.look(_assigned(app))
                behind = progress.note(committed, ends, context.clock(), told=batch.told)
                metrics.lag_records.set(behind)
                well = True
            except Exception:
                # Kafka is away; said once, and looked for again: this task must not end.
                if well:
                    log.warning("the group's offsets cannot be seen", exc_info=True)
                well = False
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await lag.stop()
