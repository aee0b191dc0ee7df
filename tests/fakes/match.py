"""Match workers as processes of their own, what they are sent, and what they found."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from fakes.ingest import held
from fakes.news import AT, article
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS
from wirewatch.topics.alerts import Alert
from wirewatch.topics.articles import Article

RUN = (
    "import sys\n"
    "{before}\n"
    "from wirewatch.cli.main import main\n"
    "sys.argv = ['wirewatch', 'match', *{words!r}]\n"
    "main()\n"
)
LIMIT_S = 150.0
"""Four workers that start at once on two slow cores take their time."""
PASSED_ON = ("kafka", "topic_prefix", "session_timeout_s", "match_snapshot_s", "kafka_wait_s")


Start = Callable[..., Awaitable["MatchWorker"]]


@contextlib.asynccontextmanager
async def match_workers(
    settings: Settings, free_ports: Callable[[int], int]
) -> AsyncIterator[Start]:
    """Yield a function that starts a match worker and waits until it is ready; stop them all."""
    workers: list[MatchWorker] = []

    async def start(name: str = "match-0", *words: str, **more: Any) -> MatchWorker:
        worker = MatchWorker(settings, name, free_ports(1), *words, **more)
        workers.append(worker)
        await worker.ready()
        return worker

    try:
        yield start
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in workers:
            await asyncio.to_thread(worker.process.wait, 40)


class MatchWorker:
    """`wirewatch match` as a process. `before` is Python that it runs first."""

    def __init__(
        self, settings: Settings, name: str, port: int, *words: str, before: str = "pass"
    ) -> None:
        self._port = port
        self._log = settings.data_dir / f"{name}.log"
        env = os.environ | {f"WIREWATCH_{n.upper()}": str(getattr(settings, n)) for n in PASSED_ON}
        env |= {
            "WIREWATCH_INSTANCE": name,
            "WIREWATCH_DATA_DIR": str(settings.data_dir),
            "WIREWATCH_METRICS_PORT": str(port),
            "WIREWATCH_LOG_FORMAT": "json",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            code = RUN.format(before=before, words=words)
            self.process = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=log)

    def said(self, *events: str) -> list[dict[str, Any]]:
        """Return the log lines of the room itself, of these events if any are given."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        own = [line for line in lines if line.get("room") == "match"]
        return [line for line in own if not events or line["event"] in events]

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as session, asyncio.timeout(LIMIT_S):
            while not await self._is_ready(session):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"match has ended:\n{self._log.read_text()}")
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(f"http://127.0.0.1:{self._port}/readyz") as answer:
                return answer.status == 200
        return False

    async def count(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of a metric that carry `labels`."""
        url = f"http://127.0.0.1:{self._port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            text = await answer.text()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"wirewatch_match_{name}" and labels.items() <= sample.labels.items()
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, 40)


def story(title: str, number: int = 0, key: str = "") -> Article:
    """Return an article; `key` chooses its partition."""
    named = article(title, id=f"art_{title.replace(' ', '-')}_{number}")
    return replace(named, story_id=key or named.id, fetched_at=AT)


async def alerts(settings: Settings) -> list[Alert]:
    """Return all alerts there are, repeats included; those to one endpoint in order."""
    return [value for _, value in await held(settings, ALERTS)]


async def found(settings: Settings, wanted: Iterable[str], limit_s: float = LIMIT_S) -> list[Alert]:
    """Wait until there are alerts with all these ids; return all alerts there are."""
    missing = set(wanted)

    def is_there(there: list[Alert]) -> bool:
        return missing <= {alert.id for alert in there}

    return await until_alerts(settings, is_there, f"alerts {sorted(missing)[:3]}", limit_s)


async def until_alerts(
    settings: Settings,
    condition: Callable[[list[Alert]], bool],
    what: str,
    limit_s: float = LIMIT_S,
) -> list[Alert]:
    there: list[Alert] = []
    try:
        async with asyncio.timeout(limit_s):
            while not condition(there := await alerts(settings)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"never came to pass: {what}; there are {len(there)}")
    return there


def snapshot_folder(settings: Settings, name: str) -> Path:
    return settings.data_dir / "match" / name / "match"
