"""How long it takes from a change on the server to its articles in Kafka, once the fetch is due.

Feeds are looked at a hundred times a second. The due time is what ingest itself has
written to feed-states, the end is when a consumer of articles has the article in hand.
"""

import asyncio
import bisect
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wirewatch.runtime.kafka import LogReader
from wirewatch.topics import ARTICLES, FEED_STATES, FEEDS
from wirewatch.topics.articles import Article
from wirewatch.topics.feed_states import FeedState

from .make_feeds import ENTRIES
from .processes import Meter, Use
from .publishers import Publishers, publishers
from .under_test import (
    acknowledged,
    held,
    ingest,
    installation,
    kafka,
    producing,
    reading,
    until,
)

FETCHES_PER_S = 100
CHANGE_EVERY_S = 5
"""Less than the interval of the full size: there each fetch finds a change."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    interval_s: int
    changes: int

    @property
    def feeds(self) -> int:
        """So many feeds at that interval are a hundred fetches a second."""
        return FETCHES_PER_S * self.interval_s


FULL = Size(interval_s=10, changes=12)
QUICK = Size(interval_s=3, changes=3)


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds, over all articles; and what ingest used meanwhile."""

    articles: int
    p50: float
    p99: float
    worst: float
    use: Use


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article as a consumer got it."""

    article: Article
    at: datetime


async def measure(size: Size) -> Latency:
    """Return the latency under a hundred fetches a second."""
    with kafka() as bootstrap, publishers(size.feeds) as feeds:
        feeds.prepare(0, size.changes)
        async with (
            installation(bootstrap) as settings,
            producing(settings) as producer,
            reading(settings, ARTICLES) as reader,
            ingest(settings) as service,
        ):
            await producer.send_all(
                FEEDS, [feeds.feed(number, size.interval_s) for number in range(size.feeds)]
            )

            async def all_known() -> bool:
                return await acknowledged(reader) >= size.feeds * ENTRIES

            await until(all_known, "all feeds are known", limit_s=600)
            # What came due while all was read for the first time is not what is measured.
            await asyncio.sleep(2 * size.interval_s)
            meter = Meter(service.cpu_s)
            shown, arrivals = await _watch(reader, feeds, size.changes)
            use = meter.read()
            states = await held(settings, FEED_STATES)
    return summary(waits(arrivals, shown, due_times(states)), use)


async def _watch(
    reader: LogReader[Article], feeds: Publishers, changes: int
) -> tuple[list[datetime], list[Arrival]]:
    """Change all feeds again and again; return when, and the articles as they came."""
    partitions = await reader.partitions()
    await reader.read_from(await reader.ends(partitions))
    arrivals: list[Arrival] = []

    async def collect() -> None:
        while True:
            records = await reader.poll()
            now = datetime.now(UTC)
            arrivals.extend(Arrival(r.value, now) for r in records if r.value is not None)

    task = asyncio.create_task(collect())
    shown = []
    for version in range(1, changes + 1):
        feeds.show(version)
        shown.append(datetime.now(UTC))
        await asyncio.sleep(CHANGE_EVERY_S)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return shown, arrivals


def due_times(states: Iterable[FeedState]) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return for each feed its fetches in order: when, and when the next was to be."""
    found: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for state in states:
        if state.fetched_at is not None:
            found[state.feed_id].append((state.fetched_at, state.next_fetch_at))
    for fetches in found.values():
        fetches.sort()
    return found


def waits(
    arrivals: Iterable[Arrival],
    shown: Sequence[datetime],
    due: dict[str, list[tuple[datetime, datetime]]],
) -> list[float]:
    """Return for each article the seconds since it could be had: it stood there and was due."""
    found = []
    for arrival in arrivals:
        article = arrival.article
        fetches = due.get(article.feed_id, [])
        before = bisect.bisect_left(fetches, (article.fetched_at,)) - 1
        changes = bisect.bisect_right(shown, article.fetched_at) - 1
        if before >= 0 and changes >= 0:
            since = max(fetches[before][1], shown[changes])
            found.append((arrival.at - since).total_seconds())
    return found


def summary(found: Sequence[float], use: Use) -> Latency:
    """Return the latency of at least one wait."""
    ordered = sorted(found)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99)]
    return Latency(len(ordered), at[0], at[1], ordered[-1], use)


if __name__ == "__main__":
    print(asyncio.run(measure(QUICK)))
