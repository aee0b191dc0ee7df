"""One article of which very many endpoints are told, while others get their alerts as always.

Each of the many endpoints gets one alert; another process sends them as fast as it can. Meanwhile
other endpoints get alerts of other articles at an even pace, and before that without the many.
"""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass

from wirewatch.runtime.kafka import Producer

from . import notify_latency
from .notify_alerts import Crowd
from .notify_figures import Waits, waits
from .notify_latency import RATE, settled
from .notify_under_test import (
    Feeder,
    Receiver,
    address,
    broker,
    feeding,
    memory_of,
    notifying,
    observed,
    pace,
    receiving,
    register,
    reset_peak,
    sending,
)
from .processes import Meter, Use, free_port
from .under_test import Service, installation

HOSTS = 200
FIRST_HOST = 1_000
FIRST_FLOW = 1_000_000
"""The number of the first alert beside the many: those before have lower ones."""
FLOW_MOST = 10_000_000
LIMIT_S = 900.0
EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    endpoints: int
    alone: notify_latency.Size


FULL = Size(endpoints=100_000, alone=notify_latency.Size(warm_s=10, seconds=20, rounds=1))
QUICK = Size(endpoints=10_000, alone=notify_latency.Size(warm_s=5, seconds=5, rounds=1))


@dataclass(frozen=True, slots=True)
class Fanout:
    """What it took: seconds to send and until all had arrived, MB, and how long others waited."""

    endpoints: int
    arrived: int
    sent_s: float
    all_s: float
    before_mb: float
    peak_mb: float
    anonymous_growth_mb: float
    alone: Waits
    beside: Waits
    use: Use

    @property
    def growth_mb(self) -> float:
        """How much more than before was held at most."""
        return self.peak_mb - self.before_mb


async def measure(size: Size) -> Fanout:
    """Return what one article for so many endpoints costs."""
    live = notify_latency.live_crowd()
    many = Crowd("many", "ok", size.endpoints, FIRST_HOST, HOSTS, free_port())
    with broker() as kafka, receiving(live) as receiver, receiving(many) as crowd:
        async with installation(address(kafka)) as settings, sending(settings) as producer:
            await register(producer, live, many)
            async with notifying(settings) as service:
                alone, _ = await notify_latency.paced(service, producer, receiver, live, size.alone)
                print(f"alone: {alone}", file=sys.stderr, flush=True)
                with feeding(settings) as feeder:
                    flood = _Flood(feeder, many, crowd)
                    return await _measured(
                        service, producer, receiver, live=live, flood=flood, alone=alone
                    )


class _Flood:
    """The many alerts on their way."""

    def __init__(self, feeder: Feeder, many: Crowd, receiver: Receiver) -> None:
        self._feeder = feeder
        self._many = many
        self._receiver = receiver
        self.wanted = many.count
        self.is_over = False
        self.arrived = 0
        self.sent_s = self.all_s = 0.0

    async def run(self) -> None:
        """Send them and wait until all have arrived, but not longer than LIMIT_S."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(LIMIT_S):
                self.sent_s = await self._feeder.send(self._many, self.wanted, article="the-one")
                while self.arrived < self.wanted:
                    await asyncio.sleep(EVERY_S)
                    self.arrived = await self._receiver.count()
        finally:
            self.all_s = time.monotonic() - begun
            self.is_over = True


async def _measured(
    service: Service,
    producer: Producer,
    receiver: Receiver,
    *,
    live: Crowd,
    flood: _Flood,
    alone: Waits,
) -> Fanout:
    before = memory_of(service)
    reset_peak(service)
    meter = Meter(service.cpu_s)
    async with observed(service) as notes:
        task = asyncio.create_task(flood.run())
        alerts = live.alerts(FLOW_MOST, first=FIRST_FLOW)
        try:
            sent = await pace(producer, alerts, RATE, lambda: flood.is_over)
        finally:
            task.cancel()
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await task
    use, peak = meter.read(), memory_of(service).peak
    await settled(receiver, len(sent))
    found = Fanout(
        flood.wanted,
        flood.arrived,
        flood.sent_s,
        flood.all_s,
        before.resident,
        peak,
        max(one.anonymous for one in notes) - before.anonymous,
        alone,
        waits(sent, await receiver.take(), asked_ns=time.monotonic_ns()),
        use,
    )
    print(found, file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    asyncio.run(measure(QUICK))
