"""Kafka, as the services use it. The only module that imports aiokafka.

The guarantee (design "nothing lost, nothing doubled without its name"): `Producer`
returns only when every in-sync replica has a record, and `GroupReader` commits
an offset only when its caller says that all that followed from it is done.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from wirewatch.runtime.clock import Clock, utc_now
from wirewatch.runtime.errors import BrokerProblem
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics.codec import DecodeError, decode, encode
from wirewatch.topics.dead_letters import DEAD_LETTERS, DeadReason, bury
from wirewatch.topics.spec import MAX_MESSAGE_BYTES, Record, Topic

R = TypeVar("R", bound=Record)

FETCH_MAX_BYTES = 16 * 1024 * 1024
"""One fetch; at the library's default of 1 MiB throughput falls to a quarter (measured)."""
POLL_MS = 200
POLL_RECORDS = 5_000
"""Records of one poll of a log: what is done with them holds up the whole process meanwhile."""
LINGER_MS = 5
MAX_BATCH_BYTES = 786_432
"""Records before they are packed: a batch is a message to the broker, whose limit is 1 MiB."""
RECORD_OVERHEAD_BYTES = 128
PLACES_REMEMBERED = 65_536
"""murmur2 is Python, and the same few endpoints come again and again."""
SEND_RETRY_S = 1.0
CLOSE_LIMIT_S = 5.0
"""How long connecting anew, or sending what is left before a stop, may take."""
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

log = get_logger("kafka")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Received(Generic[R]):
    """A record as it was read. `value` is None for a tombstone (the key was deleted).

    `raw` are its bytes, None where this process has just sent it.
    """

    position: Position
    key: str
    value: R | None
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    key: str
    place: str
    value: bytes | None


def broker_problem(settings: Settings, error: Exception) -> BrokerProblem:
    """Return the sentence for a Kafka that does not answer."""
    where = ",".join(settings.bootstrap)
    hint = (
        "check WIREWATCH_KAFKA and that the cluster is up"
        if settings.kafka
        else "start it with `make run`, or set WIREWATCH_KAFKA to a cluster's host:port"
    )
    waited = f"no connection within {settings.kafka_wait_s:g} s"
    reason = waited if isinstance(error, KafkaConnectionError) else str(error) or repr(error)
    return BrokerProblem(f"Kafka at {where} cannot be reached ({reason}): {hint}.")


@lru_cache(maxsize=PLACES_REMEMBERED)
def partition_of(place: str, partitions: int) -> int:
    """Return the partition of `place`, as Kafka's default partitioner chooses it."""
    return int((murmur2(place.encode()) & 0x7FFF_FFFF) % partitions)


async def start_with_patience(start: Callable[[], Awaitable[None]], settings: Settings) -> None:
    """Call `start` until Kafka answers, at most `kafka_wait_s`. Raises BrokerProblem."""
    deadline = asyncio.get_running_loop().time() + settings.kafka_wait_s
    while True:
        try:
            return await start()
        except (KafkaConnectionError, OSError) as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise broker_problem(settings, error) from error
        await asyncio.sleep(0.5)


