"""A running wirewatch for each test, between a feed server and a receiver of the test's own."""

from collections.abc import AsyncIterator, Callable

import pytest

from fakes.road import SERVICES, FeedServer, Receiver, Wirewatch
from wirewatch.runtime.settings import Settings


@pytest.fixture
async def feeds() -> AsyncIterator[FeedServer]:
    server = FeedServer()
    runner = await server.start()
    yield server
    await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    runner = await receiver.start()
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def wirewatch(
    kafka_settings: Settings, free_ports: Callable[[int], int]
) -> AsyncIterator[Wirewatch]:
    first = free_ports(len(SERVICES) + 1)
    ports = {service: first + n for n, service in enumerate(SERVICES)}
    running = Wirewatch(kafka_settings, ports, first + len(SERVICES))
    try:
        for service in SERVICES:
            running.start(service)
        await running.ready(*SERVICES)
        yield running
    finally:
        await running.close()
