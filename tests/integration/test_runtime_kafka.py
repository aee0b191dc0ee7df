"""The runtime's promises, on a real Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
import structlog.testing
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from wirewatch.runtime.errors import BrokerProblem
from wirewatch.runtime.kafka import (
    GroupReader,
    LogReader,
    Producer,
    Received,
    bury_unreadable,
    read_all,
)
from wirewatch.runtime.projection import MemoryTable, Projection
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import (
    TopicState,
    check_topics,
    create_topics,
    require_co_partitioned,
)
from wirewatch.topics import ALL, DEAD_LETTERS, FEED_STATES, FEEDS
from wirewatch.topics.dead_letters import DeadReason
from wirewatch.topics.feeds import Feed

AT = datetime(2026, 11, 23, tzinfo=UTC)


def feed(name: str, title: str = "") -> Feed:
    return Feed(
        id=f"feed_{name}",
        url=f"https://news.example/{name}",
        title=title,
        created_at=AT,
        updated_at=AT,
    )


async def _never(message: object, error: Exception) -> None:
    raise AssertionError(f"unreadable: {message} {error}")


@pytest.fixture
async def table(kafka_settings: Settings) -> AsyncIterator[MemoryTable[Feed]]:
    table: MemoryTable[Feed] = MemoryTable()
    projection = Projection(kafka_settings, FEEDS, table, _never)
    await projection.start()
    yield table
    await projection.stop()


class Slow(MemoryTable[Feed]):
    """A table whose storing takes a while; it keeps what was done in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[str] = []
        self.told: list[str] = []

    def prepare(self, records: Sequence[Received[Feed]]) -> Callable[[], None]:
        return partial(self._store, records)

    def _store(self, records: Sequence[Received[Feed]]) -> None:
        time.sleep(0.05)
        self.stored += [record.key for record in records]
        super().apply(records)

    def tell(self, records: Sequence[Received[Feed]]) -> None:
        self.told += [record.key for record in records]
        assert self.stored[: len(self.told)] == self.told

    def apply(self, records: Sequence[Received[Feed]]) -> None:
        self.prepare(records)()
        self.tell(records)


async def test_what_is_stored_in_a_thread_is_there_in_order_once_it_is_caught_up(
    kafka_settings: Settings, producer: Producer
) -> None:
    names = [f"{number}" for number in range(9_000)]
    await producer.send_all(FEEDS, [feed(name, "old") for name in names])
    await producer.send_all(FEEDS, [feed(name, "new") for name in names])
    table = Slow()
    projection = Projection(kafka_settings, FEEDS, table, _never, is_patient=True, bulk=table)
    await projection.start()
    assert len(table.told) == 2 * len(names)
    assert len(table) == len(names)
    assert {one.title for one in table} == {"new"}

    # Few are taken in as ever, and a stop in the middle of many breaks nothing.
    await producer.send(FEEDS, feed("one more"))
    await projection.catch_up()
    assert len(table) == len(names) + 1
    await producer.send_all(FEEDS, [feed(name, "newer") for name in names])
    stopping = [asyncio.create_task(projection.stop()) for _ in range(2)]
    await asyncio.sleep(0.01)
    stopping[0].cancel()  # as a rebalance in the middle of another one does
    await asyncio.wait(stopping)
    kept = list(table.stored)
    await asyncio.sleep(0.2)
    assert table.stored == kept, "nothing goes on in a thread"
    assert table.stored[: len(table.told)] == table.told


async def test_topics_are_created_once_and_as_their_specs_say(kafka_settings: Settings) -> None:
    again = await create_topics(kafka_settings)
    checked = await check_topics(kafka_settings)

    assert [report.state for report in again] == [TopicState.OK] * len(ALL)
    assert again == checked
    wanted = [topic.partitions or 4 for topic in ALL]
    assert [report.partitions for report in checked] == wanted


async def test_a_difference_is_said_in_words(kafka_settings: Settings) -> None:
    other = kafka_settings.model_copy(update={"topic_partitions": 6})

    [report, *_] = await check_topics(other)

    assert report.state is TopicState.DIFFERS
    assert report.differences == (f"{other.topic_prefix}feeds: has 4 partitions, should have 6",)


