"""Notify, its receivers and a feeder as processes on a Kafka of the benchmark's own."""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import TypeVar

from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS, ENDPOINTS
from wirewatch.topics.alerts import Alert

from .notify_alerts import Crowd, webhook_id
from .notify_figures import Held, Sent, held, read_arrivals
from .processes import PROC, ask, cpu_s, end, free_port, listen, own_cpu_s, running
from .under_test import ENVIRONMENT, START_LIMIT_S, Service, log_of, until

R = TypeVar("R")
NAME = "notify"
SENT_AT_ONCE = 500
NOTE_EVERY_S = 0.25
PEAK_RESET = "5"
"""Written to /proc/PID/clear_refs it begins the highest resident size anew (proc(5))."""


@contextlib.contextmanager
def broker() -> Iterator[LocalKafka]:
    """Run a Kafka on ports and a folder of its own.

    What aiokafka says while topics find their leaders is not shown: it tries again.
    """
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    with (
        TemporaryDirectory(prefix="wirewatch-bench-", ignore_cleanup_errors=True) as home,
        LocalKafka(Path(home), cache_dir=Settings().cache_dir, port=free_port(2)) as one,
    ):
        yield one


def address(one: LocalKafka) -> str:
    """Return where the Kafka is reached."""
    return f"127.0.0.1:{one.port}"


SECRET_KEY = b64encode(b"b" * 32).decode()


def environment(settings: Settings) -> dict[str, str]:
    """Return what a process needs to work with these settings."""
    env = {f"WIREWATCH_{each.upper()}": str(getattr(settings, each)) for each in ENVIRONMENT}
    return env | {
        "WIREWATCH_ALLOW_NETWORKS": ",".join(settings.allow_networks),
        "WIREWATCH_SECRET_KEY": SECRET_KEY,
    }


@dataclass(frozen=True, slots=True)
class Profile:
    """How notify is to be watched (`notify_profiled`), and where what was seen is written."""

    way: str
    out: Path


@contextlib.asynccontextmanager
async def notifying(
    settings: Settings, *, profile: Profile | None = None, limit_s: float = START_LIMIT_S
) -> AsyncIterator[Service]:
    """Run notify until it is ready, and then what is inside.

    Raises RuntimeError with its log if it ends, TimeoutError if it is never ready.
    """
    command: Sequence[object] = ("wirewatch", NAME)
    if profile is not None:
        command = ("tests.bench.notify_profiled", profile.way, profile.out, NAME)
    module, *arguments = command
    log = log_of(settings, NAME)
    with running(str(module), *arguments, env=environment(settings), log=log) as process:
        service = Service(NAME, process, settings)

        async def ready() -> bool:
            return await asyncio.to_thread(service.is_ready)

        await until(ready, f"{NAME} is ready", limit_s)
        try:
            yield service
        except TimeoutError as error:
            error.add_note(f"the end of its log:\n{log.read_text(errors='replace')[-2000:]}")
            raise
        if process.poll() is not None:
            service.is_ready()  # says with what it ended
        if code := await asyncio.to_thread(end, process):
            print(f"{NAME} ended with {code}", file=sys.stderr)


