"""An operator's own entities in a match worker on a real Kafka: in force at once, and after it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from fakes.match import Start, found, match_workers, story
from fakes.news import subscription
from wirewatch.entities.own import described, own_id
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, ENTITIES, SUBSCRIPTIONS
from wirewatch.topics.alerts import Alert
from wirewatch.topics.entities import Entity, Kind
from wirewatch.topics.ids import alert_id

pytestmark = pytest.mark.timeout(600)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
BOUND_S = 1.0
"""A change is promised to be in force after it."""


def acme(names: str) -> Entity:
    key = own_id("Acme", Kind.ORGANISATION)
    entity = Entity(
        id=key, kind=Kind.ORGANISATION, labels={}, name="Acme", names={"en": names}, created_at=NOW
    )
    return described(entity, NOW)


@pytest.fixture
async def start(kafka_settings: Settings, free_ports: Callable[[int], int]) -> AsyncIterator[Start]:
    """Return a function that starts the worker, again if need be."""
    async with match_workers(kafka_settings, free_ports) as start:
        yield start


async def test_an_own_entity_is_in_force_at_once_whichever_comes_first(
    kafka_settings: Settings,
    producer: Producer,
    start: Start,
) -> None:
    number = 0

    async def alerts_of(title: str) -> list[Alert]:
        """Send an article, and return its alerts once a later one was told of."""
        nonlocal number
        number += 1
        sent = story(title, number)
        mark = story("mark", number, key=sent.story_id)
        await producer.send(ARTICLES, sent)
        await producer.send(ARTICLES, mark)
        there = await found(kafka_settings, [alert_id("sub_mark", mark.id)])
        return [alert for alert in there if alert.id == alert_id("sub_1", sent.id)]

    first = await start()
    await producer.send(SUBSCRIPTIONS, subscription("mark", id="sub_mark"))
    await producer.send(SUBSCRIPTIONS, subscription("entity:Acme"))
    assert await alerts_of("Acme of Russia grows") == []
    await producer.send(ENTITIES, acme("Acme; ACME Corp"))
    await asyncio.sleep(BOUND_S)

    [alert] = await alerts_of("Acme of Russia grows again")
    assert {each.name for each in alert.entities} >= {"Acme", "Russia"}
    assert alert.proofs[0].entity_id == acme("Acme").id

    await producer.send(ENTITIES, acme("Apex Ltd"))
    await asyncio.sleep(BOUND_S)
    assert await alerts_of("Acme once more") == []
    assert len(await alerts_of("Apex Ltd, which was Acme")) == 1

    first.kill()
    await start()
    assert len(await alerts_of("Apex Ltd after a kill")) == 1

    await producer.delete(ENTITIES, acme("Acme").id)
    await asyncio.sleep(BOUND_S)
    assert await alerts_of("Apex Ltd, which is nobody's now") == []
