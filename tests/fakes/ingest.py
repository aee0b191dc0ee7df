"""Ingest workers in this process, and what they wrote."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from wirewatch.ingest.service import main
from wirewatch.runtime.kafka import LogReader, read_all
from wirewatch.runtime.lifecycle import Context, run_until_stopped
from wirewatch.runtime.observe import Health
from wirewatch.runtime.settings import Settings
from wirewatch.topics.spec import Topic


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - it looks at what others do
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never came to pass: {what}")


class Worker:
    """An ingest worker in this process."""

    def __init__(self, settings: Settings) -> None:
        self.context = Context("ingest", settings, CollectorRegistry(), Health())
        self.task = asyncio.create_task(run_until_stopped(main, self.context))

    def problems(self) -> list[str]:
        checks = self.context.health.alive | self.context.health.ready
        return [problem for check in checks.values() if (problem := check()) is not None]

    def is_ready(self) -> bool:
        if self.task.done():
            self.task.result()
        return "partitions" in self.context.health.ready and not self.problems()

    def count(self, name: str, **labels: str) -> float:
        found = self.context.registry.get_sample_value(f"wirewatch_ingest_{name}", labels)
        assert found is not None
        return found

    async def stop(self) -> None:
        self.context.stopping.set()
        await self.task


Start = Callable[..., Awaitable[Worker]]
"""Starts a worker and waits until it is ready."""


async def held(settings: Settings, topic: Topic[Any]) -> list[Any]:
    """Return all records of a topic as (key, value); the value of a tombstone is None."""

    async def never(message: object, error: Exception) -> None:
        raise AssertionError(f"unreadable: {message} {error}")

    reader = LogReader(settings, topic, never)
    await reader.start()
    found = [(record.key, record.value) async for record in read_all(reader)]
    await reader.stop()
    return found


RUN = (
    "from wirewatch.ingest.service import main\n"
    "from wirewatch.runtime.lifecycle import run_service\n"
    "from wirewatch.runtime.settings import load_settings\n"
    "raise SystemExit(run_service('ingest', main, load_settings()))\n"
)


def spawn(settings: Settings) -> subprocess.Popen[bytes]:
    """Start a worker as a process of its own."""
    names = ("kafka", "topic_prefix", "instance", "session_timeout_s", "metrics_port")
    env = os.environ | {f"WIREWATCH_{n.upper()}": str(getattr(settings, n)) for n in names}
    env |= {
        "WIREWATCH_ALLOW_NETWORKS": ",".join(settings.allow_networks),
        "WIREWATCH_INGEST_INTERVAL_S": "1",
        "WIREWATCH_INGEST_INTERVAL_MAX_S": "1",
        "WIREWATCH_INGEST_HOST_SPACING_S": "0",
        "WIREWATCH_INGEST_HOST_CONCURRENCY": "8",
        "WIREWATCH_DATA_DIR": str(settings.data_dir),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.Popen([sys.executable, "-c", RUN], env=env, stderr=subprocess.DEVNULL)
