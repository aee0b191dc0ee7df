"""What happened is read back from a real Kafka, and sent again into it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from fakes.ingest import held
from wirewatch.api.app import make_app
from wirewatch.api.logs import Budget, Kafka, Past, Span
from wirewatch.api.metrics import ApiMetrics
from wirewatch.api.replaying import resend_id
from wirewatch.api.service import new_api
from wirewatch.api.store import Tables, new_tables
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.runtime.clock import utc_now
from wirewatch.runtime.kafka import Position, Producer, Received
from wirewatch.runtime.observe import Health
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.vault import load_vault
from wirewatch.topics import ALERTS, ATTEMPTS, DEAD_LETTERS, DELIVERIES
from wirewatch.topics.alerts import Alert, ArticleDigest
from wirewatch.topics.attempts import Attempt, AttemptReason, Outcome
from wirewatch.topics.codec import encode
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.deliveries import Delivery, DeliveryState
from wirewatch.topics.digests import Digest, DigestWhy
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.ids import delivery_id

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TICK_S = 0.005
"""Kafka tells times apart by the millisecond."""


def alert(number: int, endpoint: str = "end_a") -> Alert:
    now = utc_now()
    article = ArticleDigest(
        id=f"art_{number}", story_id=f"art_{number}", revision=1,
        url=f"https://news.example/{number}", title=f"Meldung {number}", summary="",
        language="de", source="news.example", feed_id="feed_1", feed_title="", authors=(),
        published_at=now, fetched_at=now,
    )  # fmt: skip
    return Alert(
        id=f"alert_{number}", endpoint_id=endpoint, subscription_id="sub_1",
        subscription_name="Panzer", query="Panzer", article=article, proofs=(), found_at=now,
    )  # fmt: skip


def attempt(of: int, /, endpoint: str = "end_a", **changes: Any) -> Attempt:
    fields: dict[str, Any] = {
        "delivery_id": delivery_id(f"alert_{of}", endpoint), "alert_id": f"alert_{of}",
        "subscription_id": "sub_1", "endpoint_id": endpoint, "number": 1,
        "outcome": Outcome.DELIVERED, "status": 200, "started_at": utc_now(), "duration_ms": 1,
    }  # fmt: skip
    return Attempt(**(fields | changes))


def failed(of: int, /, **changes: Any) -> Attempt:
    fields = {"outcome": Outcome.DEAD, "reason": AttemptReason.TIMEOUT, "status": None}
    return attempt(of, **(fields | changes))


class Taken:
    """Takes what is read."""

    def __init__(self, most: int = 1_000) -> None:
        self.records: list[Any] = []
        self.most = most

    async def __call__(self, records: Sequence[Any]) -> bool:
        self.records += records
        return len(self.records) < self.most

    @property
    def ids(self) -> list[str]:
        return [record.id for record in self.records]


async def test_one_partition_is_read_from_one_time_to_another(
    kafka_settings: Settings, producer: Producer
) -> None:
    times = []
    for number in range(4):
        await asyncio.sleep(TICK_S)
        times.append(utc_now())
        await asyncio.sleep(TICK_S)
        await producer.send_all(ALERTS, [alert(number), alert(number, "end_b")])
    kafka = Kafka(kafka_settings)

    async def read(span: Span) -> set[tuple[str, str]]:
        taken = Taken()
        assert await kafka.read(ALERTS, span, Budget(), taken)
        return {(each.id, each.endpoint_id) for each in taken.records}

    from_a = await read(Span(times[1], times[3], "end_a"))
    assert {each for each in from_a if each[1] == "end_a"} == {
        ("alert_1", "end_a"), ("alert_2", "end_a"),
    }  # fmt: skip
    assert len(await read(Span(times[2]))) == 4
    assert await read(Span(utc_now() + timedelta(hours=1))) == set()
    assert len(await read(Span(LONG_AGO))) == 8


async def test_a_reading_ends_at_its_bound_and_leaves_no_consumer_behind(
    kafka_settings: Settings, producer: Producer
) -> None:
    await producer.send_all(ALERTS, [alert(number) for number in range(5)])
    kafka = Kafka(kafka_settings)
    before = len(asyncio.all_tasks())
    span = Span(LONG_AGO, None, "end_a")

    assert not await kafka.read(ALERTS, span, Budget(records=0), Taken())
    assert not await kafka.read(ALERTS, span, Budget(seconds=0), Taken())
    assert await kafka.read(ALERTS, span, Budget(), Taken(most=1))

    began = asyncio.Event()

    async def forever(_: Sequence[Alert]) -> bool:
        began.set()
        await asyncio.sleep(3_600)
        return True

    reading = asyncio.create_task(kafka.read(ALERTS, span, Budget(), forever))
    await began.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before


@dataclass
class Served:
    """An API on the real Kafka."""

    client: TestClient[Any, Any]
    tables: Tables

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status == 202, await answer.text()
        return await answer.json()


@pytest.fixture
async def served(kafka_settings: Settings, producer: Producer) -> AsyncIterator[Served]:
    gazetteer = Gazetteer(Catalogue([]))
    tables = new_tables(utc_now, gazetteer)
    endpoint = Endpoint(
        id="end_a", url="https://receiver.example/a", created_at=LONG_AGO, updated_at=LONG_AGO
    )
    tables.endpoints.apply([Received(Position(0, 0), endpoint.id, endpoint)])
    api = new_api(
        tables, producer, gazetteer, vault=load_vault(kafka_settings),
        metrics=ApiMetrics(CollectorRegistry()), clock=utc_now, loopback_only=True,
        past=Past(Kafka(kafka_settings)),
    )  # fmt: skip
    client = TestClient(TestServer(make_app(api, Health()), access_log=None))
    await client.start_server()
    yield Served(client, tables)
    await client.close()


async def test_what_failed_is_sent_again_once_however_often_it_is_asked(
    kafka_settings: Settings, producer: Producer, served: Served
) -> None:
    await producer.send_all(ALERTS, [alert(number) for number in range(4)])
    since = utc_now()
    await asyncio.sleep(TICK_S)
    await producer.send_all(
        ATTEMPTS, [attempt(0), failed(1), failed(2), attempt(2, number=2), failed(3)]
    )
    body = {"endpoint": "end_a", "since": since.isoformat(), "what": "failed", "id": "r"}

    counted = await served.post("/v1/replays", **body, dry_run=True)
    first = await served.post("/v1/replays", **body)
    await served.post("/v1/replays", **body)

    assert (first["found"], first["sent"], first["delivered"]) == (3, 2, 1)
    assert counted == first | {"dry_run": True}
    again = [record for _, record in await held(kafka_settings, ALERTS) if record.resend_id]
    one, three = (delivery_id(f"alert_{number}", "end_a") for number in (1, 3))
    assert {(each.id, each.resend_id) for each in again} == {
        ("alert_1", resend_id(one, "r")), ("alert_3", resend_id(three, "r")),
    }  # fmt: skip
    assert len(again) == 4  # the second request is sent too, and followed by nobody


async def test_a_digest_that_died_is_put_into_the_outbox_again(
    kafka_settings: Settings, producer: Producer, served: Served
) -> None:
    now = utc_now()
    digest = Digest(
        subscription_id="sub_1", subscription_name="Panzer", query="Panzer",
        why=DigestWhy.SCHEDULE, since=now, until=now, alerts=2, stories=(),
    )  # fmt: skip
    dead = Delivery(
        id="msg_digest", endpoint_id="end_a", attempts=3, due_at=now, created_at=now, digest=digest
    )
    await producer.bury(
        encode(dead), reason=DeadReason.EXHAUSTED, detail="",
        topic=DELIVERIES.full_name(kafka_settings.topic_prefix), key=dead.id,
    )  # fmt: skip

    since = (now - timedelta(hours=1)).isoformat()
    answer = await served.post("/v1/replays", endpoint="end_a", since=since, what="dead", id="r")

    assert (answer["found"], answer["sent"]) == (1, 1)
    ((key, revived),) = await held(kafka_settings, DELIVERIES)
    assert (key, revived.state, revived.attempts) == ("msg_digest", DeliveryState.PENDING, 3)
    assert revived.digest == digest
    assert revived.resend_id == resend_id("msg_digest", "r")
    assert len(await held(kafka_settings, DEAD_LETTERS)) == 1
