"""match on a real Kafka: shards, kills, live changes, floods, snapshots, and what is broken."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from fakes.ingest import held
from fakes.match import (
    LIMIT_S,
    Start,
    alerts,
    found,
    match_workers,
    snapshot_folder,
    story,
    until_alerts,
)
from fakes.news import subscription
from wirewatch.entities.catalogue import Catalogue
from wirewatch.entities.find import Finder
from wirewatch.query.explain import matches
from wirewatch.query.parse import parse
from wirewatch.query.reading import read
from wirewatch.runtime.kafka import Producer, partition_of
from wirewatch.runtime.lifecycle import EXIT_BUG
from wirewatch.runtime.settings import Settings
from wirewatch.runtime.topic_admin import GroupLag
from wirewatch.topics import ARTICLES, DEAD_LETTERS, SUBSCRIPTIONS
from wirewatch.topics.articles import Article
from wirewatch.topics.ids import alert_id
from wirewatch.topics.subscriptions import Subscription

pytestmark = pytest.mark.timeout(600)

ANIMALS = ["otter", "heron", "badger", "lynx", "adder", "newt"]
PLACES = ["harbour", "forest", "castle", "Russia", "river"]


@pytest.fixture
async def start(kafka_settings: Settings, free_ports: Callable[[int], int]) -> AsyncIterator[Start]:
    """Return a function that starts a match worker and waits until it is ready."""
    async with match_workers(kafka_settings, free_ports) as start:
        yield start


def some_subscriptions() -> list[Subscription]:
    pairs = [(animal, place) for animal in ANIMALS for place in PLACES]
    forms = ["{0} AND {1}", "{0} -{1}", '"{0} in the {1}"', "title:{0} OR {1}s", "NOT {0} AND {1}"]
    return [
        subscription(forms[n % len(forms)].format(*pair), id=f"sub_{n}")
        for n, pair in enumerate(pairs)
    ]


def some_articles() -> list[Article]:
    titles = [f"{animal} in the {place}" for animal in ANIMALS for place in PLACES]
    return [story(title, number) for number in range(4) for title in titles]


def expected(subscriptions: list[Subscription], articles: list[Article]) -> set[str]:
    """Return the ids of the alerts that the reference asks for."""
    catalogue = Catalogue.load()
    finder = Finder(catalogue)
    queries = [(each.id, parse(each.query, catalogue)) for each in subscriptions]
    return {
        alert_id(key, article.id)
        for article in articles
        for reading in [read(article, finder)]
        for key, query in queries
        if matches(query, reading)
    }


async def test_two_shards_of_two_workers_find_what_one_would(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    subscriptions, articles = some_subscriptions(), some_articles()
    wanted = expected(subscriptions, articles)
    assert len({partition_of(each.story_id, 4) for each in articles}) == 4
    await producer.send_all(SUBSCRIPTIONS, subscriptions)
    workers = await asyncio.gather(
        *(
            start(f"match-{shard}-{number}", "--shard", f"{shard}/2")
            for shard in (1, 2)
            for number in (0, 1)
        )
    )
    of_shards = [
        await each.count("subscriptions", shard=f"{shard}/2")
        for shard in (1, 2)
        for each in workers[2 * shard - 2 : 2 * shard - 1]
    ]
    assert sum(of_shards) == len(subscriptions)
    assert all(of_shards)

    await producer.send_all(ARTICLES, articles)
    there = await found(kafka_settings, wanted)

    assert {alert.id for alert in there} == wanted


async def test_a_worker_killed_among_its_shard_loses_nothing(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    subscriptions, articles = some_subscriptions(), some_articles()
    wanted = expected(subscriptions, articles)
    await producer.send_all(SUBSCRIPTIONS, subscriptions)
    names = [(f"match-{shard}-{number}", f"{shard}/2") for shard in (1, 2) for number in (0, 1)]
    workers = await asyncio.gather(*(start(name, "--shard", shard) for name, shard in names))
    half = len(articles) // 2
    await producer.send_all(ARTICLES, articles[:half])
    await until_alerts(kafka_settings, bool, "the first alert")

    workers[0].kill()
    for each in articles[half:]:
        await producer.send(ARTICLES, each)
    await start(names[0][0], "--shard", names[0][1])
    there = await found(kafka_settings, wanted)

    assert {alert.id for alert in there} == wanted


async def test_changes_are_in_force_while_articles_flow(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    worker = await start()
    flowing = asyncio.create_task(_flow(producer))
    number = 0

    async def matched(query_is_for: str) -> bool:
        """Send an article and say whether it was found, once a later one was."""
        nonlocal number
        number += 1
        sent = story(f"{query_is_for} seen", number)
        mark = story("mark", number, key=sent.story_id)
        await producer.send(ARTICLES, sent)
        await producer.send(ARTICLES, mark)
        there = await found(kafka_settings, [alert_id("sub_mark", mark.id)])
        return alert_id("sub_1", sent.id) in {alert.id for alert in there}

    async def change(record: Subscription | None) -> None:
        if record is None:
            await producer.delete(SUBSCRIPTIONS, "sub_1")
        else:
            await producer.send(SUBSCRIPTIONS, record)
        await asyncio.sleep(1)  # the bound that is promised; no figure is taken

    await change(subscription("mark", id="sub_mark"))
    assert not await matched("otter")
    await change(subscription("otter"))
    assert await matched("otter")
    await change(subscription("heron"))
    assert not await matched("otter")
    assert await matched("heron")
    await change(subscription("heron", paused=True))
    assert not await matched("heron")
    await change(subscription("heron"))
    assert await matched("heron")
    await change(None)
    assert not await matched("heron")
    flowing.cancel()
    assert await worker.count("subscriptions") == 1


async def _flow(producer: Producer) -> None:
    number = 0
    while True:
        number += 1
        await producer.send(ARTICLES, story("weather", number))
        await asyncio.sleep(0.01)


SMALL_STEPS = "import wirewatch.match.agent as agent; agent.FLOOD = agent.SEND_AT_ONCE = 100"
SLOW_STEPS = f"""{SMALL_STEPS}
import asyncio
send = agent.ArticleBatch._send
async def slowly(self, alerts):
    if any(alert.query == "deluge" for alert in alerts):
        await asyncio.sleep(0.5)
    await send(self, alerts)
