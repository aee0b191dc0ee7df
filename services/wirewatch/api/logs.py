"""Topics read back: what the tables at hand no longer hold.

A reading has bounds and says when it met them, and few go on at once: each has
connections and a share of this process of its own. Whatever ends it, they are closed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from wirewatch.api.errors import Busy, Unavailable
from wirewatch.runtime.errors import BrokerProblem
from wirewatch.runtime.kafka import LogReader, partition_of
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics.codec import DecodeError
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)

READINGS_AT_ONCE = 2
RETRY_AFTER_S = 5
MAX_RECORDS = 1_000_000
"""Records looked at in one request, also those of other endpoints in the same partition."""
MAX_SECONDS = 20.0
"""Below what clients wait for an answer."""
ANSWER_LIMIT_S = 10.0
"""How long Kafka may take to be found, and to say where something stands."""
CLOSE_LIMIT_S = 5.0

log = get_logger("api")

Take = Callable[[Sequence[R]], Awaitable[bool]]
"""Takes records as they are read; says whether to go on."""


class Budget:
    """What one request may still read. It is met when either of them is used up."""

    def __init__(self, records: int = MAX_RECORDS, seconds: float = MAX_SECONDS) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = records
        self._deadline = self._loop.time() + seconds

    def spend(self, records: int) -> None:
        """Note that so many records were read."""
        self._left -= records

    @property
    def is_met(self) -> bool:
        """Whether nothing more may be read."""
        return self._left <= 0 or self._loop.time() >= self._deadline


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a topic: written from `since` to before `until` (None: until now).

    `place` chooses the one partition that has it, None reads all.
    """

    since: datetime
    until: datetime | None = None
    place: str | None = None


class Source(Protocol):
    """Where topics are read from."""

    async def read(self, topic: Topic[R], span: Span, budget: Budget, take: Take[R]) -> bool:
        """Give `take` the records of `span` in order; say whether it was not cut short.

        A `take` that has enough does not cut short. Raises Unavailable.
        """


class Kafka:
    """Reads from Kafka, with a consumer for each call that is closed before it returns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def read(self, topic: Topic[R], span: Span, budget: Budget, take: Take[R]) -> bool:
        """Read `span` of `topic` (`Source.read`)."""
        reader = LogReader(self._settings, topic, _skip)
        try:
            async with _in_time():
                ends = await _begin(reader, span)
            return await _read(reader, ends, budget, take)
        finally:
            await _close(reader)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            yield
    except (TimeoutError, BrokerProblem) as error:
        raise Unavailable(
            "What happened earlier cannot be read: Kafka does not answer. Ask again later."
        ) from error


async def _begin(reader: LogReader[R], span: Span) -> dict[int, int]:
    """Place the reader; return for each partition that has something where to end."""
    await reader.start()
    partitions: Collection[int] = await reader.partitions()
    if span.place is not None:
        partitions = (partition_of(span.place, len(partitions)),)
    starts = await reader.offsets_at(partitions, span.since)
    ends = await (
        reader.ends(partitions) if span.until is None else reader.offsets_at(partitions, span.until)
    )
    wanted = {partition: end for partition, end in ends.items() if starts[partition] < end}
    if wanted:
        await reader.read_from({partition: starts[partition] for partition in wanted})
    return wanted


async def _read(reader: LogReader[R], ends: dict[int, int], budget: Budget, take: Take[R]) -> bool:
    while any([await reader.position(p) < end for p, end in ends.items()]):
        if budget.is_met:
            return False
        records = await reader.poll()
        budget.spend(len(records))
        wanted = [
            record.value
            for record in records
            if record.value is not None and record.position.offset < ends[record.position.partition]
        ]
        if wanted and not await take(wanted):
            return True
        # What is buffered comes without waiting: other requests go on in between.
        await asyncio.sleep(0)
    return True


async def _skip(message: Any, error: DecodeError) -> None:
    """Pass over a record that cannot be read: who follows the topic has buried it."""
    log.debug("unreadable record passed over", offset=message.offset, error=str(error))


async def _close(reader: LogReader[R]) -> None:
    try:
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await reader.stop()
    except Exception as error:  # noqa: BLE001 - nothing that closing says matters to the answer
        log.debug("a reader did not close in time", error=repr(error))


class Nothing:
    """A source without a log behind it: what is at hand is all there is."""

    async def read(self, topic: Topic[R], span: Span, budget: Budget, take: Take[R]) -> bool:  # noqa: ARG002
        """Read nothing."""
        return True


class Reading:
    """Several readings of one request, within one budget."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self.is_whole = True
        """Whether everything that was asked for so far was read."""

    async def read(self, topic: Topic[R], span: Span, take: Take[R]) -> None:
        """Give `take` the records of `span`, as far as the budget goes. Raises Unavailable."""
        whole = await self._source.read(topic, span, self._budget, take)
        self.is_whole = self.is_whole and whole


class Past:
    """What can be read back. Few may do so at once."""

    def __init__(self, source: Source, at_once: int = READINGS_AT_ONCE) -> None:
        self._source = source
        self._room = asyncio.Semaphore(at_once)
        self._at_once = at_once

    @asynccontextmanager
    async def reading(self, *, seconds: float = MAX_SECONDS) -> AsyncIterator[Reading]:
        """Let the caller read for so long. Raises Busy while as many as may are reading."""
        if self._room.locked():
            raise Busy(
                f"{self._at_once} requests are reading back already: "
                f"ask again in {RETRY_AFTER_S} s.",
                retry_after_s=RETRY_AFTER_S,
            )
        async with self._room:
            yield Reading(self._source, Budget(seconds=seconds))


__all__ = ["Budget", "Kafka", "Nothing", "Past", "Reading", "Source", "Span", "Take"]
