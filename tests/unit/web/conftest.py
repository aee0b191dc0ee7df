"""One publisher on 127.0.0.1 and a client that may ask it."""

from collections.abc import AsyncIterator

import pytest

from fakes.publisher import Publisher
from wirewatch.web.client import WebClient, user_agent


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    async with Publisher() as publisher:
        yield publisher


@pytest.fixture
async def client() -> AsyncIterator[WebClient]:
    client = WebClient(
        user_agent=user_agent("https://me.example/"), allow=["127.0.0.0/8"], connections=4
    )
    await client.start()
    yield client
    await client.stop()
