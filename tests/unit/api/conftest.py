"""An API around a log that is a list: no Kafka."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from wirewatch.api.app import make_app
from wirewatch.api.metrics import ApiMetrics
from wirewatch.api.service import new_api
from wirewatch.api.store import Api, Tables, new_tables
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.observe import Health
from wirewatch.runtime.vault import Vault, secrets_of
from wirewatch.topics.alerts import Alert, ArticleDigest, Field, Proof
from wirewatch.topics.attempts import Attempt, Outcome
from wirewatch.topics.entities import Alias, Entity, Kind

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VAULT = Vault([b"v" * 32, b"o" * 32])


FOOLAND = Entity(
    id="Q1",
    kind=Kind.COUNTRY,
    labels={"en": "Fooland"},
    aliases=(Alias(text="Fooland", language="en"), Alias(text="Foo", language="en")),
)
"""All that the catalogue of these tests ships."""


@dataclass
class FakeLog:
    """Takes what is sent, in order; as a Producer, it answers with the position."""

    sent: list = field(default_factory=list)

    async def send(self, topic, record):
        self.sent.append((topic.name, record))
        return Position(0, len(self.sent))

    async def send_all(self, topic, records):
        return [await self.send(topic, record) for record in records]

    async def delete(self, topic, key, place=None):
        self.sent.append((topic.name, key))
        return Position(0, len(self.sent))


@dataclass
class Clock:
    """Stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """An API that runs, and what is behind it."""

    client: TestClient
    log: FakeLog
    tables: Tables
    gazetteer: Gazetteer
    clock: Clock
    registry: CollectorRegistry
    api: Api
    vault: Vault = VAULT

    def secrets(self):
        """Return the secrets in the endpoint that was written last."""
        return secrets_of(self.log.sent[-1][1], VAULT)

    def read(self, table, *records) -> None:
        """Let `table` read `records`, as its projection would."""
        table.apply([Received(Position(0, 1_000 + i), _key(r), r) for i, r in enumerate(records)])


def _key(record) -> str:
    names = ("feed_id", "id", "endpoint_id")
    return next((key for name in names if (key := getattr(record, name, ""))), "")


async def _world(*, loopback_only: bool) -> World:
    log, clock, registry = FakeLog(), Clock(), CollectorRegistry()
    gazetteer = Gazetteer(Catalogue([FOOLAND]))
    tables = new_tables(clock, gazetteer)
    metrics = ApiMetrics(registry)
    api = new_api(
        tables,
        log,
        gazetteer,
        vault=VAULT,
        metrics=metrics,
        clock=clock,
        loopback_only=loopback_only,
    )
    client = TestClient(TestServer(make_app(api, Health()), access_log=None))
    await client.start_server()
    return World(client, log, tables, gazetteer, clock, registry, api)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """An API bound to this machine only."""
    made = await _world(loopback_only=True)
    yield made
    await made.client.close()


@pytest.fixture
async def open_world() -> AsyncIterator[World]:
    """An API bound to all addresses."""
    made = await _world(loopback_only=False)
    yield made
    await made.client.close()


AT = datetime(2026, 3, 1, 11, 58, tzinfo=UTC)


def article(**changes) -> ArticleDigest:
    fields = {
        "id": "art_1",
        "story_id": "art_1",
        "revision": 1,
        "url": "https://news.example/storm",
        "title": "Storm hits coast",
        "summary": "A storm.",
        "language": "en",
        "source": "news.example",
        "feed_id": "feed_1",
        "feed_title": "News",
        "authors": (),
        "published_at": AT,
        "fetched_at": AT,
    }
    return ArticleDigest(**(fields | changes))


def proof(**changes) -> Proof:
    fields = {
        "leaf": "storm",
        "field": Field.TITLE,
        "start": 0,
        "end": 5,
        "text": "Storm",
        "snippet": "Storm hits coast",
        "mark_start": 0,
        "mark_end": 5,
    }
    return Proof(**(fields | changes))


def alert(**changes) -> Alert:
    fields = {
        "id": "alert_1",
        "endpoint_id": "end_1",
        "subscription_id": "sub_1",
        "subscription_name": "Storms",
        "query": "storm",
        "article": article(),
        "proofs": (proof(),),
        "found_at": AT,
    }
    return Alert(**(fields | changes))


def attempt(**changes) -> Attempt:
    fields = {
        "delivery_id": "msg_1",
        "alert_id": "alert_1",
        "subscription_id": "sub_1",
        "endpoint_id": "end_1",
        "number": 1,
        "outcome": Outcome.DELIVERED,
        "status": 200,
        "started_at": AT,
        "duration_ms": 12,
    }
    return Attempt(**(fields | changes))


@pytest.fixture
def make() -> SimpleNamespace:
    """Records as the other services write them; keyword arguments change fields."""
    return SimpleNamespace(article=article, proof=proof, alert=alert, attempt=attempt, at=AT)
