"""Write down what happened, many at a time, in the order that loses nothing.

First what tells of it (attempts, dead letters, states of endpoints), and when
that is safe, last what makes it count: the delivery. Only then does the outbox
show it, and the caller hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from wirewatch.notify.outbox import Outbox
from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.kafka import TOO_LARGE, Position
from wirewatch.runtime.logs import get_logger
from wirewatch.topics import ATTEMPTS, DEAD_LETTERS, DELIVERIES, ENDPOINT_STATES
from wirewatch.topics.attempts import Attempt
from wirewatch.topics.codec import encode
from wirewatch.topics.dead_letters import DeadLetter, DeadReason, bury
from wirewatch.topics.deliveries import WAITING, Delivery, DeliveryState
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.spec import Topic

R = TypeVar("R")

MOST_AT_ONCE = 1_000
"""Entries of one turn: what is done with them holds up the whole process meanwhile."""
TOLD_AT_ONCE = 25
"""Entries whose callers hear of it before others have a turn."""
IDS_LOGGED = 3
"""Of the deliveries of an entry that is given up."""

logger = get_logger("notify")


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


Write = Callable[[Sequence[Entry]], Awaitable[None]]


class Recorder:
    """Takes entries at any time; `run` writes them, in the order they came.

    `on_given_up` is called for each delivery that is ended here, without an attempt.
    """

    def __init__(
        self,
        outbox: Outbox,
        log: Log,
        *,
        topic_prefix: str = "",
        clock: Clock = utc_now,
        on_given_up: Callable[[], None] = _nothing,
    ) -> None:
        self._outbox = outbox
        self._log = log
        self._topic = DELIVERIES.full_name(topic_prefix)
        self._clock = clock
        self._on_given_up = on_given_up
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

    def give_up(self, delivery: Delivery, detail: str, done: Callable[[], None] = _nothing) -> None:
        """Have `delivery`, of which nobody can be told, ended, with a dead letter."""
        logger.warning("delivery given up", delivery=delivery.id, detail=detail)
        dead, letter = self._dead(delivery, detail)
        self.add(Entry((dead,), letter=letter, done=done))

    def letter(self, delivery: Delivery, reason: DeadReason, detail: str) -> DeadLetter:
        """Return what tells that `delivery` was given up; its record has no place yet."""
        return bury(
            encode(delivery),
            service="notify",
            reason=reason,
            detail=detail,
            topic=self._topic,
            partition=-1,
            offset=-1,
            key=delivery.id,
            now=self._clock(),
        )

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
        fitting = await self._taken(entries, self._write_tellings)
        await self._taken([e for e in fitting if len(e.deliveries) == 1], self._write_together)
        for entry in fitting:
            if len(entry.deliveries) > 1:
                await self._taken([entry], self._write_together)
        for number, entry in enumerate(entries, 1):
            entry.done()
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _taken(self, entries: Sequence[Entry], write: Write) -> Sequence[Entry]:
        """Write `entries`; return those that were taken. One that never will be is ended.

        One such among several makes them all be written again, one by one.
        """
        try:
            await write(entries)
        except TOO_LARGE as error:
            if len(entries) > 1:
                each = [await self._taken([entry], write) for entry in entries]
                return [entry for taken in each for entry in taken]
            await self._end(entries[0], error)
            return ()
        return entries

    async def _end(self, entry: Entry, error: Exception) -> None:
        """Write that what waits in `entry` is dead; what has ended in it stays as it is."""
        detail = f"too large to be written down: {error}"
        ids = [delivery.id for delivery in entry.deliveries][:IDS_LOGGED]
        logger.error("an entry is given up", deliveries=ids, detail=detail)
        ended: list[Delivery] = []
        letters: list[DeadLetter] = []
        for delivery in entry.deliveries:
            if delivery.state in WAITING:
                dead, letter = self._dead(delivery, detail)
                ended.append(dead)
                letters.append(letter)
            else:
                ended.append(delivery)
        if letters:
            await self._log.send_all(DEAD_LETTERS, letters)
        await self._write_deliveries(ended)

    def _dead(self, delivery: Delivery, detail: str) -> tuple[Delivery, DeadLetter]:
        """Return `delivery` as it died, without what it told, and what tells of it."""
        letter = self.letter(delivery, DeadReason.UNREADABLE, detail)
        self._on_given_up()
        bare = replace(delivery, alert=None, digest=None, notice=None, held_for=None)
        return replace(bare, state=DeliveryState.DEAD, ended_at=self._clock()), letter

    async def _write_tellings(self, entries: Sequence[Entry]) -> None:
        """Write all but the deliveries; an error is raised once nothing is under way."""
        told: list[Awaitable[list[Position]]] = []
        for topic, records in (
            (ATTEMPTS, [e.attempt for e in entries if e.attempt is not None]),
            (DEAD_LETTERS, [e.letter for e in entries if e.letter is not None]),
            (ENDPOINT_STATES, [e.state for e in entries if e.state is not None]),
        ):
            if records:
                told.append(self._log.send_all(topic, records))
        for result in await asyncio.gather(*told, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _write_together(self, entries: Sequence[Entry]) -> None:
        await self._write_deliveries([one for entry in entries for one in entry.deliveries])

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
