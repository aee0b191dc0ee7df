"""How many signed deliveries one notify makes, from alerts in Kafka to recorded attempts.

One round: alerts wait in Kafka, notify is started, and the clock runs from when it is ready
until the last attempt stands in its topic. Then the bare client posts what notify last sent to
the same receivers as often. What one endpoint alone gets is measured the same way.
"""

import asyncio
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from wirewatch.runtime.kafka import LogReader, Producer
from wirewatch.runtime.local_kafka import LocalKafka
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ATTEMPTS
from wirewatch.topics.attempts import Attempt

from .notify_alerts import Crowd
from .notify_under_test import (
    Profile,
    Receiver,
    address,
    broker,
    cpu_of_kafka,
    notifying,
    receiving,
    register,
    send_alerts,
    sending,
    watch,
)
from .processes import Meter, ask, free_port, listen, running
from .under_test import acknowledged, installation, reading, until

ENDPOINTS = 200
BARE_CONCURRENCY = 64
"""As many requests at once as notify makes by default."""
LIMIT_S = 120.0
EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    deliveries: int
    single: int
    rounds: int


FULL = Size(deliveries=30_000, single=6_000, rounds=3)
QUICK = Size(deliveries=5_000, single=1_000, rounds=1)


@dataclass(frozen=True, slots=True)
class Run:
    """Requests that were made, and the seconds and CPU seconds they took.

    `cpu` is the sender's, beside it what the receiver and Kafka used and what other programs took.
    """

    requests: int
    seconds: float
    cpu: float
    receiver_cpu: float
    kafka_cpu: float = 0.0
    foreign: float = 0.0

    @property
    def per_s(self) -> float:
        """Requests in a second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds of the sender for one request."""
        return self.cpu / self.requests * 1e6


@dataclass(frozen=True, slots=True)
class Round:
    """One round of each."""

    notify: Run
    bare: Run
    single: Run
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Throughput:
    """All rounds."""

    rounds: Sequence[Round]

    def share(self) -> float:
        """Return deliveries/s beside the bare client's: the median of the rounds' ratios."""
        return statistics.median(one.notify.per_s / one.bare.per_s for one in self.rounds)

    def cpu_share(self) -> float:
        """Return what the bare client's CPU time for a request is of notify's."""
        return statistics.median(one.bare.cpu_us / one.notify.cpu_us for one in self.rounds)


async def measure(size: Size, *, profile: Profile | None = None) -> Throughput:
    """Return what all rounds gave. Raises RuntimeError if an attempt failed."""
    many = Crowd("live", "ok", ENDPOINTS, 0, ENDPOINTS, free_port())
    one = Crowd("single", "ok", 1, ENDPOINTS, 1, many.port)
    with broker() as kafka, receiving(many) as receiver, receiving(one) as other:
        async with (
            installation(address(kafka)) as settings,
            sending(settings, linger_ms=5) as producer,
            reading(settings, ATTEMPTS) as attempts,
        ):
            await register(producer, many, one)
            bench = _Bench(kafka, settings, producer, attempts)
            sides = _Side(many, receiver), _Side(one, other)
            await bench.run(sides[0], size.deliveries // 10, 0)  # all are met once
            firsts = [number * size.deliveries for number in range(1, size.rounds + 1)]
            return Throughput(
                [await _round(bench, *sides, size, first=at, profile=profile) for at in firsts]
            )


async def _round(
    bench: "_Bench",
    many: "_Side",
    one: "_Side",
    size: Size,
    *,
    first: int,
    profile: Profile | None,
) -> Round:
    ours = await bench.run(many, size.deliveries, first, profile)
    sample = await many.receiver.sample()
    bare = await _bare(many, sample, size.deliveries)
    single = await bench.run(one, size.single, first)
    body = sample.read_bytes().partition(b"\r\n\r\n")[2]
    found = Round(ours, bare, single, len(body))
    print(found, f"share {ours.per_s / bare.per_s:.2f}", file=sys.stderr, flush=True)
    return found


@dataclass(frozen=True, slots=True)
class _Side:
    """Endpoints, and the receiver that stands for them."""

    crowd: Crowd
    receiver: Receiver


class _Bench:
    def __init__(
        self,
        kafka: LocalKafka,
        settings: Settings,
        producer: Producer,
        attempts: LogReader[Attempt],
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._producer = producer
        self._attempts = attempts

    async def run(
        self,
        side: _Side,
        count: int,
        first: int,
        profile: Profile | None = None,
    ) -> Run:
        """Let notify deliver `count` alerts that wait for it, and see that each has arrived."""
        receiver = side.receiver
        await send_alerts(self._producer, side.crowd.alerts(count, first=first))
        goal = await acknowledged(self._attempts) + count
        await receiver.take()
        async with notifying(self._settings, profile=profile) as service:
            early = count - (goal - await acknowledged(self._attempts))
            meter = Meter(service.cpu_s)
            others = receiver.cpu_s(), cpu_of_kafka(self._kafka)
            if profile:
                watch(service, begin=True)

            async def all_recorded() -> bool:
                return await acknowledged(self._attempts) >= goal

            await until(all_recorded, f"{count} attempts are recorded", LIMIT_S, EVERY_S)
            use = meter.read()
            received, brokers = receiver.cpu_s() - others[0], cpu_of_kafka(self._kafka) - others[1]
            if profile:
                watch(service, begin=False)
        arrived = await receiver.count()
        if arrived != count:
            raise RuntimeError(f"{count} alerts were sent and {arrived} arrived; see notify's log")
        return Run(count - early, use.seconds, use.cpu, received, brokers, use.foreign)


async def _bare(side: _Side, sample: Path, count: int) -> Run:
    """Let the bare client post `count` times, once it has met all hosts."""
    crowd, receiver = side.crowd, side.receiver
    urls = receiver.folder / "urls"
    urls.write_text("\n".join(crowd.url(number) for number in range(crowd.count)))
    with running("tests.bench.notify_bare", sample, urls) as process:
        await asyncio.to_thread(listen, process)
        await _post(process, ENDPOINTS * 2)
        before, meter = receiver.cpu_s(), Meter(receiver.cpu_s)
        seconds, cpu = await _post(process, count)
        foreign = meter.read().foreign
        return Run(count, seconds, cpu, receiver.cpu_s() - before, foreign=foreign)


async def _post(process: Popen[str], count: int) -> tuple[float, float]:
    said = await asyncio.to_thread(ask, process, f"post {count} {BARE_CONCURRENCY}")
    seconds, cpu = said.split()
    return float(seconds), float(cpu)


if __name__ == "__main__":
    found = asyncio.run(measure(QUICK))
    print(f"share {found.share():.2f}, of CPU {found.cpu_share():.2f}")
