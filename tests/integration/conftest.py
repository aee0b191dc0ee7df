"""What the integration tests share."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from fakes.ingest import Start, Worker, until
from fakes.notifying import AT, SECRET, Receiver
from fakes.notifying import Start as StartNotify
from fakes.notifying import Worker as NotifyWorker
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ENDPOINTS
from wirewatch.topics.endpoints import Endpoint


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


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def endpoint(producer: Producer, receiver: Receiver) -> Endpoint:
    """An endpoint that is known, and whose failures are tried again at once."""
    endpoint = Endpoint(
        id="end_a",
        url=receiver.url,
        secret=SECRET,
        retry_schedule_s=(0.05,) * 5,
        created_at=AT,
        updated_at=AT,
    )
    await producer.send(ENDPOINTS, endpoint)
    return endpoint


@pytest.fixture
async def start_notify(kafka_settings: Settings) -> AsyncIterator[StartNotify]:
    """Return a function that starts a notify worker and waits until it is ready."""
    workers: list[NotifyWorker] = []

    async def start(**changes: Any) -> NotifyWorker:
        worker = NotifyWorker(kafka_settings.model_copy(update=changes))
        workers.append(worker)
        await until(worker.is_ready, "the worker is ready")
        return worker

    yield start
    for worker in workers:
        worker.context.stopping.set()
    await asyncio.gather(*(worker.task for worker in workers))
