"""The whole match service on a real Kafka: how much it moves, how late it is, how fast it starts.

Kafka, the producer of articles and the reader of alerts share the cores with it.
"""

import asyncio
import itertools
import statistics
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from wirewatch.runtime.kafka import LogReader, Producer
from wirewatch.runtime.settings import Settings
from wirewatch.topics import ALERTS, ARTICLES, SUBSCRIPTIONS
from wirewatch.topics.alerts import Alert
from wirewatch.topics.articles import Article
from wirewatch.topics.subscriptions import Subscription

from . import match_corpus
from .processes import Meter, Use
from .under_test import (
    Service,
    acknowledged,
    installation,
    kafka,
    producing,
    reading,
    serving,
    until,
)

Found = TypeVar("Found", "Flow", "Latency", "Many")
AT = datetime(2026, 1, 1, tzinfo=UTC)
SENT_AT_ONCE = 2_000
RATE = 200
"""Articles a second while latency is measured."""
RATE_OF_CHANGES = 20
"""Articles a second while subscriptions change: with a million each has some 65 alerts."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    subscriptions: int
    articles: int
    latency_s: int
    many: int
    changes: int


FULL = Size(100_000, articles=16_000, latency_s=30, many=1_000_000, changes=100)
QUICK = Size(10_000, articles=10_000, latency_s=8, many=30_000, changes=20)


@dataclass(frozen=True, slots=True)
class Flow:
    """What was moved: articles a second, alerts for an article, and what the service used."""

    articles_per_s: float
    alerts_per_article: float
    cpu_per_1000: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from an article's sending to its alert in a consumer's hands."""

    alerts: int
    p50: float
    p99: float
    worst: float
    use: Use


