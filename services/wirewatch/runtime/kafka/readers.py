"""Reading topics: one worker of a group, or anyone from wherever they like."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from wirewatch.runtime.errors import BrokerProblem
from wirewatch.runtime.kafka.connecting import start_with_patience
from wirewatch.runtime.kafka.received import Position, Received, received
from wirewatch.runtime.kafka.unreadable import OnUnreadable
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics.codec import DecodeError
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)

FETCH_MAX_BYTES = 16 * 1024 * 1024
"""One fetch; at the library's default of 1 MiB throughput falls to a quarter (measured)."""
POLL_MS = 200
POLL_RECORDS = 5_000
"""Records of one poll of a log: what is done with them holds up the whole process meanwhile."""
PATIENT_BYTES = 256 * 1024
"""What a patient reader would have the broker wait for, POLL_MS at most."""
ASK_RETRY_S = 1.0

log = get_logger("kafka")


async def _next(
    client: AIOKafkaConsumer, topic: Topic[R], most: int, on_unreadable: OnUnreadable
) -> list[tuple[Any, Received[R] | None]]:
    """Return the next messages and their records; None for one that cannot be read, and is told."""
    found: list[tuple[Any, Received[R] | None]] = []
    batches = await client.getmany(timeout_ms=POLL_MS, max_records=most)
    for message in (message for batch in batches.values() for message in batch):
        try:
            found.append((message, received(topic, message)))
        except DecodeError as error:
            await on_unreadable(message, error)
            found.append((message, None))
    return found


class LogReader(Generic[R]):
    """Reads chosen partitions of a topic from chosen offsets, without a group.

    A record is read as soon as it is there; with `is_patient` up to POLL_MS later, with others
    that come meanwhile: an answer of the broker for each record is dear. `fetch_bytes` of
    each partition may wait in memory.
    """

    def __init__(
        self,
        settings: Settings,
        topic: Topic[R],
        on_unreadable: OnUnreadable,
        *,
        is_patient: bool = False,
        fetch_bytes: int = FETCH_MAX_BYTES,
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._name = topic.full_name(settings.topic_prefix)
        self._on_unreadable = on_unreadable
        self._client = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            client_id=f"{topic.name}-{settings.instance}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=fetch_bytes,
            max_partition_fetch_bytes=fetch_bytes,
            fetch_min_bytes=PATIENT_BYTES if is_patient else 1,
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
                await asyncio.sleep(ASK_RETRY_S)
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

    def rest(self) -> None:
        """Fetch nothing more before the next `read_from`."""
        self._client.pause(*self._client.assignment())

    async def position(self, partition: int) -> int:
        """Return the offset that will be read next."""
        return int(await self._client.position(self._at(partition)))

    async def poll(self, most: int = POLL_RECORDS) -> list[Received[R]]:
        """Return the next records, none after a short wait; at most `most`.

        Unreadable ones are handled.
        """
        found = await _next(self._client, self._topic, most, self._on_unreadable)
        return [record for _, record in found if record is not None]

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
        found = await _next(self._client, self._topic, most, self._on_unreadable)
        return [
            record or Received(Position(message.partition, message.offset), "", None)
            for message, record in found
        ]

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