agent.ArticleBatch._send = slowly
"""
FLOODED = 5_000


async def _prepare_flood(producer: Producer) -> set[str]:
    many = [subscription("deluge", id=f"sub_{number}") for number in range(FLOODED)]
    await producer.send_all(SUBSCRIPTIONS, [*many, subscription("otter", id="sub_other")])
    return {alert_id(each.id, story("deluge", key="k").id) for each in many}


async def test_a_flood_holds_up_no_other_article(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    flood = await _prepare_flood(producer)
    await start(before=SMALL_STEPS)
    others = [story("otter", number, key="k") for number in range(20)]
    wanted = [alert_id("sub_other", each.id) for each in others]

    await producer.send_all(ARTICLES, [*others[:5], story("deluge", key="k"), *others[5:]])
    there = await found(kafka_settings, {*flood, *wanted})

    order = [alert.id for alert in there]  # one endpoint: one partition
    assert len(order) == len(set(order)) == FLOODED + len(others)
    last_of_flood = max(at for at, each in enumerate(order) if each in flood)
    assert max(order.index(each) for each in wanted) < last_of_flood
    await _until_committed(kafka_settings, partition_of("k", 4), len(others) + 1)


@pytest.mark.parametrize("before_it", [0, 1, 5])
async def test_a_flood_killed_in_the_middle_is_told_of_again(
    kafka_settings: Settings, producer: Producer, start: Start, before_it: int
) -> None:
    flood = await _prepare_flood(producer)
    others = [story("otter", number, key="k") for number in range(before_it + 20)]
    wanted = [alert_id("sub_other", each.id) for each in others]
    worker = await start(before=SLOW_STEPS)
    partition = partition_of("k", 4)
    await producer.send_all(ARTICLES, others[:before_it])
    if before_it:
        await _until_committed(kafka_settings, partition, before_it)

    await producer.send_all(ARTICLES, [story("deluge", key="k"), *others[before_it:]])
    await found(kafka_settings, wanted)  # the others are done, and wait for the flood
    await asyncio.sleep(2.5)  # Faust commits each second
    worker.kill()
    so_far = {alert.id for alert in await alerts(kafka_settings)}
    assert not flood <= so_far, "the flood is under way"
    assert await _committed(kafka_settings, partition) <= before_it

    await start(before=SMALL_STEPS)
    there = await found(kafka_settings, {*flood, *wanted})
    assert {alert.id for alert in there} == {*flood, *wanted}


async def _committed(settings: Settings, partition: int) -> int:
    lag = GroupLag(settings, "match", ARTICLES)
    await lag.start()
    committed, _ = await lag.look({partition})
    await lag.stop()
    return max(0, committed.get(partition, 0))


async def _until_committed(settings: Settings, partition: int, offset: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        while await _committed(settings, partition) != offset:  # noqa: ASYNC110 - it is the broker's
            await asyncio.sleep(0.1)


async def _is_found(settings: Settings, producer: Producer, title: str, number: int) -> set[str]:
    """Return the subscriptions that a new article matches; `sub_all` is one of them."""
    sent = story(title, number)
    await producer.send(ARTICLES, sent)
    there = await found(settings, [alert_id("sub_all", sent.id)])
    return {alert.subscription_id for alert in there if alert.article.id == sent.id}


async def test_a_worker_goes_on_from_its_snapshot_with_what_changed_meanwhile(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    queries = {
        "sub_all": "seen",
        "sub_1": "otter",
        "sub_2": "otter",
        "sub_3": "otter",
        "sub_4": "(",
    }
    await producer.send_all(SUBSCRIPTIONS, [subscription(q, id=k) for k, q in queries.items()])
    worker = await start()
    assert await _is_found(kafka_settings, producer, "otter seen", 1) == {
        "sub_all", "sub_1", "sub_2", "sub_3",
    }  # fmt: skip
    assert await worker.stop() == 0

    await producer.send(SUBSCRIPTIONS, subscription("otter", id="sub_new"))
    await producer.send(SUBSCRIPTIONS, subscription("heron", id="sub_1"))
    await producer.delete(SUBSCRIPTIONS, "sub_2")
    worker = await start()

    assert len(worker.said("snapshot loaded")) == 1
    assert not worker.said("no snapshot, reading the log")
    assert await worker.count("invalid_subscriptions") == 1
    assert await worker.count("subscriptions") == 4
    assert await _is_found(kafka_settings, producer, "otter seen", 2) == {
        "sub_all", "sub_3", "sub_new",
    }  # fmt: skip
    assert await _is_found(kafka_settings, producer, "heron seen", 3) == {"sub_all", "sub_1"}


async def test_a_killed_worker_goes_on_from_the_snapshot_before(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    await producer.send(SUBSCRIPTIONS, subscription("seen", id="sub_all"))
    worker = await start()
    await producer.send(SUBSCRIPTIONS, subscription("otter"))
    await producer.send(SUBSCRIPTIONS, subscription("otter seen", id="sub_2"))
    await asyncio.sleep(1)
    assert await worker.count("subscriptions") == 3
    worker.kill()

    worker = await start()

    [loaded] = worker.said("snapshot loaded")
    assert loaded["subscriptions"] == 1
    assert await worker.count("subscriptions") == 3
    assert await _is_found(kafka_settings, producer, "otter seen", 1) == {
        "sub_all", "sub_1", "sub_2",
    }  # fmt: skip


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x10
    path.write_bytes(raw)


def _manifest(folder: Path, **changes: Any) -> None:
    path = folder / "snapshot.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


DAMAGED, NOT_USED = "snapshot damaged, reading the log", "snapshot not used, reading the log"
OLD = (datetime.now(UTC) - timedelta(hours=13)).isoformat()
DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "arrays": (lambda folder: _flip(next(folder.glob("*.npz"))), DAMAGED),
    "records": (lambda folder: _flip(next(folder.glob("*.records"))), DAMAGED),
    "records cut short": (lambda folder: _cut(next(folder.glob("*.records"))), DAMAGED),
    "no arrays": (lambda folder: next(folder.glob("*.npz")).unlink(), DAMAGED),
    "other program": (lambda folder: _manifest(folder, program="wirewatch 0.0.0"), NOT_USED),
    "too old": (lambda folder: _manifest(folder, read_at=OLD), NOT_USED),
    "no manifest": (
        lambda folder: (folder / "snapshot.json").unlink(), "no snapshot, reading the log",
    ),
}  # fmt: skip


async def test_a_snapshot_that_cannot_be_used_is_rebuilt_from_the_log(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    queries = {"sub_all": "seen", "sub_1": "otter", "sub_2": "heron"}
    await producer.send_all(SUBSCRIPTIONS, [subscription(q, id=k) for k, q in queries.items()])
    worker = await start()
    folder = snapshot_folder(kafka_settings, "match-0")

    for number, (what, (damage, says)) in enumerate(DAMAGES.items()):
        assert await worker.stop() == 0
        damage(folder)
        worker = await start()
        said = worker.said("snapshot loaded", DAMAGED, NOT_USED, "no snapshot, reading the log")
        assert [line["event"] for line in said] == [says], what
        there = await _is_found(kafka_settings, producer, "otter seen", number)
        assert there == {"sub_all", "sub_1"}, what


async def test_a_bad_article_and_a_bad_subscription_disturb_nobody(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    await producer.send_all(
        SUBSCRIPTIONS,
        [
            subscription("seen", id="sub_all"),
            subscription("otter AND (", id="sub_wrong"),
            subscription("poison", id="sub_poison"),
        ],
    )
    worker = await start(
        before="import wirewatch.match.matcher as m; real = m.digest\n"
        "def digest(article):\n"
        "    if article.title == 'poison': raise ValueError('cannot be told of')\n"
        "    return real(article)\n"
        "m.digest = digest"
    )
    raw = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap)
    await raw.start()
    name = ARTICLES.full_name(kafka_settings.topic_prefix)
    bad = await raw.send_and_wait(name, b"\x00{", partition=0)
    await raw.stop()
    await producer.send(ARTICLES, story("poison"))

    assert await _is_found(kafka_settings, producer, "otter seen", 1) == {"sub_all"}
    assert await worker.count("invalid_subscriptions") == 1
    [left_out] = worker.said("subscription left out")
    assert left_out["subscription"] == "sub_wrong"
    async with asyncio.timeout(LIMIT_S):
        while len(letters := await held(kafka_settings, DEAD_LETTERS)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    by_reason = {str(letter.reason): letter for _, letter in letters}
    assert (by_reason["unreadable"].partition, by_reason["unreadable"].offset) == (0, bad.offset)
    assert by_reason["match_failed"].detail == "ValueError('cannot be told of')"
    assert await worker.count("failures_total") == 1


FULL_DISK = """from wirewatch.match.records import RecordFile
real = RecordFile.put
def put(self, slots, records):
    if any(b"heron" in record for record in records):
        raise OSError(28, "No space left on device")
    real(self, slots, records)
