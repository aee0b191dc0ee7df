"""What the integration tests share."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakes.ingest import Start, Worker, until
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings


@pytest.fixture
async def producer(kafka_settings: Settings) -> AsyncIterator[Producer]:
    producer = Producer(kafka_settings, "test")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
async def start(kafka_settings: Settings) -> AsyncIterator[Start]:
    """Return a function that starts an ingest worker and waits until it is ready."""
    workers: list[Worker] = []

    async def start(**changes: Any) -> Worker:
        worker = Worker(kafka_settings.model_copy(update=changes))
        workers.append(worker)
        await until(worker.is_ready, "the worker is ready")
        return worker

    yield start
    for worker in workers:
        worker.context.stopping.set()
    await asyncio.gather(*(worker.task for worker in workers))
