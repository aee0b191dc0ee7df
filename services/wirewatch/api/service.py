"""The api service: put together, run, stopped."""

import asyncio
from typing import Any, TypeVar

from wirewatch.api.app import make_app
from wirewatch.api.endpoints import seal_old
from wirewatch.api.errors import Unavailable
from wirewatch.api.guard import is_loopback
from wirewatch.api.logs import Kafka, Nothing, Past
from wirewatch.api.metrics import ApiMetrics
from wirewatch.api.store import BACKLOG, Api, Collection, Sender, Tables, new_tables
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import OnUnreadable, Producer, bury_unreadable
from wirewatch.runtime.lifecycle import Context
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.observe import listen
from wirewatch.runtime.projection import Projection, Table
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.vault import Vault, load_vault
from wirewatch.topics.alerts import ALERTS
from wirewatch.topics.articles import ARTICLES
from wirewatch.topics.attempts import ATTEMPTS
from wirewatch.topics.dead_letters import DEAD_LETTERS
from wirewatch.topics.endpoint_states import ENDPOINT_STATES
from wirewatch.topics.endpoints import ENDPOINTS
from wirewatch.topics.entities import ENTITIES
from wirewatch.topics.feed_states import FEED_STATES
from wirewatch.topics.feeds import FEEDS
from wirewatch.topics.spec import Record, Topic
from wirewatch.topics.subscriptions import SUBSCRIPTIONS

R = TypeVar("R", bound=Record)

SERVICE = "api"
ARTICLES_BACKLOG = 100
"""Articles are only counted: what came in the minutes before a start need not be exact."""

log = get_logger("api")


def projections(
    settings: Settings, tables: Tables, on_unreadable: OnUnreadable
) -> dict[str, Projection[Any]]:
    """Return what keeps `tables` up to date, by the topic's name without prefix."""

    def follow(topic: Topic[R], table: Table[R], backlog: int | None = None) -> Projection[R]:
        return Projection(settings, topic, table, on_unreadable, backlog=backlog)

    return {
        FEEDS.name: follow(FEEDS, tables.feeds),
        FEED_STATES.name: follow(FEED_STATES, tables.feed_states),
        SUBSCRIPTIONS.name: follow(SUBSCRIPTIONS, tables.subscriptions),
        ENDPOINTS.name: follow(ENDPOINTS, tables.endpoints),
        ENDPOINT_STATES.name: follow(ENDPOINT_STATES, tables.endpoint_states),
        ENTITIES.name: follow(ENTITIES, tables.entities),
        ARTICLES.name: follow(ARTICLES, tables.articles_per_minute, ARTICLES_BACKLOG),
        ALERTS.name: follow(ALERTS, tables.alerts, BACKLOG),
        ATTEMPTS.name: follow(ATTEMPTS, tables.attempts, BACKLOG),
        DEAD_LETTERS.name: follow(DEAD_LETTERS, tables.dead_letters, BACKLOG),
    }


def new_api(
    tables: Tables,
    sender: Sender,
    gazetteer: Gazetteer,
    *,
    vault: Vault,
    metrics: ApiMetrics,
    clock: Clock,
    loopback_only: bool,
    past: Past | None = None,
) -> Api:
    """Return what the handlers work with, around `tables` and `sender`.

    Without a `past` what the tables hold is all that is known.
    """
    return Api(
        tables=tables,
        feeds=Collection(FEEDS, tables.feeds, sender),
        subscriptions=Collection(SUBSCRIPTIONS, tables.subscriptions, sender),
        endpoints=Collection(ENDPOINTS, tables.endpoints, sender),
        entities=Collection(ENTITIES, tables.entities, sender),
        gazetteer=gazetteer,
        vault=vault,
        metrics=metrics,
        clock=clock,
        loopback_only=loopback_only,
        sender=sender,
        past=past or Past(Nothing()),
    )


async def main(context: Context) -> None:
    """Serve the API until asked to stop. Raises Problem when it cannot start."""
    settings = context.settings
    vault = load_vault(settings)
    metrics = ApiMetrics(context.registry)
    gazetteer = Gazetteer(Catalogue.load().copy())
    tables = new_tables(context.clock, gazetteer)
    producer = Producer(settings, SERVICE, context.clock)
    following = projections(settings, tables, bury_unreadable(producer, metrics.unreadable))
    for name in following:
        metrics.expect(name)
    api = new_api(
        tables,
        producer,
        gazetteer,
        vault=vault,
        metrics=metrics,
        clock=context.clock,
        loopback_only=is_loopback(settings.api_host),
        past=Past(Kafka(settings)),
    )
    try:
        await producer.start()
        await asyncio.gather(*(projection.start() for projection in following.values()))
        context.health.alive.update({name: p.problem for name, p in following.items()})
        await _seal_old_secrets(api)
        await _serve(api, context)
    finally:
        await asyncio.gather(*(projection.stop() for projection in following.values()))
        await producer.stop()


async def _seal_old_secrets(api: Api) -> None:
    """Seal what an older version kept in the open. Kafka away is no reason not to serve."""
    try:
        counts = await seal_old(api)
    except Unavailable as error:
        log.warning("secrets that stand in the open could not be sealed", reason=str(error))
        return
    if counts.resealed:
        log.info("sealed secrets that stood in the open", endpoints=counts.resealed)


async def _serve(api: Api, context: Context) -> None:
    host, port = context.settings.api_host, context.settings.api_port
    app = make_app(api, context.health)
    server = await listen(app, what="api", host=host, port=port, setting="WIREWATCH_API_PORT")
    try:
        context.started()
        log.info("serving", url=f"http://{host}:{port}/")
        await context.stopping.wait()
    finally:
        await server.cleanup()
