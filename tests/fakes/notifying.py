"""A notify worker in this process or another, alerts for it, and a receiver of what it sends."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from wirewatch.notify.service import main
from wirewatch.runtime.kafka import LogReader, read_all
from wirewatch.runtime.lifecycle import Context, run_until_stopped
from wirewatch.runtime.observe import Health
from wirewatch.runtime.settings import Settings
from wirewatch.topics.alerts import Alert, ArticleDigest
from wirewatch.topics.ids import delivery_id
from wirewatch.topics.spec import Topic

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def alert(number: int, endpoint: str = "end_a") -> Alert:
    return Alert(
        id=f"alert_{number}",
        endpoint_id=endpoint,
        subscription_id="sub_1",
        subscription_name="Panzer",
        query="Panzer",
        article=ArticleDigest(
            id=f"art_{number}",
            story_id=f"story_{number}",
            revision=1,
            url=f"https://news.example/{number}",
            title=f"Meldung {number}",
            summary="",
            language="de",
            source="news.example",
            feed_id="feed_1",
            feed_title="",
            authors=(),
            published_at=AT,
            fetched_at=AT,
        ),
        proofs=(),
        found_at=AT,
    )


def ids(numbers: range, endpoint: str = "end_a") -> set[str]:
    return {delivery_id(f"alert_{number}", endpoint) for number in numbers}


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(40):
            while not condition():  # noqa: ASYNC110 - it looks at what others do
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never came to pass: {what}")


class Receiver:
    """Verifies and collects. Answers the statuses it is given, then 200, after `delay_s`.

    What is sent to a path in `hanging` gets no answer while it stays there.
    An `endpoint.verify` is answered with its challenge.
    """

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.delay_s = 0.0
        self.got: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.hanging: set[str] = set()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        text = await request.text()
        Webhook(SECRET).verify(text, dict(request.headers))
        self.got.append(request.headers["webhook-id"])
        self.paths.append(request.path)
        self.bodies.append(json.loads(text))
        while request.path in self.hanging:  # noqa: ASYNC110 - a test ends it
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.delay_s)
        status = self.statuses.pop(0) if self.statuses else 200
        if self.bodies[-1]["type"] == "endpoint.verify":
            return web.json_response({"challenge": self.bodies[-1]["data"]["challenge"]})
        return web.Response(status=status)

    async def has(self, expected: set[str]) -> None:
        await until(lambda: expected <= set(self.got), f"all of {len(expected)} received")

    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies]


class Worker:
    """A notify worker in this process."""

    def __init__(self, settings: Settings) -> None:
        self.context = Context("notify", settings, CollectorRegistry(), Health())
        self.task = asyncio.create_task(run_until_stopped(main, self.context))

    def problems(self) -> list[str]:
        health = self.context.health
        checks = health.alive | health.ready
        return [problem for check in checks.values() if (problem := check()) is not None]

    def is_ready(self) -> bool:
        if self.task.done():
            self.task.result()
        return bool(self.context.health.ready) and not self.problems()

    async def counts(self, wanted: int, what: str) -> None:
        """Wait until `wanted` deliveries have come to `what`."""
        await until(
            lambda: self.count("deliveries_total", state=what) == wanted, f"{wanted} {what}"
        )

    def count(self, name: str, **labels: str) -> float:
        found = self.context.registry.get_sample_value(f"wirewatch_notify_{name}", labels)
        assert found is not None
        return found

    async def stop(self) -> None:
        self.context.stopping.set()
        await self.task


async def held(settings: Settings, topic: Topic[Any]) -> list[Any]:
    """Return all records of a topic; None for a tombstone."""

    async def never(message: object, error: Exception) -> None:
        raise AssertionError(f"unreadable: {message} {error}")

    reader = LogReader(settings, topic, never)
    await reader.start()
    found = [record.value async for record in read_all(reader)]
    await reader.stop()
    return found


Start = Callable[..., Awaitable[Worker]]


RUN = (
    "from wirewatch.notify.service import main\n"
    "from wirewatch.runtime.lifecycle import run_service\n"
    "from wirewatch.runtime.settings import load_settings\n"
    "raise SystemExit(run_service('notify', main, load_settings()))\n"
)


def spawn(settings: Settings) -> subprocess.Popen[bytes]:
    """Start a worker as a process of its own."""
    names = ("kafka", "topic_prefix", "instance", "data_dir", "session_timeout_s", "metrics_port")
    env = os.environ | {f"WIREWATCH_{n.upper()}": str(getattr(settings, n)) for n in names}
    env |= {
        "WIREWATCH_ALLOW_NETWORKS": ",".join(settings.allow_networks),
        "WIREWATCH_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen([sys.executable, "-c", RUN], env=env, stderr=subprocess.DEVNULL)
