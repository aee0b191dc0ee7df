"""ingest on a real Kafka, between feeds on this machine and the topics it writes."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from fakes.ingest import Start, held, spawn, until
from wirewatch.runtime.kafka import Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ARTICLES, DEAD_LETTERS, FEED_STATES, FEEDS
from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import FeedState, FetchReason
from wirewatch.topics.feeds import Feed
from wirewatch.topics.ids import article_id

AT = datetime(2026, 11, 23, tzinfo=UTC)
HOUR_S = 3600


def rss(*titles: str) -> bytes:
    """Return a feed of today; an entry's guid is the first word of its title."""
    at = format_datetime(datetime.now(UTC))
    items = "".join(
        f"<item><guid>{title.split()[0]}</guid><title>{title}</title><pubDate>{at}</pubDate></item>"
        for title in titles
    )
    return f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>".encode()


@dataclass
class Publisher:
    """Serves documents by path, byte for byte; answers 304 to the validator it has given."""

    url: str = ""
    documents: dict[str, bytes] = field(default_factory=dict)
    head: dict[str, bytes] = field(default_factory=dict)
    delay_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    unchanged: Counter[str] = field(default_factory=Counter)
    under_way: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            name = request.split()[1].removeprefix("/")
            self.asked.append(name)
            self.under_way[name] += 1
            self.most_at_once[name] = max(self.most_at_once[name], self.under_way[name])
            await asyncio.sleep(self.delay_s)
            self.under_way[name] -= 1
            writer.write(self._answer(name, request))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a worker was killed
        finally:
            writer.close()

    def _answer(self, name: str, request: str) -> bytes:
        body = self.documents[name]
        etag = f'W/"{len(body)}"'
        if f"If-None-Match: {etag}\r\n" in request:
            self.unchanged[name] += 1
            return b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
        head = self.head.get(name, f"ETag: {etag}\r\n".encode())
        length = b"Content-Length: %d\r\n" % len(body)
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + head + b"\r\n" + body

    def feed(self, name: str, **changes: Any) -> Feed:
        feed = Feed(id=f"feed_{name}", url=f"{self.url}/{name}", created_at=AT, updated_at=AT)
        return replace(feed, **changes)


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    publisher = Publisher()
    server = await asyncio.start_server(publisher.serve, "127.0.0.1", 0)
    publisher.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield publisher
    server.close()
    await server.wait_closed()


async def articles(settings: Settings) -> list[tuple[str, int]]:
    """Return title and revision of every article in the topic."""
    found: list[tuple[str, Article]] = await held(settings, ARTICLES)
    return sorted((article.title, article.revision) for _, article in found)


async def states(settings: Settings) -> dict[str, FeedState | None]:
    return dict(await held(settings, FEED_STATES))


async def test_each_entry_once_an_edit_as_a_revision_and_nothing_again_after_a_restart(
    kafka_settings: Settings, producer: Producer, publisher: Publisher, start: Start
) -> None:
    publisher.documents["a"] = rss("1 one", "2 two")
    await producer.send(FEEDS, publisher.feed("a"))
    first = await start()
    await until(lambda: publisher.unchanged["a"] >= 2, "asked with its validator")
    publisher.documents["a"] = rss("3 three", "1 one, corrected", "2 two")
    await until(lambda: first.count("articles_total", kind="revised") == 1, "revised")
    await first.stop()

    again = publisher.unchanged["a"]
    second = await start()
    await until(lambda: publisher.unchanged["a"] > again, "asked with the stored validator")
    assert second.count("articles_total", kind="new") == 0
    await until(lambda: second.count("feeds", health="ok") == 1, "shown")
    assert await articles(kafka_settings) == [
        ("1 one", 1),
        ("1 one, corrected", 2),
        ("2 two", 1),
        ("3 three", 1),
    ]