async def test_topics_that_belong_together_need_the_same_partitions(
    kafka_settings: Settings,
) -> None:
    await require_co_partitioned(kafka_settings, FEEDS, FEED_STATES)
    missing = kafka_settings.model_copy(update={"topic_prefix": "nothing."})
    with pytest.raises(BrokerProblem, match=r"no topic nothing\.feeds: create the topics"):
        await require_co_partitioned(missing, FEEDS, FEED_STATES)

    lopsided = kafka_settings.model_copy(update={"topic_prefix": "lopsided."})
    admin = AIOKafkaAdminClient(bootstrap_servers=lopsided.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("lopsided.feeds", 3, 1)])
    await admin.close()
    await create_topics(lopsided)

    with pytest.raises(BrokerProblem, match=r"feeds has 3, lopsided\.feed-states has 4"):
        await require_co_partitioned(lopsided, FEEDS, FEED_STATES)


async def test_many_at_once_to_one_partition_wait_for_nobody_in_vain(
    kafka_settings: Settings,
) -> None:
    producer = Producer(kafka_settings, "test")
    await producer.start()
    same = feed("same")
    with structlog.testing.capture_logs() as lines:
        alone = await asyncio.gather(*(producer.send(FEEDS, same) for _ in range(1_000)))
        groups = await asyncio.gather(*(producer.send_all(FEEDS, [same] * 20) for _ in range(50)))
    await producer.stop()

    assert lines == []  # none was refused and tried again
    offsets = [at.offset for at in alone] + [at.offset for group in groups for at in group]
    assert sorted(offsets) == list(range(min(offsets), min(offsets) + 2_000))
    for group in groups:
        first = group[0].offset
        assert [at.offset for at in group] == list(range(first, first + 20))


async def test_a_projection_holds_the_newest_of_each_key(
    kafka_settings: Settings, producer: Producer
) -> None:
    await producer.send_all(FEEDS, [feed("a"), feed("b"), feed("c")])
    await producer.send(FEEDS, feed("a", "newer"))
    await producer.delete(FEEDS, "feed_b")
    table: MemoryTable[Feed] = MemoryTable()
    projection = Projection(kafka_settings, FEEDS, table, _never)

    await projection.start()

    assert sorted((f.id, f.title) for f in table) == [("feed_a", "newer"), ("feed_c", "")]
    await producer.send(FEEDS, feed("d"))
    await projection.catch_up()
    assert table.get("feed_d") is not None
    await projection.stop()


async def test_what_was_put_by_hand_is_never_undone_by_reading_older_records(
    kafka_settings: Settings, producer: Producer
) -> None:
    seen: list[tuple[str | None, str | None]] = []
    table: MemoryTable[Feed] = MemoryTable(
        lambda _, old, new: seen.append((old.title if old else None, new.title if new else None))
    )
    projection = Projection(kafka_settings, FEEDS, table, _never)
    await producer.send(FEEDS, feed("a", "1"))
    second = await producer.send(FEEDS, feed("a", "2"))
    projection.put(feed("a", "2"), second)
    gone = await producer.delete(FEEDS, "feed_a")
    projection.remove("feed_a", gone)

    await projection.start()

    assert seen == [(None, "2"), ("2", None)]
    assert len(table) == 0
    await projection.stop()


async def test_partitions_can_be_exchanged_while_running(
    kafka_settings: Settings, producer: Producer
) -> None:
    feeds = [feed(str(n)) for n in range(40)]
    at = [await producer.send(FEEDS, one) for one in feeds]
    of = {p: {f.id for f, a in zip(feeds, at, strict=True) if a.partition == p} for p in range(4)}
    table: MemoryTable[Feed] = MemoryTable()
    projection = Projection(kafka_settings, FEEDS, table, _never)

    await projection.start({0, 1})
    assert {f.id for f in table} == of[0] | of[1]
    await projection.follow({1, 2, 3})
    assert {f.id for f in table} == of[1] | of[2] | of[3]
    await projection.follow(set())
    assert len(table) == 0
    await projection.stop()


