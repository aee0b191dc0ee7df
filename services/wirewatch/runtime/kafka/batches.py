"""Group commit: what is sent to a partition at about the same time travels as one batch.

aiokafka puts records together as well, but with a future and a lookup for each
record (40 us where this takes 5, measured), and what belongs together may be
torn apart. Batches of one's own it takes one at a time for each partition, and
charges every one that waits for its turn with the time of all before it. So
what is sent while a batch is on its way waits here, and goes with the next.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from aiokafka.errors import MessageSizeTooLargeError, ProducerClosed, RecordListTooLargeError
from aiokafka.partitioner import murmur2

from wirewatch.topics.codec import encode
from wirewatch.topics.spec import MAX_MESSAGE_BYTES, Record, Topic

R = TypeVar("R", bound=Record)

MAX_BATCH_BYTES = 786_432
"""Records before they are packed: a batch is a message to the broker, whose limit is 1 MiB."""
RECORD_OVERHEAD_BYTES = 128
PLACES_REMEMBERED = 65_536
"""murmur2 is Python, and the same few endpoints come again and again."""
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

Place = tuple[str, int]
"""A topic's full name and the partition."""


@dataclass(frozen=True, slots=True)
class Message:
    """A record as bytes; `place` is what its partition is found by."""

    key: bytes
    place: str
    value: bytes | None

    def size(self) -> int:
        """Return about how many bytes it takes in a batch."""
        return len(self.key) + len(self.value or b"") + RECORD_OVERHEAD_BYTES


def message_of(topic: Topic[R], record: R) -> Message:
    """Return `record` as it is sent to `topic`."""
    return Message(topic.key(record).encode(), topic.place(record), encode(record))


@lru_cache(maxsize=PLACES_REMEMBERED)
def partition_of(place: str, partitions: int) -> int:
    """Return the partition of `place`, as Kafka's default partitioner chooses it."""
    return int((murmur2(place.encode()) & 0x7FFF_FFFF) % partitions)


def groups_of(messages: Sequence[Message], partitions: int) -> list[tuple[int, list[int]]]:
    """Return which messages go together: their numbers, with the partition, each fit for a batch.

    Raises MessageSizeTooLargeError for a message that no broker will take.
    """
    full: list[tuple[int, list[int]]] = []
    filling: dict[int, tuple[int, list[int]]] = {}
    for number, message in enumerate(messages):
        size = message.size()
        if size > MAX_MESSAGE_BYTES:
            raise MessageSizeTooLargeError(f"a record of {size} bytes")
        partition = partition_of(message.place, partitions)
        filled, group = filling.get(partition, (0, []))
        if group and filled + size > MAX_BATCH_BYTES:
            full.append((partition, group))
            filled, group = 0, []
        group.append(number)
        filling[partition] = (filled + size, group)
    return full + [(partition, group) for partition, (_, group) in filling.items()]


@dataclass(frozen=True, slots=True)
class _Group:
    """Messages that are written in one go, all or none; `offset` becomes that of the first."""

    messages: Sequence[Message]
    bytes: int
    offset: asyncio.Future[int]


class Batches:
    """Sends groups of messages by `client`, an `AIOKafkaProducer` that is started."""

    def __init__(self, client: Any, linger_s: float) -> None:
        """`linger_s` is how long a group may wait for others to be sent with."""
        self._client = client
        self._linger_s = linger_s
        self._waiting: defaultdict[Place, deque[_Group]] = defaultdict(deque)
        self._under_way: dict[Place, tuple[asyncio.Task[None], Sequence[_Group]]] = {}
        self._timer: asyncio.Handle | None = None
        self._closed = False

    def send(self, name: str, partition: int, messages: Sequence[Message]) -> asyncio.Future[int]:
        """Send `messages`, which fit into a batch, and return a future of the first's offset."""
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._closed:
            offset.set_exception(ProducerClosed())
            return offset
        size = sum(message.size() for message in messages)
        self._waiting[name, partition].append(_Group(messages, size, offset))
        self._wake()
        return offset

    async def flush(self) -> None:
        """Return when nothing waits and nothing is under way."""
        while self._waiting or self._under_way:
            ends: list[asyncio.Future[Any]] = [task for task, _ in self._under_way.values()]
            ends += [group.offset for line in self._waiting.values() for group in line]
            await asyncio.wait(ends)

    async def close(self) -> None:
        """End what is under way and fail all of it with ProducerClosed."""
        self._closed = True
        for line in self._waiting.values():
            _fail(line, ProducerClosed())
        self._waiting.clear()
        under_way = list(self._under_way.values())
        for task, _ in under_way:
            task.cancel()
        await asyncio.gather(*(task for task, _ in under_way), return_exceptions=True)
        for _, groups in under_way:
            _fail(groups, ProducerClosed())
        self._under_way.clear()

    def _wake(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            later = self._linger_s > 0
            self._timer = (
                loop.call_later(self._linger_s, self._hand_over)
                if later
                else loop.call_soon(self._hand_over)
            )

    def _hand_over(self) -> None:
        """Set a batch going for each partition for which none is."""
        self._timer = None
        for place in [place for place in self._waiting if place not in self._under_way]:
            groups = _fill(self._waiting[place])
            if not self._waiting[place]:
                del self._waiting[place]
            task = asyncio.create_task(self._carry(place, groups))
            self._under_way[place] = task, groups

    async def _carry(self, place: Place, groups: Sequence[_Group]) -> None:
        try:
            await self._write(place, groups)
        finally:
            self._under_way.pop(place, None)
            if place in self._waiting:
                self._wake()

    async def _write(self, place: Place, groups: Sequence[_Group]) -> None:
        try:
            offset = await self._send_batch(place, groups)
        except TOO_LARGE as error:
            if len(groups) == 1:
                return _fail(groups, error)
            for group in groups:  # one that is too large is none of the others' fault
                await self._write(place, [group])
        except Exception as error:  # noqa: BLE001 - it is told to whoever sent
            _fail(groups, error)
        else:
            _succeed(groups, offset)

    async def _send_batch(self, place: Place, groups: Sequence[_Group]) -> int:
        batch = self._client.create_batch()
        for group in groups:
            for message in group.messages:
                if batch.append(timestamp=None, key=message.key, value=message.value) is None:
                    raise RuntimeError("a batch was full before it was expected to be")
        batch.close()
        name, partition = place
        sent = await self._client.send_batch(batch, name, partition=partition)
        return int((await sent).offset)


def _fill(line: deque[_Group]) -> list[_Group]:
    """Take from `line` the groups of the next batch."""
    groups = [line.popleft()]
    room = MAX_BATCH_BYTES - groups[0].bytes
    while line and line[0].bytes <= room:
        room -= line[0].bytes
        groups.append(line.popleft())
    return groups


def _succeed(groups: Sequence[_Group], offset: int) -> None:
    for group in groups:
        if not group.offset.done():  # whoever sent it may have been cancelled
            group.offset.set_result(offset)
        offset += len(group.messages)


def _fail(groups: Sequence[_Group] | deque[_Group], error: Exception) -> None:
    for group in groups:
        if not group.offset.done():
            group.offset.set_exception(error)