RecordFile.put = put
"""


async def test_a_change_that_cannot_be_written_is_not_lost(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    await producer.send(SUBSCRIPTIONS, subscription("seen", id="sub_all"))
    worker = await start(before=FULL_DISK)

    await producer.send(SUBSCRIPTIONS, subscription("heron"))
    assert await asyncio.to_thread(worker.process.wait, LIMIT_S) == EXIT_BUG
    await start()

    assert await _is_found(kafka_settings, producer, "heron seen", 1) == {"sub_all", "sub_1"}


OFTEN = """import os
import wirewatch.match.keeper as keeper
keeper.DEAD_AT_LEAST, keeper.LOOK_EVERY_S = 5, 0.1
os.environ["WIREWATCH_MATCH_SNAPSHOT_S"] = "1"
"""


async def test_many_changes_leave_no_garbage_and_lose_nothing(
    kafka_settings: Settings, producer: Producer, start: Start
) -> None:
    await producer.send(SUBSCRIPTIONS, subscription("seen", id="sub_all"))
    worker = await start(before=OFTEN)
    flowing = asyncio.create_task(_flow(producer))
    queries = ["otter", "heron", "lynx"]
    number = 0
    async with asyncio.timeout(LIMIT_S):
        while len(worker.said("subscriptions made compact")) < 3:
            number += 1
            query = queries[number % len(queries)]
            await producer.send(SUBSCRIPTIONS, subscription(query, id=f"sub_{number % 2}"))
            await asyncio.sleep(0.02)
    await producer.send(SUBSCRIPTIONS, subscription("otter", id="sub_0"))
    await producer.delete(SUBSCRIPTIONS, "sub_1")
    await asyncio.sleep(2)
    flowing.cancel()
    assert await _is_found(kafka_settings, producer, "otter seen", 1) == {"sub_all", "sub_0"}

    worker.kill()
    worker = await start()
    assert worker.said("snapshot loaded")
    assert await _is_found(kafka_settings, producer, "otter seen", 2) == {"sub_all", "sub_0"}
    assert await _is_found(kafka_settings, producer, "heron seen", 3) == {"sub_all"}
