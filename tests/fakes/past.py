"""Topics that can be read back, as lists: what `api.logs.Kafka` does with a broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from wirewatch.api.answers import API
from wirewatch.api.app import make_app
from wirewatch.api.logs import Past
from wirewatch.runtime.observe import Health
from wirewatch.topics.spec import Record, Topic

CHUNK = 2
"""Records of one poll: few, so that what is looked for comes in several."""


class FakePast:
    """Holds what was written, and when.

    After so many records of a topic as `cut_after` says, its reading meets its bound.
    """

    def __init__(self) -> None:
        self.written: list[tuple[Topic, datetime, Record]] = []
        self.asked: list[tuple[str, str | None]] = []
        self.cut_after: dict[str, int] = {}
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    def write(self, topic: Topic, at: datetime, *records: Record) -> None:
        self.written += [(topic, at, record) for record in records]

    async def read(self, topic, span, budget, take) -> bool:
        self.asked.append((topic.name, span.place))
        await self.may_go_on.wait()
        found = [
            record
            for of, at, record in self.written
            if of is topic
            and span.since <= at
            and (span.until is None or at < span.until)
            and span.place in (None, topic.place(record))
        ]
        readable = found[: self.cut_after.get(topic.name)]
        for start in range(0, len(readable), CHUNK):
            if not await take(readable[start : start + CHUNK]):
                return True
        return len(readable) == len(found)


@dataclass
class Lived:
    """An API with a past, and what is behind it."""

    client: TestClient
    past: FakePast

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self.client.get(path)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def post(self, path: str, body: dict, status: int = 202, **headers: str) -> Any:
        answer = await self.client.post(path, json=body, headers=headers)
        assert answer.status == status, await answer.text()
        return await answer.json()


@asynccontextmanager
async def live(world: Any) -> AsyncIterator[Lived]:
    """Give the API of `world` a past."""
    past = FakePast()
    api = replace(world.client.app[API], past=Past(past))
    client = TestClient(TestServer(make_app(api, Health()), access_log=None))
    await client.start_server()
    try:
        yield Lived(client, past)
    finally:
        await client.close()