async def test_an_unreadable_record_is_buried_with_its_position_and_stops_nothing(
    kafka_settings: Settings, producer: Producer
) -> None:
    name = FEEDS.full_name(kafka_settings.topic_prefix)
    raw = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap)
    await raw.start()
    bad = await raw.send_and_wait(name, b"{ not json", key=b"feed_x", partition=2)
    await raw.stop()
    await producer.send(FEEDS, feed("a"))
    counted: list[str] = []
    table: MemoryTable[Feed] = MemoryTable()
    projection = Projection(kafka_settings, FEEDS, table, bury_unreadable(producer, counted.append))

    await projection.start()
    await projection.stop()

    assert [f.id for f in table] == ["feed_a"]
    assert counted == ["feeds"]
    letters = LogReader(kafka_settings, DEAD_LETTERS, _never)
    await letters.start()
    [letter] = [record.value async for record in read_all(letters)]
    await letters.stop()
    assert letter is not None
    assert (letter.reason, letter.topic) == (DeadReason.UNREADABLE, name)
    assert (letter.partition, letter.offset, letter.key) == (2, bad.offset, "feed_x")
    assert letter.payload == b"{ not json"
    assert "not a readable Feed" in letter.detail


async def test_a_group_reads_again_what_was_not_committed(
    kafka_settings: Settings, producer: Producer
) -> None:
    await producer.send_all(FEEDS, [feed(str(n)) for n in range(20)])

    async def read(until: int, *, commit: bool) -> set[str]:
        reader = GroupReader(kafka_settings, "tester", FEEDS, _never)
        await reader.start()
        found: set[str] = set()
        for _ in range(100):
            records = await reader.poll()
            found |= {record.key for record in records}
            if commit:
                await reader.commit(records)
            if len(found) >= until:
                break
        await reader.stop()
        return found

    everything = {f"feed_{n}" for n in range(20)}
    assert await read(20, commit=False) == everything
    assert await read(20, commit=True) == everything
    await producer.send(FEEDS, feed("new"))
    assert await read(1, commit=True) == {"feed_new"}


async def test_two_workers_share_the_partitions_and_one_takes_over(
    kafka_settings: Settings,
) -> None:
    assigned: dict[str, set[int]] = {}

    def worker(name: str) -> GroupReader[Feed]:
        async def note(partitions: set[int]) -> None:
            assigned[name] = partitions

        settings = kafka_settings.model_copy(update={"instance": name})
        return GroupReader(settings, "sharer", FEEDS, _never, on_assigned=note, shards_only=True)

    async def until(expected: list[int], workers: list[GroupReader[Feed]]) -> None:
        async with asyncio.timeout(30):
            while [len(assigned.get(n, ())) for n in ("one", "two")] != expected:
                await asyncio.gather(*(w.poll() for w in workers))

    one, two = worker("one"), worker("two")
    await asyncio.gather(one.start(), two.start())
    await until([2, 2], [one, two])
    assert assigned["one"] | assigned["two"] == {0, 1, 2, 3}
    await two.stop()
    assigned["two"] = set()
    await until([4, 0], [one])
    await one.stop()


async def test_a_broker_that_is_not_there_is_one_sentence() -> None:
    settings = Settings(kafka="127.0.0.1:1", kafka_wait_s=0.1)

    with pytest.raises(BrokerProblem, match=r"^Kafka at 127\.0\.0\.1:1 cannot be reached .*"):
        await Producer(settings, "test").start()


async def test_a_topic_that_is_not_there_says_what_to_do(kafka_settings: Settings) -> None:
    settings = kafka_settings.model_copy(update={"topic_prefix": "nobody."})
    projection = Projection(settings, FEEDS, MemoryTable(), _never)

    with pytest.raises(BrokerProblem, match=r"no topic nobody\.feeds: create the topics with"):
        await projection.start()
    await projection.stop()