class Producer:
    """Sends records and returns when they are safe (idempotent, acks=all)."""

    def __init__(
        self,
        settings: Settings,
        service: str,
        clock: Clock = utc_now,
        *,
        linger_ms: int = LINGER_MS,
    ) -> None:
        """`linger_ms` is how long a record may wait for others to be sent with."""
        self._settings = settings
        self._service = service
        self._clock = clock
        self._linger_ms = linger_ms
        self._client: _Client | None = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises BrokerProblem when Kafka does not answer in time."""

        async def connect() -> None:
            client = self._make()
            try:
                await client.start()
            except BaseException:
                await client.stop()
                raise
            self._client = client

        await start_with_patience(connect, self._settings)

    def _make(self) -> "_Client":
        return _Client(
            bootstrap_servers=self._settings.bootstrap,
            client_id=f"{self._service}-{self._settings.instance}",
            enable_idempotence=True,
            acks="all",
            compression_type="zstd",
            linger_ms=self._linger_ms,
            max_request_size=MAX_MESSAGE_BYTES,
            max_batch_size=MAX_BATCH_BYTES,
        )

    async def stop(self) -> None:
        """Send what is buffered and disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await _close(client)

    def bare_name(self, full_name: str) -> str:
        """Return a topic's name without the prefix of this installation."""
        return full_name.removeprefix(self._settings.topic_prefix)

    async def send(self, topic: Topic[R], record: R) -> Position:
        """Send `record` and return its position once every in-sync replica has it.

        While Kafka is away this waits and tries again, so a caller that commits
        afterwards loses nothing. Raises KafkaError only for a record that no
        broker will take (too large).
        """
        return (await self.send_all(topic, (record,)))[0]

    async def send_all(self, topic: Topic[R], records: Iterable[R]) -> list[Position]:
        """Send `records` together; return their positions in order. Else as `send`.

        Those of one partition that fit into MAX_BATCH_BYTES are written in one
        go: all of them or none.
        """
        messages = [_Message(topic.key(r), topic.place(r), encode(r)) for r in records]
        return await self._send(topic, messages)

    async def delete(self, topic: Topic[R], key: str, place: str | None = None) -> Position:
        """Send a tombstone for `key`; `place` where the topic is placed by another value."""
        return (await self._send(topic, [_Message(key, place or key, None)]))[0]

    async def bury(
        self,
        payload: bytes,
        *,
        reason: DeadReason,
        detail: str,
        topic: str,
        key: str,
        partition: int = -1,
        offset: int = -1,
    ) -> None:
        """Send a dead letter for `payload`, which stands at this position of `topic`."""
        letter = bury(
            payload,
            service=self._service,
            reason=reason,
            detail=detail,
            topic=topic,
            partition=partition,
            offset=offset,
            key=key,
            now=self._clock(),
        )
        await self.send(DEAD_LETTERS, letter)

    async def _send(self, topic: Topic[R], messages: list[_Message]) -> list[Position]:
        name = topic.full_name(self._settings.topic_prefix)
        sent: dict[int, Position] = {}
        warned = False
        while len(sent) < len(messages):
            client = self._client
            if client is None:
                raise RuntimeError("the producer is not started")
            left = [number for number in range(len(messages)) if number not in sent]
            results = await _send_once(client, name, [messages[number] for number in left])
            failed: BaseException | None = None
            for number, result in zip(left, results, strict=True):
                if isinstance(result, BaseException):
                    failed = _worse(failed, result)
                else:
                    sent[number] = result
            if failed is not None:
                if not warned:
                    log.warning("send failed, trying again", topic=name, error=repr(failed))
                warned = True
                await self._renew(client)
                await asyncio.sleep(SEND_RETRY_S)
        return [sent[number] for number in range(len(messages))]

    async def _renew(self, broken: Any) -> None:
        """Replace a failed client: an idempotent one can stay stuck (aiokafka#1017).

        Only a client that has connected takes its place: one that has not waits
        for ever. While there is none to be had the broken one stays.
        """
        async with self._renewing:
            if self._client is not broken or broken is None:
                return
            fresh = self._make()
            try:
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await fresh.start()
            except (KafkaError, OSError) as error:
                log.debug("reconnecting failed", error=repr(error))
                await _close(fresh)
                return
            if self._client is not broken:  # stopped meanwhile
                await _close(fresh)
                return
            self._client = fresh
            await _close(broken)


async def _send_once(client: Any, name: str, messages: list[_Message]) -> list[Any]:
    """Return for each message its position as the broker tells it, or what went wrong.

    Several for one partition travel as batches that are put together here: a
    future for each message, as `AIOKafkaProducer.send` has it, costs 40 us each
    where this costs 5 (measured). A batch is written whole or not at all. One
    alone goes by `send`, which puts it together with what others send just now.
    """
    results: list[Any] = [None] * len(messages)
    try:
        partitions = len(await client.partitions_for(name))
        groups = _groups(messages, partitions)
    except (KafkaError, AssertionError) as error:
        return [error] * len(messages)
    answers = await asyncio.gather(
        *(_send_group(client, name, partition, group) for partition, group in groups),
        return_exceptions=True,
    )
    for (partition, group), answer in zip(groups, answers, strict=True):
        for place, (number, _) in enumerate(group):
            if isinstance(answer, BaseException):
                results[number] = answer
            else:
                results[number] = Position(partition, answer + place)
    return results


_Group = list[tuple[int, _Message]]
"""Messages that fit into one batch, with their numbers."""


def _groups(messages: list[_Message], partitions: int) -> list[tuple[int, _Group]]:
    """Return what is to be sent together, with its partition."""
    full: list[tuple[int, _Group]] = []
    filling: dict[int, tuple[int, _Group]] = {}
    for number, message in enumerate(messages):
        size = len(message.key.encode()) + len(message.value or b"") + RECORD_OVERHEAD_BYTES
        if size > MAX_MESSAGE_BYTES:
            raise MessageSizeTooLargeError(f"a record of {size} bytes")
        partition = partition_of(message.place, partitions)
        filled, group = filling.get(partition, (0, []))
        if group and filled + size > MAX_BATCH_BYTES:
            full.append((partition, group))
            filled, group = 0, []
        group.append((number, message))
        filling[partition] = (filled + size, group)
    return full + [(partition, group) for partition, (_, group) in filling.items()]


