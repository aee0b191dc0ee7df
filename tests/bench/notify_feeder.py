"""A process that sends alerts: its work disturbs neither the pace nor the clock of its parent.

`python -m tests.bench.notify_feeder` with the settings in its environment obeys lines
`CROWD COUNT FIRST RATE ARTICLE` (`notify_under_test.Feeder`) and answers each with the seconds
it took. RATE 0 is as fast as it can; it then gives way to others on a machine with few cores.
SIGUSR1 ends what it is doing. At the end of standard input it ends.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator

import uvloop

from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS
from wirewatch.topics.alerts import Alert

from .notify_alerts import Crowd
from .notify_under_test import batches, sending

NICE = 5
PIECES_PER_S = 20
"""With a rate, alerts are sent in so many pieces a second."""


async def send(producer: Producer, alerts: Iterable[Alert], rate: float) -> None:
    """Send the alerts, at most `rate` a second if it is not 0."""
    begun, sent = time.monotonic(), 0
    for some in _pieces(alerts, rate):
        if rate:
            await asyncio.sleep(max(0.0, begun + sent / rate - time.monotonic()))
        await producer.send_all(ALERTS, some)
        sent += len(some)


def _pieces(alerts: Iterable[Alert], rate: float) -> Iterator[list[Alert]]:
    return batches(alerts, max(1, int(rate / PIECES_PER_S))) if rate else batches(alerts)


async def obey(producer: Producer, line: str) -> None:
    """Do what `line` says."""
    word, count, first, rate, article = line.split()
    alerts = Crowd.read(word).alerts(
        int(count), first=int(first), article="" if article == "-" else article
    )
    await send(producer, alerts, float(rate))


async def serve() -> None:
    """Obey until standard input ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with sending(Settings(instance="bench-feeder"), linger_ms=5) as producer:
        print("ready", flush=True)
        while line := await lines.readline():
            begun = time.monotonic()
            task = asyncio.create_task(obey(producer, line.decode()))
            loop.add_signal_handler(signal.SIGUSR1, task.cancel)
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
            print(time.monotonic() - begun, flush=True)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    os.nice(NICE)
    uvloop.run(serve())


if __name__ == "__main__":
    main()