def watch(service: Service, begin: bool) -> None:
    """Begin to watch a profiled notify, or end it: then it writes what it has seen."""
    service.process.send_signal(signal.SIGUSR1 if begin else signal.SIGUSR2)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A running receiver (`notify_receiver`)."""

    process: Popen[str]
    folder: Path

    def cpu_s(self) -> float:
        """Return the CPU seconds it has used."""
        return own_cpu_s(self.process.pid)

    async def count(self) -> int:
        """Return how many different webhooks have arrived since they were last taken."""
        return int((await self._ask("count")).split()[0])

    async def requests(self) -> int:
        """Return how many requests have arrived since they were last taken."""
        return int((await self._ask("count")).split()[1])

    async def take(self) -> dict[str, int]:
        """Return when each webhook arrived, and forget them."""
        file = self.folder / "arrivals"
        await self._ask(f"take {file}")
        return read_arrivals(await asyncio.to_thread(file.read_text))

    async def sample(self) -> Path:
        """Return a file that holds the last request, as it came."""
        file = self.folder / "sample"
        await self._ask(f"sample {file}")
        return file

    async def _ask(self, line: str) -> str:
        return await asyncio.to_thread(ask, self.process, line)


@contextlib.contextmanager
def receiving(crowd: Crowd) -> Iterator[Receiver]:
    """Listen on the hosts of `crowd`."""
    arguments = (crowd.first_host, crowd.hosts, crowd.port)
    with (
        TemporaryDirectory(prefix="wirewatch-bench-") as folder,
        running("tests.bench.notify_receiver", *arguments) as process,
    ):
        listen(process)
        yield Receiver(process, Path(folder))


@dataclass(frozen=True, slots=True)
class Feeder:
    """A process that sends alerts (`notify_feeder`), so that this one keeps its pace."""

    process: Popen[str]

    async def send(
        self, crowd: Crowd, count: int, *, first: int = 0, rate: float = 0, article: str = ""
    ) -> float:
        """Send so many alerts, `rate` a second or as fast as it can; return how long it took.

        Cancelled, it stops sending at once.
        """
        line = " ".join(map(str, (crowd.word(), count, first, rate, article or "-")))
        asking = asyncio.ensure_future(asyncio.to_thread(ask, self.process, line))
        try:
            return float(await asyncio.shield(asking))
        except asyncio.CancelledError:
            self.process.send_signal(signal.SIGUSR1)
            await asyncio.gather(asking, return_exceptions=True)
            raise


@contextlib.contextmanager
def feeding(settings: Settings) -> Iterator[Feeder]:
    """Run a feeder."""
    with running("tests.bench.notify_feeder", env=environment(settings)) as process:
        listen(process)
        yield Feeder(process)


@contextlib.asynccontextmanager
async def sending(settings: Settings, *, linger_ms: int = 0) -> AsyncIterator[Producer]:
    """Connect a producer that lets no record wait for others."""
    producer = Producer(settings, "bench", linger_ms=linger_ms)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def register(producer: Producer, *crowds: Crowd) -> None:
    """Send the endpoints of these crowds."""
    for crowd in crowds:
        for some in batches(crowd.endpoints()):
            await producer.send_all(ENDPOINTS, some)


async def send_alerts(producer: Producer, alerts: Iterable[Alert]) -> None:
    """Send alerts as fast as they are taken."""
    for some in batches(alerts):
        await producer.send_all(ALERTS, some)


def batches(records: Iterable[R], size: int = SENT_AT_ONCE) -> Iterator[list[R]]:
    """Yield the records in lists of at most `size`."""
    some: list[R] = []
    for record in records:
        some.append(record)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


async def pace(
    producer: Producer,
    alerts: Iterable[Alert],
    rate: float,
    enough: Callable[[], bool] = lambda: False,
) -> dict[str, Sent]:
    """Send `rate` alerts a second, each by itself, until there is `enough`.

    Returns when each was sent, by `webhook-id`.
    """
    sent: dict[str, Sent] = {}

    async def send(told: Alert) -> None:
        at = time.monotonic_ns()
        await producer.send(ALERTS, told)
        sent[webhook_id(told)] = Sent(at, time.monotonic_ns())

    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, told in enumerate(alerts):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            if enough():
                break
            group.create_task(send(told))
    return sent


def memory_of(service: Service) -> Held:
    """Return what notify holds now, and the most it has held since `reset_peak` or its start."""
    return held((PROC / str(service.process.pid) / "status").read_text())


def reset_peak(service: Service) -> None:
    """Begin anew to note the most that notify holds."""
    (PROC / str(service.process.pid) / "clear_refs").write_text(PEAK_RESET)


@contextlib.asynccontextmanager
async def observed(service: Service) -> AsyncIterator[list[Held]]:
    """Note again and again what notify holds."""
    notes = [memory_of(service)]

    async def note() -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            notes.append(memory_of(service))

    task = asyncio.create_task(note())
    try:
        yield notes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def cpu_of_kafka(one: LocalKafka) -> float:
    """Return the CPU seconds that the Kafka has used."""
    return cpu_s(one.pid) if one.pid else 0.0