async def test_feeds_come_go_move_and_rest_while_it_runs(
    kafka_settings: Settings, producer: Producer, publisher: Publisher, start: Start
) -> None:
    worker = await start(ingest_interval_s=HOUR_S)
    publisher.documents |= {"old": rss("1 one"), "new": rss("1 one", "2 two"), "b": rss("9 nine")}
    await producer.send(FEEDS, publisher.feed("old"))
    await producer.send(FEEDS, publisher.feed("b", paused=True))
    await until(lambda: worker.count("articles_total", kind="new") == 1, "a new feed at once")

    await producer.send(FEEDS, publisher.feed("old", url=f"{publisher.url}/new"))
    await until(lambda: worker.count("articles_total", kind="new") == 2, "a moved one at once")
    assert publisher.asked == ["old", "new"]

    await producer.send(FEEDS, publisher.feed("b"))
    await until(lambda: worker.count("articles_total", kind="new") == 3, "resumed at once")
    await producer.delete(FEEDS, "feed_b")
    await until(lambda: worker.count("feeds", health="ok") == 1, "removed")
    await worker.stop()

    assert await articles(kafka_settings) == [("1 one", 1), ("2 two", 1), ("9 nine", 1)]
    found = await states(kafka_settings)
    assert found.get("feed_b") is None
    assert found["feed_old"] is not None
    assert found["feed_old"].url == f"{publisher.url}/new"


async def test_a_feed_removed_while_nobody_looked_loses_its_state(
    kafka_settings: Settings, producer: Producer, publisher: Publisher, start: Start
) -> None:
    orphan = FeedState(feed_id="feed_gone", url=f"{publisher.url}/gone", next_fetch_at=AT)
    await producer.send(FEED_STATES, orphan)
    worker = await start()
    publisher.documents["a"] = rss("1 one")
    await producer.send(FEEDS, publisher.feed("a"))
    await until(lambda: worker.count("feeds", health="ok") == 1, "it had its turn")
    await worker.stop()

    assert (await states(kafka_settings))["feed_gone"] is None
    assert publisher.asked[0] == "a"


async def test_poisonous_feeds_harm_neither_others_nor_their_publishers(
    kafka_settings: Settings, producer: Producer, publisher: Publisher, start: Start
) -> None:
    good = rss("1 one")
    publisher.documents = {
        "cut": good[:-30],
        "html": b"<!doctype html><html><body>Moved</body></html>",
        "surrogate": rss("1 half &#xD800;"),
        "latin-1-etag": good,
        "long-title": good.replace(b"News", b"N" * 2_000_000),
        "unclosed": good.replace(b"one", b"&lt;a " * 200_000),
        "office": good.replace(b"one", b"&lt;![no[such]]&gt;one"),
        "good": good,
    }
    publisher.head["latin-1-etag"] = b'ETag: "caf\xe9"\r\n'
    worker = await start(ingest_interval_s=HOUR_S)
    await producer.send_all(FEEDS, [publisher.feed(name) for name in publisher.documents])

    def recorded() -> float:
        return worker.count("feeds", health="ok") + worker.count("feeds", health="failing")

    await until(lambda: recorded() == len(publisher.documents), "each has a state")
    found = await states(kafka_settings)
    reasons = {key: state.reason for key, state in found.items() if state and state.reason}
    assert reasons == {
        "feed_cut": FetchReason.MALFORMED,
        "feed_html": FetchReason.NOT_A_FEED,
    }
    assert Counter(publisher.asked) == Counter(publisher.documents.keys())
    assert worker.count("articles_total", kind="new") == 6
    assert worker.problems() == []


async def test_an_unreadable_feed_is_buried_and_holds_up_nothing(
    kafka_settings: Settings, producer: Producer, publisher: Publisher, start: Start
) -> None:
    name = FEEDS.full_name(kafka_settings.topic_prefix)
    raw = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap)
    await raw.start()
    for partition in range(4):
        await raw.send_and_wait(name, b"{ not json", key=b"feed_bad", partition=partition)
    await raw.stop()
    publisher.documents["a"] = rss("1 one")
    await producer.send(FEEDS, publisher.feed("a"))

    worker = await start()
    await until(lambda: worker.count("articles_total", kind="new") == 1, "the other is polled")

    assert worker.count("unreadable_records_total", topic="feeds") == 4
    letters = [letter for _, letter in await held(kafka_settings, DEAD_LETTERS)]
    assert {(letter.topic, letter.payload) for letter in letters} == {(name, b"{ not json")}


