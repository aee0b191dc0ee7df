"""What many pending deliveries cost: memory, and the time until notify is ready again.

The deliveries stand in their topic, as after failed attempts, and none is due for hours. Notify is
started on an empty disk, and again on what it has kept; then alerts flow beside them.
"""

import asyncio
import contextlib
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import DELIVERIES
from wirewatch.topics.deliveries import Delivery

from . import notify_latency
from .notify_alerts import Crowd, pending
from .notify_figures import Held, Waits
from .notify_under_test import (
    address,
    batches,
    broker,
    memory_of,
    notifying,
    observed,
    receiving,
    register,
    sending,
)
from .under_test import Service, installation, until

DUE_IN = timedelta(hours=6)
LIMIT_S = 900.0
TOLD_S = 240.0
METRIC = "wirewatch_notify_pending_deliveries"
FLOW = notify_latency.Size(warm_s=3, seconds=10, rounds=1)
FIRST_HOST = 1_000
HOSTS = 200


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `settle_s` is how long notify is watched once it is ready."""

    deliveries: int
    endpoints: int
    settle_s: float


FULL = Size(deliveries=1_000_000, endpoints=10_000, settle_s=30)
QUICK = Size(deliveries=100_000, endpoints=10_000, settle_s=10)


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds until it was ready, what it used, and what it held then.

    `pending` is what notify itself says; `peak_anonymous` the most that was its own memory.
    """

    ready_s: float
    cpu: float
    pending: int
    settled: Held
    peak_anonymous: float
    proportional: float


@dataclass(frozen=True, slots=True)
class Pending:
    """Both starts; how long alerts waited beside so many; and the size of the disk's folder."""

    deliveries: int
    endpoints: int
    wiped: Start
    kept: Start
    beside: Waits
    disk_mb: float


async def measure(size: Size) -> Pending:
    """Return what so many pending deliveries cost."""
    live = notify_latency.live_crowd()
    with broker() as kafka, receiving(live) as receiver:
        async with installation(address(kafka)) as settings:
            async with sending(settings, linger_ms=5) as producer:
                await _fill(producer, size, live)
            wiped = await _start(settings, size)
            disk = await asyncio.to_thread(_disk_mb, settings)
            async with sending(settings) as producer:
                begun = time.monotonic()
                async with notifying(settings, limit_s=LIMIT_S) as service:
                    kept = await _watched(service, time.monotonic() - begun, size)
                    beside, _ = await notify_latency.paced(service, producer, receiver, live, FLOW)
    return Pending(size.deliveries, size.endpoints, wiped, kept, beside, disk)


async def _fill(producer: Producer, size: Size, live: Crowd) -> None:
    print(f"sending {size.deliveries:,} deliveries", file=sys.stderr, flush=True)
    waiting = Crowd("waiting", "ok", size.endpoints, FIRST_HOST, HOSTS, live.port)
    await register(producer, waiting, live)
    for some in batches(_deliveries(waiting, size.deliveries), 2_000):
        await producer.send_all(DELIVERIES, some)


def _deliveries(waiting: Crowd, count: int) -> Iterator[Delivery]:
    now = datetime.now(UTC)
    for number, told in enumerate(waiting.alerts(count)):
        due_at = now + DUE_IN + timedelta(seconds=number % 3_600)
        yield pending(told, due_at=due_at, now=now)


async def _start(settings: Settings, size: Size) -> Start:
    """Start on an empty disk."""
    await asyncio.to_thread(shutil.rmtree, settings.data_dir / "notify", ignore_errors=True)
    begun = time.monotonic()
    async with notifying(settings, limit_s=LIMIT_S) as service:
        return await _watched(service, time.monotonic() - begun, size)


async def _watched(service: Service, ready_s: float, size: Size) -> Start:
    cpu = service.cpu_s()
    async with observed(service) as notes:
        await asyncio.sleep(size.settle_s)
    holds = memory_of(service)
    found = Start(
        ready_s,
        cpu,
        await _told(service, size.deliveries),
        holds,
        max(one.anonymous for one in notes),
        service.memory().proportional,
    )
    print(found, file=sys.stderr, flush=True)
    return found


async def _told(service: Service, count: int) -> int:
    """Return how many notify says are pending; it counts so many only now and then."""

    async def all_told() -> bool:
        return await asyncio.to_thread(pending_of, service) >= count

    with contextlib.suppress(TimeoutError):
        await until(all_told, f"notify tells of {count:,} pending", TOLD_S, every_s=1)
    return await asyncio.to_thread(pending_of, service)


def pending_of(service: Service) -> int:
    """Return how many deliveries notify says are pending. Raises LookupError if it does not."""
    url = f"http://127.0.0.1:{service.settings.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=60) as answer:
        text = answer.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == METRIC:
                return int(sample.value)
    raise LookupError(f"notify has no metric {METRIC}: name it here as it is called now")


def _disk_mb(settings: Settings) -> float:
    files = (settings.data_dir / "notify").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


if __name__ == "__main__":
    print(asyncio.run(measure(QUICK)))