async def _send_group(client: Any, name: str, partition: int, group: _Group) -> int:
    """Send a group; return the offset of its first record."""
    if len(group) == 1:
        [(_, message)] = group
        key = message.key.encode()
        sent = await client.send(name, message.value, key=key, partition=partition)
        return int((await sent).offset)
    batch = client.create_batch()
    for _, message in group:
        if batch.append(timestamp=None, key=message.key.encode(), value=message.value) is None:
            raise RuntimeError("a batch was full before it was expected to be")
    batch.close()
    # aiokafka takes one waiting batch for each partition; of several that wait for their
    # turn with it, each is charged the time of all and soon times out.
    async with client.turns[name, partition]:
        sent = await client.send_batch(batch, name, partition=partition)
    return int((await sent).offset)


class _Client(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types here
    """aiokafka's producer, with whose turn it is to hand a batch to a partition."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)


def _worse(one: BaseException | None, other: BaseException) -> BaseException:
    """Return the error to act on. Raises what trying again cannot mend."""
    if isinstance(other, TOO_LARGE) or not isinstance(other, KafkaError | AssertionError):
        raise other
    return one or other


async def _close(client: Any) -> None:
    """Stop a client; with Kafka away what it still holds is not waited for."""
    try:
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await client.stop()
    except (KafkaError, OSError) as error:  # TimeoutError is an OSError
        log.debug("a client did not stop in time", error=repr(error))


def _decode(topic: Topic[R], message: Any) -> Received[R]:
    value = None if message.value is None else decode(message.value, topic.record)
    key = (message.key or b"").decode("utf-8", "replace")
    return Received(Position(message.partition, message.offset), key, value, message.value)


OnUnreadable = Callable[[Any, DecodeError], Awaitable[None]]


def bury_unreadable(producer: Producer, count: Callable[[str], None]) -> OnUnreadable:
    """Return a handler that logs an unreadable record once, counts it and buries it.

    `count` gets the topic's name without prefix: a label of a metric. Where it
    is used for a projection, the same record may be met again after a restart:
    its dead letter has the same id.
    """

    async def handle(message: Any, error: DecodeError) -> None:
        log.warning(
            "unreadable record",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            error=str(error),
        )
        count(producer.bare_name(message.topic))
        await producer.bury(
            message.value or b"",
            reason=DeadReason.UNREADABLE,
            detail=str(error),
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            key=(message.key or b"").decode("utf-8", "replace"),
        )

    return handle


class LogReader(Generic[R]):
    """Reads chosen partitions of a topic from chosen offsets, without a group."""

    def __init__(self, settings: Settings, topic: Topic[R], on_unreadable: OnUnreadable) -> None:
        self._settings = settings
        self._topic = topic
        self._name = topic.full_name(settings.topic_prefix)
        self._on_unreadable = on_unreadable
        self._client = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            client_id=f"{topic.name}-{settings.instance}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_MAX_BYTES,
            max_partition_fetch_bytes=FETCH_MAX_BYTES,
            fetch_max_wait_ms=POLL_MS,
        )

    async def start(self) -> None:
        """Connect. Raises BrokerProblem when Kafka does not answer or lacks the topic."""
        await start_with_patience(self._client.start, self._settings)

    async def stop(self) -> None:
        """Disconnect."""
        await self._client.stop()

    async def partitions(self) -> set[int]:
        """Return the partitions the topic has. Raises BrokerProblem if there is no such topic."""
        await self._client._client.force_metadata_update()  # noqa: SLF001 - no public way to ask
        found = self._client.partitions_for_topic(self._name)
        if not found:
            raise BrokerProblem(
                f"Kafka has no topic {self._name}: "
                "create the topics with `wirewatch topics create`."
            )
        return set(found)

    async def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """Return for each partition the offset after its last record. Waits while Kafka is away."""
        while True:
            try:
                ends = await self._client.end_offsets([self._at(p) for p in partitions])
                break
            except KafkaError as error:
                log.debug("asking for the ends failed, trying again", error=repr(error))
                await asyncio.sleep(SEND_RETRY_S)
        return {at.partition: offset for at, offset in ends.items()}

    async def begins(self, partitions: Collection[int]) -> dict[int, int]:
        """Return for each partition the offset of its first record."""
        begins = await self._client.beginning_offsets([self._at(p) for p in partitions])
        return {at.partition: offset for at, offset in begins.items()}

    async def offsets_at(self, partitions: Collection[int], at: datetime) -> dict[int, int]:
        """Return for each partition the offset of its first record written at `at` or later.

        It is the offset after the last record where there is none.
        """
        asked = {self._at(p): max(0, int(at.timestamp() * 1000)) for p in partitions}
        found = await self._client.offsets_for_times(asked)
        ends = await self.ends(partitions)
        return {
            place.partition: ends[place.partition] if first is None else first.offset
            for place, first in found.items()
        }

    async def read_from(self, offsets: dict[int, int]) -> None:
        """Read on from these offsets, partition by partition; others are no longer read."""
        self._client.assign([self._at(p) for p in offsets])
        for partition, offset in offsets.items():
            self._client.seek(self._at(partition), offset)

    async def position(self, partition: int) -> int:
        """Return the offset that will be read next."""
        return int(await self._client.position(self._at(partition)))

    async def poll(self, most: int = POLL_RECORDS) -> list[Received[R]]:
        """Return the next records, none after a short wait; at most `most`.

        Unreadable ones are handled.
        """
        found: list[Received[R]] = []
        batches = await self._client.getmany(timeout_ms=POLL_MS, max_records=most)
        for message in (message for batch in batches.values() for message in batch):
            try:
                found.append(_decode(self._topic, message))
            except DecodeError as error:
                await self._on_unreadable(message, error)
        return found

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(self._name, partition)


OnPartitions = Callable[[set[int]], Awaitable[None]]


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types here
    def __init__(self, on_revoked: OnPartitions, on_assigned: OnPartitions) -> None:
        self._on_revoked = on_revoked
        self._on_assigned = on_assigned

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._on_revoked({at.partition for at in revoked})

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._on_assigned({at.partition for at in assigned})


async def _nothing(_: set[int]) -> None:
    return


class GroupReader(Generic[R]):
    """Reads a topic as one worker of a group; offsets are committed only by `commit`.

    `on_revoked` is called before partitions are given up and `on_assigned`
    before the first record of new ones is read; every rebalance revokes all.
    With `shards_only`, no record is read: the group only deals out partitions.
    """

    def __init__(
        self,
        settings: Settings,
        service: str,
        topic: Topic[R],
        on_unreadable: OnUnreadable,
        *,
        on_assigned: OnPartitions = _nothing,
        on_revoked: OnPartitions = _nothing,
        shards_only: bool = False,
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._name = topic.full_name(settings.topic_prefix)
        self._on_unreadable = on_unreadable
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._shards_only = shards_only
        self._client = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            client_id=f"{service}-{settings.instance}",
            group_id=settings.group(service),
            group_instance_id=settings.instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.session_timeout_s * 1000 / 4),
            rebalance_timeout_ms=int(settings.session_timeout_s * 1000),
            fetch_max_bytes=FETCH_MAX_BYTES,
            fetch_max_wait_ms=POLL_MS,
        )

    async def start(self) -> None:
        """Connect and join the group. Raises BrokerProblem."""
        self._client.subscribe([self._name], listener=_Listener(self._on_revoked, self._assigned))
        await start_with_patience(self._client.start, self._settings)

    async def _assigned(self, partitions: set[int]) -> None:
        if self._shards_only:
            self._client.pause(*(TopicPartition(self._name, p) for p in partitions))
        await self._on_assigned(partitions)

    async def stop(self) -> None:
        """Leave the group and disconnect."""
        await self._client.stop()

    async def poll(self, most: int = 500) -> list[Received[R]]:
        """Return the next records, none after a short wait; at most `most`."""
        found: list[Received[R]] = []
        batches = await self._client.getmany(timeout_ms=POLL_MS, max_records=most)
        for message in (message for batch in batches.values() for message in batch):
            try:
                found.append(_decode(self._topic, message))
            except DecodeError as error:
                await self._on_unreadable(message, error)
                found.append(Received(Position(message.partition, message.offset), "", None))
        return found

    async def commit(self, records: Iterable[Received[R]]) -> None:
        """Commit that everything up to and with these records is done."""
        offsets: dict[int, int] = {}
        for record in records:
            at = record.position
            offsets[at.partition] = max(offsets.get(at.partition, 0), at.offset + 1)
        await self.commit_offsets(offsets)

    async def commit_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commit for each partition that everything before the offset is done.

        A commit that fails because the partition has moved on is no loss: the
        new worker reads the records again, and repeats carry the same ids.
        """
        if not offsets:
            return
        try:
            await self._client.commit(
                {TopicPartition(self._name, p): offset for p, offset in offsets.items()}
            )
        except KafkaError as error:
            log.warning("commit refused, records will be read again", error=repr(error))


async def read_all(reader: LogReader[R]) -> AsyncIterator[Received[R]]:
    """Yield every record a topic holds now, oldest first within a partition."""
    partitions = await reader.partitions()
    ends = await reader.ends(partitions)
    await reader.read_from(await reader.begins(partitions))
    while any([await reader.position(p) < ends[p] for p in partitions]):
        for record in await reader.poll():
            yield record


__all__ = [
    "TOO_LARGE",
    "GroupReader",
    "LogReader",
    "Position",
    "Producer",
    "Received",
    "UnknownTopicOrPartitionError",
    "broker_problem",
    "bury_unreadable",
    "partition_of",
    "read_all",
    "start_with_patience",
]
