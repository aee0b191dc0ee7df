"""The whole of wirewatch as processes, between a feed server and a receiver of the test's own."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks import Webhook

from wirewatch.runtime.settings import METRICS_PORTS, Settings

SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
SERVICES = tuple(METRICS_PORTS)


async def until(condition: Callable[[], Awaitable[bool]], what: str, limit_s: float = 60) -> None:
    """Wait until `condition` holds; fail with `what` when it does not come to pass."""
    try:
        async with asyncio.timeout(limit_s):
            while not await condition():  # noqa: ASYNC110 - it looks at other processes
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"never came to pass: {what}")


@dataclass
class Story:
    """An article as the test's feed serves it."""

    guid: str
    title: str
    body: str


class FeedServer:
    """Serves RSS documents that the test can change; answers conditional requests."""

    def __init__(self) -> None:
        self.stories: dict[str, list[Story]] = {}
        self.documents: dict[str, bytes] = {}
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/{name}", self._serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        body = self.documents.get(name) or self._rss(self.stories.get(name, [])).encode()
        etag = f'"{hash(body):x}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": etag})

    def _rss(self, stories: list[Story]) -> str:
        items = "".join(
            f"<item><guid isPermaLink='false'>{escape(s.guid)}</guid><title>{escape(s.title)}"
            f"</title><link>{self.url}/articles/{escape(s.guid)}</link>"
            f"<description>{escape(s.body)}</description>"
            f"<pubDate>{format_datetime(datetime.now(UTC))}</pubDate></item>"
            for s in stories
        )
        return (
            "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0'><channel>"
            f"<title>Testnachrichten</title><link>{self.url}</link><language>de</language>"
            f"<description>geschrieben für den Test</description>{items}</channel></rss>"
        )


@dataclass
class Hook:
    """One request that the receiver got, already verified by the official library."""

    id: str
    payload: dict[str, Any]


@dataclass
class Receiver:
    """Collects webhooks. It answers with `status`, after `delay_s`."""

    status: int = 200
    delay_s: float = 0
    url: str = ""
    hooks: list[Hook] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        if self.status != 200:
            self.refused.append(request.headers["webhook-id"])
            return web.Response(status=self.status, text="out of order")
        payload = Webhook(SECRET).verify(body, dict(request.headers))
        assert payload == json.loads(body)
        self.hooks.append(Hook(request.headers["webhook-id"], payload))
        await asyncio.sleep(self.delay_s)
        return web.Response(status=self.status)

    def titles(self) -> list[str]:
        return [hook.payload["data"]["article"]["title"] for hook in self.hooks]


class Wirewatch:
    """The four services as processes of their own on the test's Kafka."""

    def __init__(self, settings: Settings, ports: dict[str, int], api_port: int) -> None:
        self.settings = settings
        self._ports = ports
        self._api = f"http://127.0.0.1:{api_port}"
        self._api_port = api_port
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._session = aiohttp.ClientSession()

    def log(self, service: str) -> list[dict[str, Any]]:
        """Return the log lines of a service; a line that is not JSON fails the test."""
        return [json.loads(line) for line in self._log_file(service).read_text().splitlines()]

    def _log_file(self, service: str) -> Path:
        return self.settings.data_dir / f"{service}.log"

    def warnings(self, service: str) -> list[dict[str, Any]]:
        """Return what the service itself warned of: lines of libraries have no room."""
        alarming = {"warning", "error", "critical"}
        return [line for line in self.log(service) if "room" in line and line["level"] in alarming]

    def start(self, service: str) -> None:
        own = {
            "KAFKA": self.settings.kafka,
            "TOPIC_PREFIX": self.settings.topic_prefix,
            "SECRET_KEY": self.settings.secret_key.get_secret_value(),
            "TOPIC_PARTITIONS": str(self.settings.topic_partitions),
            "SESSION_TIMEOUT_S": "6",
            "INSTANCE": "e2e-0",
            "DATA_DIR": str(self.settings.data_dir),
            "METRICS_PORT": str(self._ports[service]),
            "API_PORT": str(self._api_port),
            "ALLOW_NETWORKS": "127.0.0.0/8",
            "INGEST_INTERVAL_S": "1",
            "INGEST_INTERVAL_MAX_S": "1",
            "INGEST_HOST_SPACING_S": "0",
            "INGEST_WORKERS": "1",
            "LOG_FORMAT": "json",
        }
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        with self._log_file(service).open("ab") as log:
            self._processes[service] = subprocess.Popen(
                [sys.executable, "-m", "wirewatch", service],
                env=os.environ | {f"WIREWATCH_{name}": value for name, value in own.items()},
                stderr=log,
            )

    async def ready(self, *services: str) -> None:
        for service in services:
            await until(lambda s=service: self._is_ready(s), f"{service} ready")  # type: ignore[misc]

    async def _is_ready(self, service: str) -> bool:
        process = self._processes[service]
        if process.poll() is not None:
            pytest.fail(f"{service} ended:\n{self._log_file(service).read_text()}")
        with contextlib.suppress(aiohttp.ClientError):
            url = f"http://127.0.0.1:{self._ports[service]}/readyz"
            async with self._session.get(url) as answer:
                return answer.status == 200
        return False

    def kill(self, service: str) -> None:
        process = self._processes.pop(service)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def terminate(self, service: str) -> int:
        process = self._processes.pop(service)
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    async def close(self) -> None:
        await self._session.close()
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(self._api + path, json=body) as answer:
            text = await answer.text()
            assert answer.status in {200, 201}, text
            return dict(json.loads(text))

    async def get(self, path: str) -> Any:
        async with self._session.get(self._api + path) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return json.loads(text)

    async def page(self) -> str:
        async with self._session.get(self._api + "/") as answer:
            assert answer.status == 200
            return await answer.text()

    async def metric(self, service: str, name: str, **labels: str) -> float:
        """Return the sum of the samples of a metric that carry `labels`."""
        url = f"http://127.0.0.1:{self._ports[service]}/metrics"
        async with self._session.get(url) as answer:
            text = await answer.text()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
