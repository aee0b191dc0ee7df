"""A local API in a thread of its own, and the command line as a person uses it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from wirewatch.api.app import make_app
from wirewatch.api.metrics import ApiMetrics
from wirewatch.api.service import new_api
from wirewatch.api.store import Tables, new_tables
from wirewatch.cli.main import app
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.runtime.kafka import Position
from wirewatch.runtime.observe import Health
from wirewatch.runtime.vault import Vault

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VAULT = Vault([b"v" * 32])
Run = Callable[..., Result]


class FakeLog:
    """Takes what is sent; as a Producer, it answers with the position."""

    def __init__(self) -> None:
        self.sent = []

    async def send(self, topic, record):
        self.sent.append(record)
        return Position(0, len(self.sent))

    async def send_all(self, topic, records):
        return [await self.send(topic, record) for record in records]

    async def delete(self, topic, key, place=None):
        self.sent.append(key)
        return Position(0, len(self.sent))


@pytest.fixture
def gazetteer() -> Gazetteer:
    """The names that the API knows: none but own ones."""
    return Gazetteer(Catalogue([]))


@pytest.fixture
def tables(gazetteer: Gazetteer) -> Tables:
    """What the API has read."""
    return new_tables(lambda: NOW, gazetteer)


@pytest.fixture
def wirewatch() -> Run:
    """Run the command line with these words; nothing but words goes in and comes out."""

    def run(*words: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner(env={"COLUMNS": "80"}).invoke(app, list(words), input=stdin)

    return run


@pytest.fixture
def api(tables: Tables, gazetteer: Gazetteer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLog]:
    """An API that answers where the command line looks for it; the log behind it."""
    log = FakeLog()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> TestServer:
        api = new_api(
            tables, log, gazetteer, vault=VAULT, metrics=ApiMetrics(CollectorRegistry()),
            clock=lambda: NOW, loopback_only=True,
        )  # fmt: skip
        server = TestServer(make_app(api, Health()), access_log=None)
        await server.start_server()
        return server

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    monkeypatch.setenv("WIREWATCH_API_URL", f"http://127.0.0.1:{server.port}")
    try:
        yield log
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