@dataclass(frozen=True, slots=True)
class Many:
    """What many subscriptions take: seconds to be ready, and until a change is in force."""

    subscriptions: int
    from_log_s: float
    from_snapshot_s: float
    memory_mb: float
    change_p50: float
    change_p99: float
    changes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it."""

    flow: Flow
    latency: Latency
    many: Many


async def measure(size: Size, vocabularies: Sequence[match_corpus.Vocabulary]) -> Measured:
    """Return what the service does with `size`."""
    corpus = Corpus(vocabularies)
    with kafka() as bootstrap:
        async with installation(bootstrap) as settings, producing(settings) as producer:
            await corpus.subscribe(producer, size.subscriptions)
            async with serving(settings, "match") as service, reading(settings, ALERTS) as alerts:
                flow = _said(await _flow(service, producer, alerts, corpus, size))
                latency = _said(await _latency(service, producer, alerts, corpus, size))
        async with installation(bootstrap) as settings, producing(settings) as producer:
            await corpus.subscribe(producer, size.many)
            many = _said(await _many(settings, producer, corpus, size))
    return Measured(flow, latency, many)


def _said(found: Found) -> Found:
    """Tell at once: what comes after may break off."""
    print(found, file=sys.stderr, flush=True)
    return found


class Corpus:
    """Subscriptions and articles without end."""

    def __init__(self, vocabularies: Sequence[match_corpus.Vocabulary]) -> None:
        self._vocabularies = vocabularies
        self._articles = match_corpus.articles(vocabularies, 2)
        self._round = 0

    async def subscribe(self, producer: Producer, count: int) -> None:
        """Send so many subscriptions."""
        print(f"sending {count:,} subscriptions", file=sys.stderr, flush=True)
        queries = itertools.islice(match_corpus.queries(self._vocabularies, 1), count)
        while some := list(itertools.islice(queries, SENT_AT_ONCE)):
            records = [subscription(each.id, match_corpus.to_text(each)) for each in some]
            await producer.send_all(SUBSCRIPTIONS, records)

    def articles(self, count: int) -> list[Article]:
        """Return so many articles that did not come before."""
        return [_article(each) for each in itertools.islice(self._articles, count)]


def subscription(key: str, query: str) -> Subscription:
    """Return a subscription of one endpoint."""
    return Subscription(
        id=f"sub_{key}",
        name=f"alert {key}",
        query=query,
        endpoint_ids=(f"end_{hash(key) % 1000}",),
        created_at=AT,
        updated_at=AT,
    )


def _article(made: match_corpus.Article) -> Article:
    return Article(
        id=made.id,
        story_id=made.id,
        feed_id="feed_1",
        url=f"https://{made.source}/{made.id}",
        title=made.title,
        body=made.body,
        language=made.language,
        source=made.source,
        published_at=AT,
        fetched_at=datetime.now(UTC),
    )


async def _flow(
    service: Service, producer: Producer, alerts: LogReader[Alert], corpus: Corpus, size: Size
) -> Flow:
    """Let the service work off articles that wait, once it has met the words of others."""
    await _work_off(service, producer, corpus.articles(size.articles // 4))
    await asyncio.sleep(6)  # it sorts its queries anew by what it has learned
    await _work_off(service, producer, corpus.articles(size.articles // 4))
    before = await acknowledged(alerts)
    meter = Meter(service.cpu_s)
    rate = await _work_off(service, producer, corpus.articles(size.articles))
    use = meter.read()
    found = await acknowledged(alerts) - before
    return Flow(
        rate,
        found / size.articles,
        use.cpu / size.articles * 1000,
        service.memory().all_,
    )


async def _work_off(service: Service, producer: Producer, articles: Sequence[Article]) -> float:
    """Send articles and wait for the service; return how many a second it did at full work."""
    begun_at = matched(service)
    sending = asyncio.create_task(_send(producer, articles))
    samples = [(time.monotonic(), begun_at)]

    async def done() -> bool:
        samples.append((time.monotonic(), await asyncio.to_thread(matched, service)))
        return samples[-1][1] - begun_at >= len(articles)

    await until(done, "all articles are matched", limit_s=600, every_s=0.1)
    await sending
    # From a tenth of the articles to nine tenths: neither its idling nor its ending counts.
    first, last = (begun_at + len(articles) * part for part in (0.1, 0.9))
    inside = [sample for sample in samples if first <= sample[1] <= last]
    (since, before), (until_, after) = inside[0], inside[-1]
    return (after - before) / (until_ - since)


async def _send(producer: Producer, articles: Sequence[Article]) -> None:
    for start in range(0, len(articles), SENT_AT_ONCE):
        await producer.send_all(ARTICLES, articles[start : start + SENT_AT_ONCE])


def matched(service: Service) -> int:
    """Return how many articles the service has matched."""
    url = f"http://127.0.0.1:{service.settings.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        text = answer.read().decode()
    return int(
        next(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "wirewatch_match_articles_total"
        )
    )


async def _latency(
    service: Service, producer: Producer, alerts: LogReader[Alert], corpus: Corpus, size: Size
) -> Latency:
    """Send RATE articles a second, each by itself, and see when their alerts come."""
    articles = corpus.articles(RATE * size.latency_s)
    await alerts.read_from(await alerts.ends(await alerts.partitions()))
    waits: list[float] = []
    collecting = asyncio.create_task(_collect(alerts, waits))
    warm = RATE * 4
    await _pace(producer, articles[:warm])
    await asyncio.sleep(1)
    waits.clear()
    meter = Meter(service.cpu_s)
    await _pace(producer, articles[warm:])
    use = meter.read()
    await asyncio.sleep(2)
    collecting.cancel()
    waits.sort()
    return Latency(
        len(waits), statistics.median(waits), waits[int(len(waits) * 0.99)], waits[-1], use
    )


async def _pace(producer: Producer, articles: Sequence[Article], rate: int = RATE) -> None:
    begun = time.monotonic()
    sending = []
    for number, article in enumerate(articles):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        sent = msgspec.structs.replace(article, fetched_at=datetime.now(UTC))
        sending.append(asyncio.create_task(producer.send(ARTICLES, sent)))
    await asyncio.gather(*sending)


async def _collect(reader: LogReader[Alert], waits: list[float]) -> None:
    while True:
        records = await reader.poll()
        now = datetime.now(UTC)
        waits += [
            (now - record.value.article.fetched_at).total_seconds()
            for record in records
            if record.value is not None
        ]


async def _many(settings: Settings, producer: Producer, corpus: Corpus, size: Size) -> Many:
    begun = time.monotonic()
    async with serving(settings, "match") as service:
        from_log = time.monotonic() - begun
        memory = service.memory().all_
        await asyncio.sleep(5)
    begun = time.monotonic()
    async with serving(settings, "match") as service, reading(settings, ALERTS) as alerts:
        from_snapshot = time.monotonic() - begun
        print(f"{from_log=} {from_snapshot=} {memory=}", file=sys.stderr, flush=True)
        await alerts.read_from(await alerts.ends(await alerts.partitions()))
        waits = await _changes(producer, alerts, corpus, size.changes)
    waits.sort()
    return Many(
        size.many,
        from_log,
        from_snapshot,
        memory,
        statistics.median(waits),
        waits[min(len(waits) - 1, int(len(waits) * 0.99))],
        len(waits),
    )


async def _changes(
    producer: Producer, alerts: LogReader[Alert], corpus: Corpus, count: int
) -> list[float]:
    """Make subscriptions while articles flow; return when the first article that fits was sent.

    It counts from when Kafka has the subscription, in steps of 20 ms.
    """
    flow = corpus.articles(RATE_OF_CHANGES * 600)
    flowing = asyncio.create_task(_pace(producer, flow, RATE_OF_CHANGES))
    waits = []
    try:
        for number in range(count):
            word = f"zyx{number}q"
            await producer.send(SUBSCRIPTIONS, subscription(word, word))
            acknowledged_at = datetime.now(UTC)
            probing = asyncio.create_task(_probe(producer, word))
            try:
                first = await _first_alert(alerts, f"sub_{word}")
            finally:
                probing.cancel()
                await asyncio.gather(probing, return_exceptions=True)
            waits.append((first - acknowledged_at).total_seconds())
    finally:
        flowing.cancel()
        await asyncio.gather(flowing, return_exceptions=True)
    return waits


async def _probe(producer: Producer, word: str) -> None:
    """Send an article with `word` every 20 ms."""
    for number in itertools.count():
        made = match_corpus.Article(f"{word}-{number}", word, word, "en", "news.example")
        await producer.send(ARTICLES, _article(made))
        await asyncio.sleep(0.02)


async def _first_alert(alerts: LogReader[Alert], key: str) -> datetime:
    """Return when the first article that a subscription was told of had been sent."""
    async with asyncio.timeout(60):
        while True:
            found = [
                record.value.article.fetched_at
                for record in await alerts.poll()
                if record.value is not None and record.value.subscription_id == key
            ]
            if found:
                return min(found)
