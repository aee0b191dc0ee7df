"""Kafka is killed and comes back: what was being sent, read and committed goes on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wirewatch.runtime.kafka import GroupReader, Producer
from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import create_topics
from wirewatch.topics import FEEDS
from wirewatch.topics.feeds import Feed

AT = datetime(2026, 11, 23, tzinfo=UTC)
RECORDS = 400


def feed(number: int) -> Feed:
    return Feed(id=f"feed_{number}", url=f"https://x/{number}", created_at=AT, updated_at=AT)


async def _never(message: object, error: Exception) -> None:
    raise AssertionError(f"unreadable: {message} {error}")


@pytest.mark.timeout(180)
async def test_a_killed_broker_loses_nothing(
    kafka: str, tmp_path: Path, free_ports: Callable[[int], int]
) -> None:
    settings = Settings(kafka_port=free_ports(2), instance="x", session_timeout_s=6)
    broker = LocalKafka(tmp_path, cache_dir=settings.cache_dir, port=settings.kafka_port)
    await asyncio.to_thread(broker.start)
    try:
        await create_topics(settings)
        producer = Producer(settings, "test")
        await producer.start()
        table: MemoryTable[Feed] = MemoryTable()
        projection = Projection(settings, FEEDS, table, _never)
        await projection.start()
        reader = GroupReader(settings, "test", FEEDS, _never)
        await reader.start()
        read: set[str] = set()

        async def send() -> None:
            for number in range(RECORDS):
                await producer.send(FEEDS, feed(number))

        async def consume() -> None:
            while len(read) < RECORDS or len(table) < RECORDS:
                records = await reader.poll()
                read.update(record.key for record in records)
                await reader.commit(records)

        consuming = asyncio.create_task(consume())
        sending = asyncio.create_task(send())
        while len(table) < RECORDS // 4:  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.01)
        broker.kill()
        await asyncio.sleep(1)
        assert not sending.done()
        await asyncio.to_thread(broker.start)
        await sending
        async with asyncio.timeout(60):
            await consuming

        assert read == {record.id for record in table} == {feed(n).id for n in range(RECORDS)}
        assert projection.problem() is None
        await reader.stop()
        await projection.stop()
        await producer.stop()
    finally:
        broker.stop()
