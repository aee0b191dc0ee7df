"""A service as a child process on a Kafka of the benchmark's own."""

import asyncio
import contextlib
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from wirewatch.runtime.kafka import LogReader, Producer, read_all
from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import create_topics
from wirewatch.topics.spec import Topic

from .processes import Memory, cpu_s, end, free_port, memory, own_cpu_s, running

START_LIMIT_S = 300.0
ENVIRONMENT = ("kafka", "topic_prefix", "instance", "metrics_port", "data_dir")


@contextlib.contextmanager
def kafka() -> Iterator[str]:
    """Run a Kafka; its bootstrap address."""
    with (
        TemporaryDirectory(prefix="wirewatch-bench-", ignore_cleanup_errors=True) as home,
        LocalKafka(Path(home), cache_dir=Settings().cache_dir, port=free_port(2)) as broker,
    ):
        yield f"127.0.0.1:{broker.port}"


@contextlib.asynccontextmanager
async def installation(bootstrap: str) -> AsyncIterator[Settings]:
    """Make topics of their own, and a folder; the settings are the defaults but for the place."""
    with TemporaryDirectory(prefix="wirewatch-bench-", ignore_cleanup_errors=True) as home:
        settings = Settings(
            kafka=bootstrap,
            topic_prefix=f"b{uuid4().hex[:8]}.",
            instance="bench-0",
            data_dir=Path(home),
            metrics_port=free_port(),
            allow_networks=("127.0.0.0/8",),
        )
        await create_topics(settings)
        yield settings


@contextlib.asynccontextmanager
async def producing(settings: Settings) -> AsyncIterator[Producer]:
    """Connect a producer like that of the services."""
    producer = Producer(settings, "bench")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _never(message: object, error: Exception) -> None:
    raise AssertionError(f"unreadable: {message} {error}")


@contextlib.asynccontextmanager
async def reading(settings: Settings, topic: Topic[Any]) -> AsyncIterator[LogReader[Any]]:
    """Connect a reader of `topic`."""
    reader: LogReader[Any] = LogReader(settings, topic, _never)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


async def acknowledged(reader: LogReader[Any]) -> int:
    """Return how many records Kafka has acknowledged in the topic."""
    return sum((await reader.ends(await reader.partitions())).values())


async def held(settings: Settings, topic: Topic[Any]) -> list[Any]:
    """Return the values of all records of a topic."""
    async with reading(settings, topic) as reader:
        return [record.value async for record in read_all(reader)]


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    name: str
    process: Popen[str]
    settings: Settings

    def cpu_s(self) -> float:
        """Return the CPU seconds of the service and its workers."""
        return cpu_s(self.process.pid)

    def own_cpu_s(self) -> float:
        """Return the CPU seconds of the service without its workers."""
        return own_cpu_s(self.process.pid)

    def memory(self) -> Memory:
        """Return what the service and its workers hold."""
        return memory(self.process.pid)

    def is_ready(self) -> bool:
        """Say whether it works. Raises RuntimeError with its log if it has ended."""
        if self.process.poll() is not None:
            log = log_of(self.settings, self.name).read_text(errors="replace")
            code = self.process.returncode
            raise RuntimeError(f"{self.name} has ended with {code}:\n{log[-3000:]}")
        url = f"http://127.0.0.1:{self.settings.metrics_port}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def log_of(settings: Settings, name: str) -> Path:
    """Return where a service logs to."""
    return settings.data_dir / f"{name}.log"


def _last_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return next((line for line in reversed(lines) if '"error"' in line), "no error")


@contextlib.asynccontextmanager
async def serving(
    settings: Settings, name: str, *, profile: Path | None = None
) -> AsyncIterator[Service]:
    """Run the service `name`; with `profile`, under cProfile, which writes there when it ends."""
    env = {f"WIREWATCH_{each.upper()}": str(getattr(settings, each)) for each in ENVIRONMENT}
    env["WIREWATCH_ALLOW_NETWORKS"] = ",".join(settings.allow_networks)
    command: Sequence[object] = ("wirewatch", name)
    if profile is not None:
        command = ("cProfile", "-o", profile, "-m", *command)
    module, *arguments = command
    log = log_of(settings, name)
    with running(str(module), *arguments, env=env, log=log) as process:
        service = Service(name, process, settings)

        async def ready() -> bool:
            return await asyncio.to_thread(service.is_ready)

        await until(ready, f"{name} is ready", START_LIMIT_S)
        try:
            yield service
        except (TimeoutError, AssertionError) as error:
            error.add_note(f"{name} says: {_last_error(log)}")
            raise
        if code := await asyncio.to_thread(end, process):
            print(f"{name} ended with {code}", file=sys.stderr)


def ingest(
    settings: Settings, *, profile: Path | None = None
) -> contextlib.AbstractAsyncContextManager[Service]:
    """Run ingest: see `serving`."""
    return serving(settings, "ingest", profile=profile)


async def until(
    condition: Callable[[], Awaitable[bool]], what: str, limit_s: float = 120, every_s: float = 0.05
) -> None:
    """Wait until `condition` holds. Raises TimeoutError with `what`."""
    try:
        async with asyncio.timeout(limit_s):
            while not await condition():  # noqa: ASYNC110 - it looks at other processes
                await asyncio.sleep(every_s)
    except TimeoutError:
        raise TimeoutError(f"never came to pass: {what}") from None
