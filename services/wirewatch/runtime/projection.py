"""A compacted topic, kept at hand.

The log is the truth, a table is a cache of it: rebuilt from the topic at any
time, and never ahead of what the topic will say. Every service uses this one
mechanism (design section 2).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from wirewatch.runtime.kafka import POLL_RECORDS, LogReader, OnUnreadable, Position, Received
from wirewatch.runtime.logs import get_logger
from wirewatch.runtime.settings import Settings
from wirewatch.topics.spec import Record, Topic

R = TypeVar("R", bound=Record)

POLL_LEAST = 200
"""Records of one poll; more only while there are so many, up to POLL_RECORDS."""
BULK = 1_000
"""So many records of one poll are stored in a thread of their own while more are read."""

log = get_logger("projection")

OnChange = Callable[[str, R | None, R | None], None]
"""Called with key, old record and new record (None: there is none) after a change."""


class Table(Protocol[R]):
    """Where a projection keeps what it reads."""

    def resume_at(self, partition: int) -> int | None:
        """Return the offset to read on from, None for the partition's beginning."""

    def apply(self, records: Sequence[Received[R]]) -> None:
        """Take in records. One that is not newer than what is held for its key is ignored."""

    def forget(self, partition: int) -> None:
        """Drop everything that came from `partition`."""


class StoringTable(Table[R], Protocol):
    """A table on disk; `apply` is what `prepare` returns, then `tell`."""

    def prepare(self, records: Sequence[Received[R]]) -> Callable[[], None]:
        """Return what does the part of `apply` that takes long; any thread may call it."""

    def tell(self, records: Sequence[Received[R]]) -> None:
        """Do the rest of `apply`."""


class MemoryTable(Generic[R]):
    """The newest record of each key, in memory."""

    def __init__(self, on_change: OnChange[R] | None = None) -> None:
        self._rows: dict[str, tuple[R | None, Position]] = {}
        self._on_change = on_change

    def resume_at(self, partition: int) -> int | None:  # noqa: ARG002 - part of the protocol
        """Return None: memory starts empty."""
        return None

    def apply(self, records: Sequence[Received[R]]) -> None:
        """Take in records, newest offset of a key wins."""
        for record in records:
            held, at = self._rows.get(record.key, (None, None))
            if at is not None and at.offset >= record.position.offset:
                continue
            # A deleted key keeps its row: an older record of it may still be on its way,
            # when this process deleted it and has not read that far yet.
            self._rows[record.key] = (record.value, record.position)
            if self._on_change is not None:
                self._on_change(record.key, held, record.value)

    def forget(self, partition: int) -> None:
        """Drop everything that came from `partition`."""
        gone = [key for key, (_, at) in self._rows.items() if at.partition == partition]
        for key in gone:
            held, _ = self._rows.pop(key)
            if held is not None and self._on_change is not None:
                self._on_change(key, held, None)

    def get(self, key: str) -> R | None:
        """Return the record of `key`, None if there is none."""
        return self._rows.get(key, (None, None))[0]

    def values(self) -> list[R]:
        """Return all records."""
        return [held for held, _ in self._rows.values() if held is not None]

    def __iter__(self) -> Iterator[R]:
        return iter(self.values())

    def __len__(self) -> int:
        return sum(held is not None for held, _ in self._rows.values())


class RecentTable(Generic[R]):
    """The last records of a topic, in the order they were read; not one per key."""

    def __init__(self, most: int, on_record: Callable[[R], None] | None = None) -> None:
        self._rows: deque[tuple[R, Position]] = deque(maxlen=most)
        self._on_record = on_record

    def resume_at(self, partition: int) -> int | None:  # noqa: ARG002 - part of the protocol
        """Return None: memory starts empty."""
        return None

    def apply(self, records: Sequence[Received[R]]) -> None:
        """Append records; the oldest fall out."""
        for record in records:
            if record.value is not None:
                self._rows.append((record.value, record.position))
                if self._on_record is not None:
                    self._on_record(record.value)

    def forget(self, partition: int) -> None:
        """Drop everything that came from `partition`."""
        kept = [row for row in self._rows if row[1].partition != partition]
        self._rows.clear()
        self._rows.extend(kept)

    def values(self) -> list[R]:
        """Return the records, oldest first."""
        return [record for record, _ in self._rows]


