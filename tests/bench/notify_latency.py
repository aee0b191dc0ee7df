"""How long it takes from an alert in Kafka to its request, alone and beside many dead endpoints.

Alerts go to endpoints that answer at once, each by itself, at an even pace. The clock begins just
before an alert is given to the producer and ends when the receiver, another process, has read the
head of its request: what Kafka and the cores they all share take is in it.

Dead endpoints refuse the connection, never answer, or answer with one byte a second, a third each.
Alerts wait for each of them before notify is started, and new ones come all the time.
Both cases take turns, each round with topics of its own and a fresh notify.
"""

import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings

from .notify_alerts import Crowd
from .notify_figures import Waits, waits
from .notify_under_test import (
    Profile,
    Receiver,
    address,
    broker,
    feeding,
    notifying,
    pace,
    receiving,
    register,
    send_alerts,
    sending,
    watch,
)
from .processes import Meter, Use, free_port
from .under_test import Service, installation, until

RATE = 200
"""Alerts a second to those that answer."""
LIVE = 200
DEAD = 1_000
DEAD_RATE = 100
"""Alerts a second to all dead ones together."""
FIRST_DEAD_HOST = 1_000
FED_MOST = 1_000_000
"""More alerts than a phase can last for."""
PATIENCE_S = 30.0
"""So long after the last alert the receiver is asked what came; the rest is missing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. `backlog` is what waits for each dead endpoint at the start."""

    warm_s: int
    seconds: int
    rounds: int
    backlog: int = 5


FULL = Size(warm_s=10, seconds=30, rounds=3)
QUICK = Size(warm_s=5, seconds=10, rounds=2)


@dataclass(frozen=True, slots=True)
class Phase:
    """One case of one round. `dead_requests` are those that reached a dead receiver."""

    waits: Waits
    use: Use
    dead_requests: int


@dataclass(frozen=True, slots=True)
class Latency:
    """All rounds: alone, and beside the dead; the latter empty where it was not asked for."""

    alone: Sequence[Phase]
    beside: Sequence[Phase]

    def p99_alone(self) -> float:
        """Return the median of the rounds' 99th percentiles."""
        return statistics.median(one.waits.p99 for one in self.alone)

    def p99_beside(self) -> float:
        """Return the median of the rounds' 99th percentiles beside dead endpoints."""
        return statistics.median(one.waits.p99 for one in self.beside)

    def ratio(self) -> float:
        """Return how much longer it takes beside the dead: the median of the rounds' ratios."""
        pairs = zip(self.alone, self.beside, strict=True)
        return statistics.median(one.waits.p99 / other.waits.p99 for other, one in pairs)


def live_crowd() -> Crowd:
    """Return endpoints that answer at once, each on a host of its own."""
    return Crowd("live", "ok", LIVE, 0, LIVE, free_port())


def dead_crowds(count: int = DEAD) -> tuple[Crowd, Crowd, Crowd]:
    """Return endpoints that refuse, hang and drip, a third each, each on a host of its own."""
    third, host, port = count // 3, FIRST_DEAD_HOST, free_port()
    refusing = count - 2 * third
    return (
        Crowd("dead", "ok", refusing, host, refusing, port),
        Crowd("dead", "hang", third, host + count, third, port, refusing),
        Crowd("dead", "drip", third, host + 2 * count, third, port, refusing + third),
    )


async def measure(size: Size, *, with_dead: bool = True, profile: Profile | None = None) -> Latency:
    """Return what all rounds gave."""
    alone, beside = [], []
    with broker() as kafka:
        for number in range(size.rounds):
            alone.append(await _phase(address(kafka), size, None, profile))
            _say(f"round {number + 1}, alone", alone[-1])
            if with_dead:
                beside.append(await _phase(address(kafka), size, dead_crowds(), profile))
                _say(f"round {number + 1}, beside the dead", beside[-1])
    return Latency(alone, beside)


def _say(what: str, one: Phase) -> None:
    print(f"{what}: {one}", file=sys.stderr, flush=True)


async def _phase(
    bootstrap: str, size: Size, dead: Sequence[Crowd] | None, profile: Profile | None
) -> Phase:
    live = live_crowd()
    with receiving(live) as receiver:
        async with (
            installation(bootstrap) as settings,
            sending(settings) as producer,
            _dying(settings, producer, dead or (), size.backlog) as requests,
        ):
            await register(producer, live)
            async with notifying(settings, profile=profile) as service:
                found, use = await paced(service, producer, receiver, live, size, profile=profile)
                return Phase(found, use, await requests())


@contextlib.asynccontextmanager
async def _dying(
    settings: Settings, producer: Producer, dead: Sequence[Crowd], backlog: int
) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Let alerts wait for the dead and send new ones all the time; count the requests they get."""
    with contextlib.ExitStack() as stack:
        receivers = [stack.enter_context(receiving(c)) for c in dead if c.manner != "ok"]

        async def requests() -> int:
            return sum([await one.requests() for one in receivers])

        if not dead:
            yield requests
            return
        everyone = replace(dead[0], count=sum(crowd.count for crowd in dead))
        await register(producer, *dead)
        first = everyone.count * backlog
        await send_alerts(producer, everyone.alerts(first))
        feeder = stack.enter_context(feeding(settings))
        task = asyncio.create_task(feeder.send(everyone, FED_MOST, first=first, rate=DEAD_RATE))
        try:
            yield requests
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def paced(
    service: Service,
    producer: Producer,
    receiver: Receiver,
    live: Crowd,
    size: Size,
    *,
    profile: Profile | None = None,
) -> tuple[Waits, Use]:
    """Send alerts at an even pace, warm up first; return how long each waited."""
    warm = RATE * size.warm_s
    before = await receiver.count() + warm
    await pace(producer, live.alerts(warm), RATE)
    await settled(receiver, before)
    alerts = list(live.alerts(RATE * size.seconds, first=warm))
    meter = Meter(service.cpu_s)
    if profile:
        watch(service, begin=True)
    sent = await pace(producer, alerts, RATE)
    if profile:
        watch(service, begin=False)
    use = meter.read()
    await settled(receiver, before + len(sent))
    return waits(sent, await receiver.take(), asked_ns=time.monotonic_ns()), use


async def settled(receiver: Receiver, count: int) -> None:
    """Wait until so many have arrived, but not longer than PATIENCE_S."""

    async def all_here() -> bool:
        return await receiver.count() >= count

    with contextlib.suppress(TimeoutError):
        await until(all_here, "all alerts arrive", PATIENCE_S)


if __name__ == "__main__":
    found = asyncio.run(measure(QUICK))
    print(found.p99_alone(), found.p99_beside(), found.ratio())
