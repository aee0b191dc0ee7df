"""Write down what happened, many at a time, in the order that loses nothing.

First what tells of it (attempts, dead letters, states of endpoints), and when
that is safe, last what makes it count: the delivery. Only then does the outbox
show it, and the caller hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from wirewatch.notify.outbox import Outbox
from wirewatch.runtime.kafka import Position
from wirewatch.topics import ATTEMPTS, DEAD_LETTERS, DELIVERIES, ENDPOINT_STATES
from wirewatch.topics.attempts import Attempt
from wirewatch.topics.dead_letters import DeadLetter
from wirewatch.topics.deliveries import Delivery
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.spec import Topic

R = TypeVar("R")

MOST_AT_ONCE = 1_000
"""Entries of one turn: what is done with them holds up the whole process meanwhile."""
TOLD_AT_ONCE = 25
"""Entries whose callers hear of it before others have a turn."""


class Log(Protocol):
    """Where records are written (`runtime.kafka.Producer`)."""

    async def send_all(self, topic: Topic[Any], records: Sequence[Any]) -> list[Position]:
        """Send `records` together; return their positions once they are safe."""


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written down together.

    Several `deliveries` of one entry are of one endpoint, and are written all or none.
    `done` is called once everything is safe and in the outbox.
    """

    deliveries: tuple[Delivery, ...] = ()
    attempt: Attempt | None = None
    letter: DeadLetter | None = None
    state: EndpointState | None = None
    done: Callable[[], None] = _nothing


class Recorder:
    """Takes entries at any time; `run` writes them, in the order they came."""

    def __init__(self, outbox: Outbox, log: Log) -> None:
        self._outbox = outbox
        self._log = log
        self._waiting: list[Entry] = []
        self._wake = asyncio.Event()
        self.partitions: Collection[int] = ()
        """Those that this worker owns: only their deliveries belong into its outbox."""
        self._writing = 0

    def __len__(self) -> int:
        return len(self._waiting) + self._writing

    def add(self, entry: Entry) -> None:
        """Have `entry` written."""
        self._waiting.append(entry)
        self._wake.set()

    async def flush(self) -> None:
        """Return when everything that was added before is written."""
        if len(self):
            is_written = asyncio.Event()
            self.add(Entry(done=is_written.set))
            await is_written.wait()

    async def run(self) -> None:
        """Write until cancelled. Waits while Kafka is away."""
        while True:
            await self._wake.wait()
            entries = self._waiting[:MOST_AT_ONCE]
            del self._waiting[:MOST_AT_ONCE]
            self._writing = len(entries)
            await self._write(entries)
            self._writing = 0
            if not self._waiting:
                self._wake.clear()

    async def _write(self, entries: Sequence[Entry]) -> None:
        told: list[Awaitable[list[Position]]] = []
        for topic, records in (
            (ATTEMPTS, [e.attempt for e in entries if e.attempt is not None]),
            (DEAD_LETTERS, [e.letter for e in entries if e.letter is not None]),
            (ENDPOINT_STATES, [e.state for e in entries if e.state is not None]),
        ):
            if records:
                told.append(self._log.send_all(topic, records))
        if told:
            await asyncio.gather(*told)
        alone = [entry for entry in entries if len(entry.deliveries) > 1]
        single = [e.deliveries[0] for e in entries if len(e.deliveries) == 1]
        for deliveries in (single, *(entry.deliveries for entry in alone)):
            await self._write_deliveries(deliveries)
        for number, entry in enumerate(entries, 1):
            entry.done()
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _write_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Write `deliveries`; those of one partition all or none, if they fit into a batch."""
        if not deliveries:
            return
        positions = await self._log.send_all(DELIVERIES, deliveries)
        ours = [
            (delivery, at)
            for delivery, at in zip(deliveries, positions, strict=True)
            if at.partition in self.partitions
        ]
        if ours:
            self._outbox.put_all(ours)