class Projection(Generic[R]):
    """Keeps a table up to date with partitions of a topic.

    `backlog` limits how many records of each partition are read from before the
    start (for topics that are not compacted); None reads everything. With `is_own`
    nobody else writes to the partitions that are followed: once they are caught up
    they are not read any more, and `put` keeps the table up to date. `is_patient` is for
    a topic of which hardly anything is news: `LogReader` has it. `bulk` is the table once
    more, if much of it may have to be read at once.
    """

    def __init__(
        self,
        settings: Settings,
        topic: Topic[R],
        table: Table[R],
        on_unreadable: OnUnreadable,
        *,
        backlog: int | None = None,
        is_own: bool = False,
        is_patient: bool = False,
        bulk: StoringTable[R] | None = None,
    ) -> None:
        self._bulk: StoringTable[R] | None = bulk
        self._is_own = is_own
        self.name = topic.name
        self._topic = topic
        self._table = table
        self._backlog = backlog
        self._reader = LogReader(settings, topic, on_unreadable, is_patient=is_patient)
        self._next: dict[int, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()
        self._switching = asyncio.Lock()

    async def start(
        self, partitions: Collection[int] | Callable[[int], Collection[int]] | None = None
    ) -> None:
        """Start to follow `partitions`, all if None, and wait until they are caught up.

        A function is given how many there are and says which. Raises BrokerProblem when Kafka
        does not answer or lacks the topic.
        """
        await self._reader.start()
        if partitions is None:
            partitions = await self._reader.partitions()
        elif callable(partitions):
            partitions = partitions(len(await self._reader.partitions()))
        await self.follow(partitions)

    async def follow(self, partitions: Collection[int]) -> None:
        """Follow exactly `partitions` from now on; return when all are caught up.

        Partitions that were followed before go on where they are, those no
        longer wanted are forgotten.
        """
        async with self._switching:
            await self._halt()
            for gone in set(self._next) - set(partitions):
                del self._next[gone]
                self._table.forget(gone)
            self._next |= await self._starts(set(partitions) - set(self._next))
            if self._next:
                await self._reader.read_from(self._next)
                self._task = asyncio.create_task(self._run(), name=f"follow {self._topic.name}")
        await self.catch_up()
        if self._is_own:
            async with self._switching:
                await self._halt()

    async def _starts(self, partitions: set[int]) -> dict[int, int]:
        if not partitions:
            return {}
        begins = await self._reader.begins(partitions)
        ends = await self._reader.ends(partitions)
        starts = {}
        for partition in partitions:
            known = self._table.resume_at(partition)
            if known is not None and not begins[partition] <= known <= ends[partition]:
                log.warning("cache is of another log, rebuilding", topic=self._topic.name)
                self._table.forget(partition)
                known = None
            start = begins[partition] if known is None else known
            if self._backlog is not None:
                start = max(start, ends[partition] - self._backlog)
            starts[partition] = start
        return starts

    async def catch_up(self) -> None:
        """Wait until everything that stands in the followed partitions now is in the table.

        Raises what stopped the projection, if it has stopped.
        """
        if not self._next:
            return
        ends = await self._reader.ends(set(self._next))

        def reached() -> bool:
            behind = any(self._next.get(p, end) < end for p, end in ends.items())
            return not behind or self._task is None or self._task.done()

        async with self._moved:
            await self._moved.wait_for(reached)
        if self._task is not None and self._task.done():
            self._task.result()

    async def reached(self, position: Position) -> None:
        """Wait until the table has the record at `position`; raise what stopped the projection."""

        def is_there() -> bool:
            there = self._next.get(position.partition, 0) > position.offset
            return there or self._task is None or self._task.done()

        if is_there() and self._task is not None and not self._task.done():
            return
        async with self._moved:
            await self._moved.wait_for(is_there)
        if self._task is not None and self._task.done():
            self._task.result()

    async def _run(self) -> None:
        storing: asyncio.Task[None] | None = None
        most = POLL_LEAST
        try:
            while True:
                records = await self._reader.poll(most)
                most = min(2 * most, POLL_RECORDS) if len(records) >= most else POLL_LEAST
                reached = {p: await self._reader.position(p) for p in self._next}
                bulk = self._bulk if len(records) >= BULK else None
                # While the thread is still busy with those before: it need only write then.
                store = None if bulk is None else bulk.prepare(records)
                if storing is not None:
                    await asyncio.shield(storing)
                    storing = None
                taking = self._take_in(records, reached, store)
                if store is None:
                    await taking
                else:
                    storing = asyncio.create_task(taking)
                    await asyncio.sleep(0)  # let it begin: what follows may keep the loop
        except Exception:
            log.exception("projection ended", topic=self._topic.name)
            raise
        finally:
            if storing is not None:  # a thread cannot be ended
                await asyncio.wait([storing])
            async with self._moved:
                self._moved.notify_all()

    async def _take_in(
        self,
        records: Sequence[Received[R]],
        reached: dict[int, int],
        store: Callable[[], None] | None,
    ) -> None:
        """Take in what was read, up to `reached`; with `store` in a thread."""
        if store is None or self._bulk is None:
            self._table.apply(records)
        else:
            await asyncio.to_thread(store)
            self._bulk.tell(records)
        async with self._moved:
            # Those given up meanwhile are not ours any more.
            self._next |= {p: offset for p, offset in reached.items() if p in self._next}
            self._moved.notify_all()

    def put(self, record: R, position: Position) -> None:
        """Take in a record that this process has just sent, without waiting to read it back."""
        self._table.apply([Received(position, self._topic.key(record), record)])

    def remove(self, key: str, position: Position) -> None:
        """Take in a tombstone that this process has just sent."""
        self._table.apply([Received(position, key, None)])

    def problem(self) -> str | None:
        """Return what is wrong, for /healthz; None while the projection follows its topic."""
        if self._task is None or not self._task.done():
            return None
        return f"no longer follows {self._topic.name}"

    async def ended(self) -> None:
        """Wait until an error has ended the projection, and raise it."""

        def is_over() -> bool:
            return self._task is not None and self._task.done() and not self._task.cancelled()

        async with self._moved:
            await self._moved.wait_for(is_over)
        if self._task is not None:
            self._task.result()

    async def _halt(self) -> None:
        task = self._task
        if task is None:
            return
        if not task.cancelling():  # a second time would break off how it ends
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # has been logged
        self._task = None

    async def stop(self) -> None:
        """Stop following; the table stays as it is."""
        await self._halt()
        await self._reader.stop()
