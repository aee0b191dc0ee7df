"""What the API holds at hand, and how it writes: first the log, then the table.

A write returns once the log has it and this process shows it, so a client
reads its own writes. Other API processes follow a moment later.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

import msgspec

from wirewatch.api.errors import Unavailable
from wirewatch.api.logs import Past
from wirewatch.api.metrics import ApiMetrics
from wirewatch.api.status import Holdings
from wirewatch.api.views import MAX_PAYLOAD_HEAD_BYTES
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.entities.gazetteer import Gazetteer
from wirewatch.runtime.clock import Clock
from wirewatch.runtime.kafka import Position, Received
from wirewatch.runtime.projection import MemoryTable, RecentTable
from wirewatch.runtime.vault import Vault
from wirewatch.topics.alerts import Alert
from wirewatch.topics.articles import Article
from wirewatch.topics.attempts import Attempt
from wirewatch.topics.dead_letters import DeadLetter
from wirewatch.topics.endpoint_states import EndpointState
from wirewatch.topics.endpoints import Endpoint
from wirewatch.topics.entities import Entity
from wirewatch.topics.feed_states import FeedState
from wirewatch.topics.feeds import Feed
from wirewatch.topics.spec import Record, Topic
from wirewatch.topics.subscriptions import Subscription

R = TypeVar("R", bound=Record)

WRITE_TIMEOUT_S = 10.0
"""A client is told after this long that Kafka does not take its change."""
MINUTES_KEPT = 60
IDS_REMEMBERED = 10_000
"""Of what was counted last: a repeat, or the same alert for another endpoint, counts once."""


class Sender(Protocol):
    """As much of `runtime.kafka.Producer` as the API uses."""

    async def send(self, topic: Topic[R], record: R) -> Position:
        """Return once every in-sync replica has `record`."""

    async def send_all(self, topic: Topic[R], records: Iterable[R]) -> list[Position]:
        """As `send`, for several together."""

    async def delete(self, topic: Topic[R], key: str, place: str | None = None) -> Position:
        """Return once every in-sync replica has the tombstone of `key`."""


class Locks:
    """A lock for each name; one that nobody holds takes no room."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Let nobody else into the same name meanwhile."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with lock:
            yield


class Collection(Generic[R]):
    """The records of one compacted topic, written through to its table."""

    def __init__(self, topic: Topic[R], table: MemoryTable[R], sender: Sender) -> None:
        self._topic = topic
        self._table = table
        self._sender = sender

    def get(self, key: str) -> R | None:
        """Return the record with this id."""
        return self._table.get(key)

    def __iter__(self) -> Iterator[R]:
        return iter(self._table.values())

    async def put(self, record: R) -> None:
        """Store `record`. Raises Unavailable while Kafka does not take it."""
        async with _in_time():
            position = await self._sender.send(self._topic, record)
        self._table.apply([Received(position, self._topic.key(record), record)])

    async def remove(self, key: str) -> None:
        """Delete the record with this id. Raises Unavailable while Kafka does not take it."""
        async with _in_time():
            position = await self._sender.delete(self._topic, key)
        self._table.apply([Received(position, key, None)])


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            yield
    except TimeoutError as error:
        raise Unavailable(
            f"Kafka did not take the change within {WRITE_TIMEOUT_S:.0f} s; "
            "it is safe to send the same request again."
        ) from error


class PerMinute(Generic[R]):
    """Counts the records of a topic by minute for the last hour; keeps none of them.

    A `Table` for a projection: `id_of` tells repeats, `time_of` the minute.
    """

    def __init__(
        self, id_of: Callable[[R], str], time_of: Callable[[R], datetime], clock: Clock
    ) -> None:
        self._id_of = id_of
        self._time_of = time_of
        self._clock = clock
        self._counts: defaultdict[int, int] = defaultdict(int)
        self._seen: dict[str, None] = {}

    def count(self, record: R) -> None:
        """Count `record`, unless it was counted before."""
        known = self._id_of(record)
        if known in self._seen:
            return
        self._seen[known] = None
        if len(self._seen) > IDS_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        now = _minute(self._clock())
        minute = min(_minute(self._time_of(record)), now)
        if minute > now - MINUTES_KEPT:
            self._counts[minute] += 1
        for old in [m for m in self._counts if m <= now - MINUTES_KEPT]:
            del self._counts[old]

    def counts(self, now: datetime) -> tuple[int, ...]:
        """Return the counts of the last `MINUTES_KEPT` minutes, oldest first, this one last."""
        this = _minute(now)
        return tuple(self._counts.get(m, 0) for m in range(this - MINUTES_KEPT + 1, this + 1))

    def resume_at(self, partition: int) -> int | None:  # noqa: ARG002 - part of the protocol
        """Return None: counts start empty."""
        return None

    def apply(self, records: Sequence[Received[R]]) -> None:
        """Count records."""
        for record in records:
            if record.value is not None:
                self.count(record.value)

    def forget(self, partition: int) -> None:
        """Keep the counts: what was counted has happened."""


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