async def test_two_workers_share_the_feeds_and_one_takes_over(
    kafka_settings: Settings, producer: Producer, publisher: Publisher, start: Start
) -> None:
    names = [f"f{n}" for n in range(24)]
    publisher.documents = {name: rss("1 one") for name in names}
    await producer.send_all(FEEDS, [publisher.feed(name) for name in names])
    one = await start(instance="one")
    two = await start(instance="two")

    def shares() -> tuple[float, float]:
        return one.count("feeds", health="ok"), two.count("feeds", health="ok")

    await until(lambda: min(shares()) > 0 and sum(shares()) == 24, "shared")

    await two.stop()
    await until(lambda: one.count("feeds", health="ok") == 24, "one takes over")
    before = one.count("articles_total", kind="new")
    publisher.documents = {name: rss("1 one", "2 two") for name in names}
    await until(lambda: one.count("articles_total", kind="new") == before + 24, "and polls all")
    await one.stop()

    found: list[tuple[str, Article]] = await held(kafka_settings, ARTICLES)
    ids = {article_id(f"feed_{name}", entry) for name in names for entry in "12"}
    assert Counter(article.id for _, article in found) == Counter(ids)
    assert max(publisher.most_at_once.values()) == 1


async def test_kill_9_in_the_middle_of_a_hundred_feeds_again_and_again(
    kafka_settings: Settings, producer: Producer, publisher: Publisher
) -> None:
    publisher.delay_s = 0.02
    names = [f"f{n}" for n in range(100)]
    publisher.documents = {name: rss(*(f"{n} entry" for n in range(5))) for name in names}
    publisher.documents["bad"] = b"<html><body>Moved</body></html>"
    await producer.send_all(FEEDS, [publisher.feed(name) for name in publisher.documents])
    ids = {article_id(f"feed_{name}", str(n)) for name in names for n in range(5)}
    for goal in (20, 50, 80):
        process = spawn(kafka_settings)
        try:
            await until(lambda: len(set(publisher.asked)) >= goal, f"{goal} feeds")  # noqa: B023
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    process = spawn(kafka_settings)
    try:
        await until(lambda: len(publisher.unchanged) == 100, "each is known and unchanged")
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 30)

    assert code == 0
    found: list[tuple[str, Article]] = await held(kafka_settings, ARTICLES)
    assert {article.id for _, article in found} == ids
    assert {article.revision for _, article in found} == {1}
    failing = {k: s.reason for k, s in (await states(kafka_settings)).items() if s and s.failures}
    assert failing == {"feed_bad": FetchReason.NOT_A_FEED}
    # Only what was under way at a kill may be there twice, and it has the same id.
    assert len(found) - len(ids) <= 3 * 2 * 5


async def test_after_kill_9_another_worker_looks_after_the_feeds(
    kafka_settings: Settings, producer: Producer, publisher: Publisher
) -> None:
    names = [f"f{n}" for n in range(24)]
    publisher.documents = {name: rss("1 one") for name in names}
    await producer.send_all(FEEDS, [publisher.feed(name) for name in names])
    port = kafka_settings.metrics_port
    one, two = (
        spawn(kafka_settings.model_copy(update={"instance": name, "metrics_port": port + number}))
        for number, name in enumerate(("one", "two"))
    )
    try:
        await until(lambda: len(publisher.unchanged) == 24, "all are read")
        # Both have a share once the group has settled; either may be the one to end.
        await asyncio.sleep(3)
        one.kill()
        publisher.documents = {name: rss("1 one", "2 two") for name in names}
        publisher.unchanged.clear()
        await until(lambda: len(publisher.unchanged) == 24, "all are read again")
    finally:
        for process in (one, two):
            process.kill()
            await asyncio.to_thread(process.wait)

    found: list[tuple[str, Article]] = await held(kafka_settings, ARTICLES)
    ids = {article_id(f"feed_{name}", entry) for name in names for entry in "12"}
    assert {article.id for _, article in found} == ids
    assert {article.revision for _, article in found} == {1}