class HeadsTable(RecentTable[DeadLetter]):
    """The last dead letters, with no more of each payload than is shown."""

    def apply(self, records: Sequence[Received[DeadLetter]]) -> None:
        """Append records, their payloads cut."""
        super().apply([_cut(record) for record in records])


def _cut(received: Received[DeadLetter]) -> Received[DeadLetter]:
    letter = received.value
    if letter is None or len(letter.payload) <= MAX_PAYLOAD_HEAD_BYTES:
        return received
    head = letter.payload[:MAX_PAYLOAD_HEAD_BYTES]
    cut = msgspec.structs.replace(letter, payload=head, payload_is_cut=True)
    return Received(received.position, received.key, cut)


BACKLOG = 250
"""Records of each partition that are read back at start, for the recent lists."""
RECENT_ALERTS = 2_000
RECENT_ATTEMPTS = 2_000
RECENT_DEAD_LETTERS = 1_000


@dataclass(frozen=True, slots=True)
class Tables:
    """What is read from the topics; each is kept up to date by a projection."""

    feeds: MemoryTable[Feed]
    feed_states: MemoryTable[FeedState]
    subscriptions: MemoryTable[Subscription]
    endpoints: MemoryTable[Endpoint]
    endpoint_states: MemoryTable[EndpointState]
    entities: MemoryTable[Entity]
    articles_per_minute: PerMinute[Article]
    alerts_per_minute: PerMinute[Alert]
    alerts: RecentTable[Alert]
    attempts: RecentTable[Attempt]
    dead_letters: RecentTable[DeadLetter]

    def holdings(self, now: datetime) -> Holdings:
        """Return what the tables hold, for the status."""
        return Holdings(
            feeds=self.feeds.values(),
            feed_states={state.feed_id: state for state in self.feed_states},
            subscriptions=self.subscriptions.values(),
            endpoints=self.endpoints.values(),
            endpoint_states={state.endpoint_id: state for state in self.endpoint_states},
            alerts=self.alerts.values(),
            attempts=self.attempts.values(),
            dead_letters=self.dead_letters.values(),
            articles_per_minute=self.articles_per_minute.counts(now),
            alerts_per_minute=self.alerts_per_minute.counts(now),
        )


def new_tables(clock: Clock, gazetteer: Gazetteer) -> Tables:
    """Return empty tables; `gazetteer` follows the own entities."""
    alerts_per_minute: PerMinute[Alert] = PerMinute(
        lambda alert: alert.id, lambda alert: alert.found_at, clock
    )
    return Tables(
        feeds=MemoryTable(),
        feed_states=MemoryTable(),
        subscriptions=MemoryTable(),
        endpoints=MemoryTable(),
        endpoint_states=MemoryTable(),
        entities=MemoryTable(gazetteer.apply),
        articles_per_minute=PerMinute(
            lambda article: f"{article.id} {article.revision}",
            lambda article: article.fetched_at,
            clock,
        ),
        alerts_per_minute=alerts_per_minute,
        alerts=RecentTable(RECENT_ALERTS, alerts_per_minute.count),
        attempts=RecentTable(RECENT_ATTEMPTS),
        dead_letters=HeadsTable(RECENT_DEAD_LETTERS),
    )


@dataclass(frozen=True, slots=True)
class Api:
    """What a handler works with."""

    tables: Tables
    feeds: Collection[Feed]
    subscriptions: Collection[Subscription]
    endpoints: Collection[Endpoint]
    entities: Collection[Entity]
    gazetteer: Gazetteer
    vault: Vault
    metrics: ApiMetrics
    clock: Clock
    loopback_only: bool
    sender: Sender
    past: Past
    locks: Locks = field(default_factory=Locks)

    @property
    def catalogue(self) -> Catalogue:
        """Entities by name: those that ship and the own ones."""
        return self.gazetteer.catalogue

    @property
    def finder(self) -> Finder:
        """What finds them in texts."""
        return self.gazetteer.finder

    async def publish(self, topic: Topic[R], records: Iterable[R]) -> None:
        """Send records that no table holds. Raises Unavailable while Kafka does not take them."""
        async with _in_time():
            await self.sender.send_all(topic, records)


__all__ = [
    "BACKLOG",
    "Api",
    "Collection",
    "HeadsTable",
    "Locks",
    "PerMinute",
    "Sender",
    "Tables",
    "new_tables",
]
